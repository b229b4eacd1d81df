import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { echoServer } from './echo.ts'
import { referenceServer } from './references.ts'

/** Prints its port, then serves until it is ended. */
const serve = toNodeHandler(createMcpHandler(process.argv[2] === 'references' ? referenceServer : echoServer))
const http = createServer((request, response) => void serve(request as NodeIncomingMessageLike, response))
http.listen(0, '127.0.0.1', () => console.log((http.address() as AddressInfo).port))
