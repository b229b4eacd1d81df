import { libraryDoor } from './attacks/library-door.ts'
import { attackOn } from './attacks/run.ts'

// What depends on the store shows without a protocol in between; the doors of MCP are tried in the slow part.
attackOn('sqlite', [libraryDoor])
