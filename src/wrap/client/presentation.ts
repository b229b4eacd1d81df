import { cardUri } from '../../agent/card.ts'
import { lengthOf, lengthOfTool } from '../../agent/listed.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { isRefOf } from '../../core/ref.ts'
import { type CallOutcome, INTERNAL_ERROR, refIdInBody } from '../call-outcome.ts'
import type { Log } from '../log.ts'
import {
  failure,
  isStateless,
  protocolMeta,
  type RpcError,
  RpcErrorCode,
  type RpcRequest,
  type RpcResponse,
  result,
} from '../rpc.ts'
import type { ToolCatalog } from '../tools/catalog.ts'
import type { ToolListing } from '../tools/listing.ts'
import { withCapabilities } from './capabilities.ts'
import type { Reader } from './reader.ts'
import type { ClientResources } from './resources.ts'
import type { ClientTasks } from './tasks.ts'

export interface PresentationOptions {
  readonly cacheName: string
  readonly catalog: ToolCatalog
  readonly listing: ToolListing
  readonly tasks: ClientTasks
  readonly resources: ClientResources
  readonly reader: Reader
  readonly log: Log
  /** Hears how many characters stand before the client's model because of us. */
  onAdded(characters: number): void
  /** Aborts when the session ends. */
  readonly ended: AbortSignal
}

/** The server's answers to forwarded requests, as the client gets them: with our tools, and words about them. */
export class Presentation {
  readonly #said = new Set<string>()
  /** Whether the server says that it has tools. */
  #hasTools = true

  constructor(private readonly options: PresentationOptions) {}

  /** At once where it can be: what the server says next must not overtake its answer. */
  of(request: RpcRequest, response: RpcResponse): RpcResponse | Promise<RpcResponse> {
    const present = () => this.#withoutThrowing(request, response)
    if (request.method === 'resources/list') return this.#withOwnResources(request, response)
    if (!this.#needsWholeList(request, response)) return present()
    const { listing, ended } = this.options
    return listing.complete(protocolMeta(request.params), ended).then(present)
  }

  /** Ours stand on the first page, and are called by names that are free on every page. */
  #needsWholeList({ method, params }: RpcRequest, response: RpcResponse): boolean {
    if (method !== 'tools/list' || params?.cursor !== undefined || !('result' in response)) return false
    return response.result.nextCursor !== undefined
  }

  async #withOwnResources(request: RpcRequest, response: RpcResponse): Promise<RpcResponse> {
    const page = pageIn(response, 'resources')
    const withId = { ...response, id: request.id }
    if (!page) return withId
    try {
      const listed = await this.options.resources.withOwn(request, page)
      return result(request.id, isStateless(request.params) ? { resultType: 'complete', ...listed } : listed)
    } catch (error) {
      // Those of the server are there all the same.
      const { message } = error as Error
      this.options.log.error(
        'resources_unlisted',
        `The results of earlier calls could not be listed: ${message}`,
      )
      return 'result' in response ? withId : failure(request.id, INTERNAL_ERROR)
    }
  }

  #withoutThrowing(request: RpcRequest, response: RpcResponse): RpcResponse {
    try {
      return this.#presented(request, { ...response, id: request.id })
    } catch (error) {
      const { message } = error as Error
      this.options.log.error(
        'answer_unpresentable',
        `An answer to ${request.method} could not be passed on: ${message}`,
      )
      return failure(request.id, INTERNAL_ERROR)
    }
  }

  #presented(request: RpcRequest, response: RpcResponse): RpcResponse {
    const { tasks } = this.options
    if ('error' in response) return this.#failed(request, response)
    switch (request.method) {
      case 'initialize':
      case 'server/discover':
        tasks.introduced(request, response.result)
        this.#hasTools = isJsonObject(response.result.capabilities) && 'tools' in response.result.capabilities
        return { ...response, result: this.#introduced(request, response.result) }
      case 'tools/list':
        return { ...response, result: this.#listed(request, response.result) }
      case 'resources/templates/list':
        return { ...response, result: this.options.resources.withTemplate(response.result) }
      default:
        return response
    }
  }

  /** We have said that there are tools: a server that knows no such thing has none, and ours are there. */
  #failed(request: RpcRequest, response: RpcResponse & { error: { code: number } }): RpcResponse {
    if (Number(response.error.code) !== RpcErrorCode.methodNotFound) return response
    const type = isStateless(request.params) ? { resultType: 'complete' } : {}
    if (request.method === 'tools/list')
      return result(request.id, this.#listed(request, { ...type, tools: [] }))
    if (request.method === 'resources/templates/list')
      return result(request.id, { ...type, ...this.options.resources.templatesAlone(request) })
    return this.#isOfNoTool(request) ? failure(request.id, noTool(request)) : response
  }

  /** The answer to a call that went through the cache, or was one of our own tools. */
  ofCall(request: RpcRequest, outcome: CallOutcome): CallOutcome {
    const { names } = this.options.catalog
    if ('error' in outcome) {
      const isUnknown = Number(outcome.error.code) === RpcErrorCode.methodNotFound
      return isUnknown && this.#isOfNoTool(request) ? { error: noTool(request) } : outcome
    }
    const { structuredContent: body = {} } = outcome.result as JsonObject
    const isOurs =
      isRefOf(this.options.cacheName, refIdInBody(outcome.result as JsonObject)) ||
      (isJsonObject(body) && isJsonObject(body.error))
    return isOurs ? { result: names.inAnswer(outcome.result as JsonObject) } : outcome
  }

  #isOfNoTool(request: RpcRequest): boolean {
    return request.method === 'tools/call' && !this.#hasTools
  }

  #introduced(request: RpcRequest, own: JsonObject): JsonObject {
    const introduced = withCapabilities(request, own, this.options.catalog)
    this.options.onAdded(lengthOf(introduced.instructions) - lengthOf(own.instructions))
    return introduced
  }

  #listed(request: RpcRequest, page: JsonObject): JsonObject {
    const { tasks, catalog, reader, cacheName, log } = this.options
    const isFirst = request.params?.cursor === undefined
    const listed = catalog.present(page, {
      isFirst,
      asTasks: tasks.isCore(request),
      listsReferences: reader.listsReferences(request),
      card: reader.showsCards(request) ? cardUri(cacheName) : undefined,
    })
    this.options.onAdded(lengthOfTools(listed) - lengthOfTools(page))
    for (const name of catalog.names.renamed) {
      if (this.#said.has(name)) continue
      this.#said.add(name)
      const other = catalog.names.of(name)
      log.warn(
        'tool_renamed',
        `The wrapped server has a tool '${name}' of its own; ours is called '${other}'.`,
      )
    }
    return listed
  }
}

/** The page of a list that a server answered with. It need not know lists that we have said there are. */
function pageIn(response: RpcResponse, list: string): JsonObject | undefined {
  if ('result' in response) return response.result
  return Number(response.error.code) === RpcErrorCode.methodNotFound ? { [list]: [] } : undefined
}

/** As a model sees them. */
function lengthOfTools({ tools }: JsonObject): number {
  let length = 0
  for (const tool of Array.isArray(tools) ? tools : []) {
    if (!isJsonObject(tool)) continue
    length += lengthOfTool(tool)
  }
  return length
}

function noTool({ params }: RpcRequest): RpcError {
  const name = String(params?.name).slice(0, 100)
  return { code: RpcErrorCode.invalidParams, message: `There is no tool '${name}'.` }
}
