import { type CardTools, cardUri, readCard } from '../../agent/card.ts'
import { isOneClient } from '../../agent/identity.ts'
import { isResourceOf } from '../../agent/resource-uri.ts'
import {
  asksForOwnPage,
  listOwnResources,
  NOT_TO_BE_KEPT,
  RESOURCE_TEMPLATE,
  type ResourceListing,
  readResource,
  toResourceError,
  toServerCursor,
  withOwnResources,
} from '../../agent/resources.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { CallOutcome } from '../call-outcome.ts'
import { isStateless, type RpcRequest } from '../rpc.ts'
import type { CallContext, ProxiedClient, ToolCalls } from '../tools/calls.ts'

/** Requests about one resource. */
const NAMES_ONE: ReadonlySet<string> = new Set([
  'resources/read',
  'resources/subscribe',
  'resources/unsubscribe',
])

export interface ClientResourcesOptions {
  readonly cache: RefCache
  readonly caller: ProxiedClient
  readonly calls: ToolCalls
  /** What our tools are called here. */
  readonly cardTools: () => CardTools
  /** Aborts when the session ends. */
  readonly ended: AbortSignal
}

/** The entries of the cache as resources, beside those of the wrapped server. */
export class ClientResources {
  constructor(private readonly options: ClientResourcesOptions) {}

  /** Whether a request is about resources of ours alone. */
  takes({ method, params }: RpcRequest): boolean {
    if (method === 'resources/list') return asksForOwnPage(params?.cursor)
    if (method === 'resources/read' && this.#isCard(params?.uri)) return true
    return NAMES_ONE.has(method) && isResourceOf(this.options.cache.name, params?.uri)
  }

  /** Known by the tools that have it, so it is listed nowhere. */
  #isCard(uri: unknown): boolean {
    return uri === cardUri(this.options.cache.name)
  }

  async answer(request: RpcRequest, { signal, limits }: CallContext): Promise<CallOutcome> {
    const { cache, caller } = this.options
    const { method, params = {} } = request
    const uri = String(params.uri ?? '')
    try {
      if (method === 'resources/list')
        return {
          result: await listOwnResources(cache, String(params.cursor), this.#listing(request, signal)),
        }
      if (method !== 'resources/read') {
        throw new InvalidArgument('A stored result does not change: read it, there is nothing to follow.')
      }
      if (this.#isCard(uri))
        return { result: await readCard(uri, this.options.cardTools(), isStateless(params)) }
      const reader = { actor: caller.actor, limits, signal, isStateless: isStateless(params) }
      return { result: await readResource(cache, uri, reader) }
    } catch (error) {
      return { error: toResourceError(error, uri, isStateless(params)) }
    }
  }

  /** The request as the server knows it. */
  forServer(request: RpcRequest): RpcRequest {
    const { method, params } = request
    if (method !== 'resources/list' || typeof params?.cursor !== 'string') return request
    return { ...request, params: { ...params, cursor: toServerCursor(params.cursor) } }
  }

  /** The server's own page of a list of resources, with ours where they follow. */
  async withOwn(request: RpcRequest, page: JsonObject): Promise<JsonObject> {
    return withOwnResources(
      this.#withoutOurs(page),
      this.options.cache,
      this.#listing(request, this.options.ended),
    )
  }

  /** What a server lists under our name would be read here, not there. */
  #withoutOurs(page: JsonObject): JsonObject {
    const { resources } = page
    if (!Array.isArray(resources)) return page
    const isOurs = (one: JsonValue) => isJsonObject(one) && isResourceOf(this.options.cache.name, one.uri)
    return resources.some(isOurs) ? { ...page, resources: resources.filter(one => !isOurs(one)) } : page
  }

  /** Our template, where the server knows no such list. */
  templatesAlone({ params }: RpcRequest): JsonObject {
    return { ...this.withTemplate({}), ...(isStateless(params) ? NOT_TO_BE_KEPT : {}) }
  }

  /** The last page of the server's templates, with ours. */
  withTemplate(page: JsonObject): JsonObject {
    const { resourceTemplates, nextCursor } = page
    if (nextCursor !== undefined) return page
    const servers: readonly JsonValue[] = Array.isArray(resourceTemplates) ? resourceTemplates : []
    return { ...page, resourceTemplates: [...servers, RESOURCE_TEMPLATE] }
  }

  #listing({ params }: RpcRequest, signal: AbortSignal): ResourceListing {
    const { caller, calls } = this.options
    return {
      // Where several people look like this one caller, nobody is shown what another one made.
      actor: isOneClient({ actor: caller.actor, ambiguous: caller.ambiguous ?? false })
        ? caller.actor
        : undefined,
      // A store may hold what was made with other credentials.
      lists: toolName => calls.isOwn(toolName),
      namespace: caller.namespace,
      signal,
      isStateless: isStateless(params),
    }
  }
}
