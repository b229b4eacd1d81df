import type { McpServer, ResourceTemplate, ServerContext } from '@modelcontextprotocol/server'
import { isOneClient } from '../agent/identity.ts'
import type { ClientLimits } from '../agent/limits.ts'
import { isResourceUri } from '../agent/resource-uri.ts'
import {
  asksForOwnPage,
  listOwnResources,
  RESOURCE_TEMPLATE,
  type ResourceListing,
  readResource,
  toResourceError,
  withOwnResources,
} from '../agent/resources.ts'
import type { JsonObject } from '../core/json.ts'
import type { RefCache } from '../ref-cache.ts'
import { callerOf, type IdentityOptions } from './identity.ts'
import { canInterpose, interpose } from './interpose.ts'
import { isProtocolError, RpcError } from './sdk-shapes.ts'
import { clientInfoOf } from './tasks/calls.ts'

/**
 * Offers the cache's entries as resources beside the server's own. Where the server has its resources already, the list has the first
 * page of ours alone.
 */
export function serveResources(
  mcp: McpServer,
  cache: RefCache,
  identity: IdentityOptions,
  limits: ClientLimits,
  isTool: (name: string) => boolean,
): void {
  const listingOf = (context: ServerContext): ResourceListing => {
    const caller = callerOf(context, identity)
    return {
      // Where several people look like this one caller, nobody is shown what another one made.
      actor: isOneClient(caller) ? caller.actor : undefined,
      // The program may have called others of its cached functions itself, as anonymous as its only client.
      lists: toolName => toolName !== undefined && isTool(toolName),
      signal: context.mcpReq.signal,
      isStateless: isStateless(context),
    }
  }
  const pages = canInterpose(mcp.server, 'resources/list')
  if (pages) {
    interpose<ListRequest>(mcp.server, 'resources/list', async ({ params }, context, proceed) => {
      const cursor = params?.cursor
      return answering('', context, async () =>
        asksForOwnPage(cursor)
          ? listOwnResources(cache, cursor, listingOf(context))
          : withOwnResources((await proceed(context)) as JsonObject, cache, listingOf(context)),
      )
    })
  }
  const { uriTemplate, name, ...shown } = RESOURCE_TEMPLATE
  const template = {
    uriTemplate: {
      toString: () => uriTemplate,
      match: (uri: string) => (isResourceUri(uri) ? {} : null),
      variableNames: [],
    },
    listCallback: pages
      ? undefined
      : (context: ServerContext) => withOwnResources({}, cache, listingOf(context)),
    completeCallback: () => undefined,
  }
  // The SDK goes by these members of its class, which is not loaded here.
  mcp.registerResource(name, template as unknown as ResourceTemplate, shown, (uri, _, context) =>
    answering(uri.href, context, async () => {
      const read = await readResource(cache, uri.href, {
        actor: callerOf(context, identity).actor,
        limits: limits.of(clientInfoOf(mcp.server, context)),
        signal: context.mcpReq.signal,
        isStateless: isStateless(context),
      })
      return read as { contents: Array<{ uri: string; text: string }> }
    }),
  )
}

interface ListRequest {
  readonly params?: { readonly cursor?: string }
}

function isStateless({ mcpReq }: ServerContext): boolean {
  return mcpReq.envelope !== undefined
}

async function answering<T>(uri: string, context: ServerContext, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    // Of the server's own handler.
    if (isProtocolError(error)) throw error
    const { code, message, data } = toResourceError(error, uri, isStateless(context))
    throw new RpcError(code, message, data)
  }
}
