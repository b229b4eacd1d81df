import type { Server } from '@modelcontextprotocol/server'
import type { RefCache } from '../ref-cache.ts'
import { canInterpose, interpose } from './tasks/calls.ts'

/**
 * Tools of the server that do not go through the cache may change what its other tools read, and nobody says whether they do. Each
 * of their calls counts as a write. Where the server has its handler of `tools/call` already, they cannot be seen.
 * @param isKnown whether a tool is one of the cache's, or of this package
 */
export function watchOtherTools(
  server: Server,
  cache: RefCache,
  isKnown: (toolName: string) => boolean,
): void {
  if (!canInterpose(server)) return
  interpose(server, {
    async answer({ params }, _, proceed) {
      if (isKnown(params.name)) return proceed()
      const end = cache.beginWrite()
      try {
        return await proceed()
      } finally {
        end()
      }
    },
  })
}
