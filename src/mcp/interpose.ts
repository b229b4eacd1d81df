import type { CallToolRequest, Server, ServerContext } from '@modelcontextprotocol/server'
import type { RefCache } from '../ref-cache.ts'

/** Stands around the handler of `tools/call`; `proceed` is the server's own, which runs the tool with that context. */
export interface CallInterceptor {
  intercept(
    request: CallToolRequest,
    context: ServerContext,
    proceed: (context: ServerContext) => Promise<Answer>,
  ): Promise<Answer>
}

type Answer = Record<string, unknown>

/** Has `calls` stand around whatever handler of `tools/call` the server is given from now on. */
export function interpose(server: Server, calls: CallInterceptor): void {
  const set = server.setRequestHandler.bind(server) as (method: string, ...rest: unknown[]) => void
  const interposed = (method: string, ...rest: unknown[]) => {
    const handler = rest.pop()
    if (method !== 'tools/call' || typeof handler !== 'function') return set(method, ...rest, handler)
    const around = (request: CallToolRequest, context: ServerContext) =>
      calls.intercept(request, context, async given => handler(request, given))
    return set(method, ...rest, around)
  }
  server.setRequestHandler = interposed as typeof server.setRequestHandler
}

/** Whether there is still time to stand around the handler of `tools/call`. */
export function canInterpose(server: Server): boolean {
  try {
    server.assertCanSetRequestHandler('tools/call')
    return true
  } catch {
    return false
  }
}

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
    async intercept({ params }, context, proceed) {
      if (isKnown(params.name)) return proceed(context)
      const end = cache.beginWrite()
      try {
        return await proceed(context)
      } finally {
        end()
      }
    },
  })
}
