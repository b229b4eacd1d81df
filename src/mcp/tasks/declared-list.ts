import type { Server, ServerContext } from '@modelcontextprotocol/server'
import * as z from 'zod'

type Handler = (request: { method: string; params: object }, context: ServerContext) => Promise<Introduction>

/** The SDK hands out the handler that it has for a request, which its types keep to subclasses. */
interface Handlers {
  _getRequestHandler?(method: string): Handler | undefined
}

interface Introduction {
  readonly [name: string]: unknown
  readonly capabilities?: { readonly tasks?: { readonly list?: object } }
}

/**
 * `initialize` declares `tasks/list` only to callers who can be told apart: a list of what everybody began is nobody's. The server's
 * capabilities themselves are the same for all.
 */
export function declareListByCaller(server: Server, isOneClient: (context: ServerContext) => boolean): void {
  const introduce = (server as unknown as Handlers)._getRequestHandler?.('initialize')
  if (!introduce) return
  server.setRequestHandler('initialize', { params: z.looseObject({}) }, async (params, context) => {
    const introduction: Introduction = await introduce({ method: 'initialize', params }, context)
    return isOneClient(context) ? introduction : withoutList(introduction)
  })
}

function withoutList({ capabilities, ...introduction }: Introduction): Introduction {
  const { list: _, ...tasks } = capabilities?.tasks ?? {}
  return { ...introduction, capabilities: { ...capabilities, tasks } }
}
