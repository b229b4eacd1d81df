import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { echoServer } from './echo.ts'
import { referenceServer } from './references.ts'

serveStdio(process.argv[2] === 'references' ? referenceServer : echoServer)
