import type { CallToolRequest, Server, ServerContext } from '@modelcontextprotocol/server'
import type { RefCache } from '../ref-cache.ts'

type Answer = Record<string, unknown>

/** Stands around a handler of the server; `proceed` is that handler, with the context that it is given. */
export type Intercept<Request> = (
  request: Request,
  context: ServerContext,
  proceed: (context: ServerContext) => Promise<Answer>,
) => Promise<Answer>

/** The same around the handler of `tools/call`. */
export interface CallInterceptor {
  intercept: Intercept<CallToolRequest>
}

/** Has `intercept` stand around whatever handler of that request the server is given from now on. */
export function interpose<Request>(server: Server, intercepted: string, intercept: Intercept<Request>): void {
  const set = server.setRequestHandler.bind(server) as (method: string, ...rest: unknown[]) => void
  const interposed = (method: string, ...rest: unknown[]) => {
    const handler = rest.pop()
    if (method !== intercepted || typeof handler !== 'function') return set(method, ...rest, handler)
    const around = (request: Request, context: ServerContext) =>
      intercept(request, context, async given => handler(request, given))
    return set(method, ...rest, around)
  }
  server.setRequestHandler = interposed as typeof server.setRequestHandler
}

/** Whether there is still time to stand around the handler of a request. */
export function canInterpose(server: Server, method: string): boolean {
  try {
    server.assertCanSetRequestHandler(method)
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
  if (!canInterpose(server, 'tools/call')) return
  interpose<CallToolRequest>(server, 'tools/call', async ({ params }, context, proceed) => {
    if (isKnown(params.name)) return proceed(context)
    const end = cache.beginWrite()
    try {
      return await proceed(context)
    } finally {
      end()
    }
  })
}
