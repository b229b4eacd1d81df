import { present } from '../../agent/present.ts'
import { clientOf2025, clientOf2026, type TaskClient, type Wish, wishOf } from '../../agent/tasks/client.ts'
import { invalidParams, toRpcError } from '../../agent/tasks/errors.ts'
import type { Connection, SendRequest } from '../../agent/tasks/questions.ts'
import type { Answered } from '../../agent/tasks/round-trip.ts'
import { type TaskCallOptions, TaskService } from '../../agent/tasks/service.ts'
import {
  isTaskListen,
  type ListenRequest,
  TaskSubscriptions,
  taskIdsOf,
} from '../../agent/tasks/subscriptions.ts'
import { presentAnswer, QUERY_CACHED_RESULT } from '../../agent/tools/query.ts'
import type { OwnTask } from '../../agent/tools/tool.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { isRefOf, type RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { RefCache } from '../../ref-cache.ts'
import { asOutcome, type CallOutcome } from '../call-outcome.ts'
import {
  notification,
  protocolMeta,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
} from '../rpc.ts'
import type { CallContext, ProxiedClient, ToolCalls } from '../tools/calls.ts'
import { type KnownTool, NOT_DECLARED } from '../tools/catalog.ts'
import { CORE_REVISION } from './capabilities.ts'
import type { Reader } from './reader.ts'

/** Where a list of ours is at its end, the server's own begins; what follows in a cursor is the server's. */
const UPSTREAM_CURSOR = 'server:'

export interface ClientTasksOptions {
  readonly cache: RefCache
  readonly caller: ProxiedClient
  readonly calls: ToolCalls
  tell(message: RpcMessage, relatedTo?: RpcId): void
  /** Calls our own tools in a text by the names that they have here. */
  nameTools(text: string): string
  /** Asks the client on the stream of a request of its own, or on the connection. */
  sender(relatedTo?: RpcId): SendRequest
  /** What is sent to the client arrives, or the client is gone. */
  readonly isReliable: boolean
  readonly reader: Reader
}

/** The tasks of MCP that one client is offered, whatever the wrapped server has: each is an entry of the cache. */
export class ClientTasks {
  /** The client that agreed with the server on 2025-11-25. The later revision says with each request who it is. */
  #core: TaskClient | undefined
  /** What the client agreed on with the server; nothing at 2026-07-28. */
  revision: string | undefined
  readonly #service: TaskService
  readonly #subscriptions: TaskSubscriptions

  constructor(private readonly options: ClientTasksOptions) {
    const { cache, calls } = options
    this.#service = new TaskService(cache, {
      lists: toolName => calls.isOwn(toolName),
      present: (answer, { toolName, hasOutputSchema }, limits) =>
        toolName === QUERY_CACHED_RESULT
          ? presentAnswer(answer, limits)
          : present(answer, { hasOutputSchema, limits }),
      nameTools: options.nameTools,
    })
    this.#subscriptions = new TaskSubscriptions({
      isOurs: taskId => isRefOf(cache.name, taskId),
      find: (request, taskIds) =>
        this.#known(taskIds, options.reader.limitsOf(request as unknown as RpcRequest)),
      send: (message, id) => options.tell(message as RpcMessage, id),
      acknowledgesAlone: true,
    })
  }

  /** The server has introduced itself, as the client will hear it or not. */
  introduced({ method, params }: RpcRequest, value: JsonObject): void {
    this.options.caller.tasks.learn(value)
    if (method !== 'initialize') return
    const { capabilities } = params ?? {}
    this.revision = typeof value.protocolVersion === 'string' ? value.protocolVersion : undefined
    const isCore = value.protocolVersion === CORE_REVISION
    this.#core = isCore ? clientOf2025(isJsonObject(capabilities) ? capabilities : {}) : undefined
  }

  /** Whether the client of a request may call tools as tasks of 2025-11-25. */
  isCore(request: RpcRequest): boolean {
    return this.#clientOf(request)?.codec.revision === '2025-11-25'
  }

  wishOf(request: RpcRequest): Wish {
    const client = this.#clientOf(request)
    return client ? wishOf(client, request.params) : 'answer'
  }

  /** Answers a call of which a task may become; `start` makes the call. */
  call(
    request: RpcRequest,
    tool: KnownTool,
    start: (options: TaskCallOptions) => Promise<CallResponse>,
  ): Promise<CallOutcome> {
    const hasOutputSchema = tool.outputSchema !== undefined
    return this.#call(request, tool, start, (response, limits) =>
      present(response, { hasOutputSchema, limits }),
    )
  }

  /** The same for a tool of ours. */
  callOwn(
    request: RpcRequest,
    tool: OwnTask,
    start: (options: TaskCallOptions) => Promise<CallResponse>,
  ): Promise<CallOutcome> {
    return this.#call(request, NOT_DECLARED, start, tool.present)
  }

  async #call(
    request: RpcRequest,
    tool: KnownTool,
    start: (options: TaskCallOptions) => Promise<CallResponse>,
    presented: OwnTask['present'],
  ): Promise<CallOutcome> {
    const client = this.#clientOf(request) ?? clientOf2025()
    const wish = wishOf(client, request.params)
    const { actor } = this.options.caller
    const connection = this.#connection
    const limits = this.options.reader.limitsOf(request)
    try {
      const response = await start(this.#service.callOptions(client, wish))
      const task = await this.#service.asTask(response, { client, wish, actor, connection })
      return { result: task ?? presented(response, limits), refId: response.refId }
    } catch (error) {
      return wish === 'task' ? { error: toRpcError(error) } : asOutcome(error, tool)
    }
  }

  /** The entry that a repeated call answers, if it does: then nothing is called anew. */
  answeredBy({ params }: RpcRequest): Answered | undefined {
    return this.#service.answeredBy(params?.inputResponses)
  }

  async resume(answered: Answered, request: RpcRequest, { signal }: CallContext): Promise<CallOutcome> {
    const client = this.#clientOf(request) ?? clientOf2025()
    const { actor } = this.options.caller
    try {
      const asker = { client, actor, signal, connection: this.#connection }
      return { result: await this.#service.resume(answered, asker) }
    } catch (error) {
      return { error: toRpcError(error) }
    }
  }

  /** Whether a request is about tasks, and for us to answer: about one of ours, or the server has none. */
  takes(request: RpcRequest): boolean {
    const client = this.#clientOf(request)
    if (!client || !this.#service.has(client, request.method)) return false
    const { cache, caller } = this.options
    const isOurs = request.method === 'tasks/list' || isRefOf(cache.name, request.params?.taskId)
    return isOurs || !caller.tasks.mayHave
  }

  async answer(
    { method, params = {}, ...request }: RpcRequest,
    { signal }: CallContext,
  ): Promise<CallOutcome> {
    const client = this.#clientOf({ method, params, ...request }) ?? clientOf2025()
    const { actor } = this.options.caller
    try {
      if (method === 'tasks/list' && isOfServer(params.cursor)) return await this.#listOfServer(params.cursor)
      const send = this.options.sender(request.id)
      const connection = this.#connection
      const result = await this.#service.answer(method, params, { client, actor, signal, send, connection })
      return { result: method === 'tasks/list' ? this.#withServerNext(result) : result }
    } catch (error) {
      return { error: toRpcError(error) }
    }
  }

  /** Whether a request listens to tasks of ours. */
  listens(request: RpcRequest): boolean {
    if (!protocolMeta(request.params) || !isTaskListen(request)) return false
    return taskIdsOf(request.params).some(id => isRefOf(this.options.cache.name, id))
  }

  /** Begins to listen. Gives the request for the server, where something is left for it. */
  async listen(request: RpcRequest): Promise<RpcRequest | undefined> {
    return (await this.#subscriptions.begin(request as unknown as ListenRequest)) as RpcRequest | undefined
  }

  /** Passes on the server's acknowledgement of a subscription to tasks of ours; false where a message is none. */
  acknowledges(message: RpcNotification): boolean {
    return this.#subscriptions.acknowledge(message) !== undefined
  }

  /** The subscription is over, if it is one. */
  endListening(id: RpcId): void {
    this.#subscriptions.end(id)
  }

  end(): void {
    this.#service.end()
    this.#subscriptions.endAll()
  }

  get #connection(): Connection {
    const { tell, sender, isReliable } = this.options
    return { isReliable, send: sender(), notify: (method, params) => tell(notification(method, params)) }
  }

  get #serverHasMore(): boolean {
    const { calls, caller } = this.options
    return calls.somePassBy && caller.tasks.mayHave
  }

  /** All that we do not pass by is in our own list; then comes the server's. */
  #withServerNext(page: JsonObject): JsonObject {
    const isLast = page.nextCursor === undefined && this.#serverHasMore
    return isLast ? { ...page, nextCursor: UPSTREAM_CURSOR } : page
  }

  async #listOfServer(cursor: string): Promise<CallOutcome> {
    const own = cursor.slice(UPSTREAM_CURSOR.length)
    if (!this.#serverHasMore) throw invalidParams(NO_CURSOR)
    const { upstream } = this.options.caller
    const response = await upstream.request('tasks/list', own === '' ? {} : { cursor: own })
    // It need not be able to list what it can run.
    if ('error' in response && own === '') return { result: { tasks: [] } }
    if ('error' in response) throw invalidParams(NO_CURSOR)
    const { nextCursor, ...page } = response.result
    return {
      result: typeof nextCursor === 'string' ? { ...page, nextCursor: UPSTREAM_CURSOR + nextCursor } : page,
    }
  }

  /** What the client may not know of is left out. */
  async #known(taskIds: readonly RefId[], limits: AnswerLimits) {
    const views = taskIds.map(id => this.#service.view(id, this.options.caller.actor, limits))
    const known = await Promise.allSettled(views.map(view => view.read()))
    return views.filter((_, index) => known[index]?.status === 'fulfilled')
  }

  #clientOf(request: RpcRequest): TaskClient | undefined {
    const meta = protocolMeta(request.params)
    const client = meta ? clientOf2026(meta) : this.#core
    return client && { ...client, limits: this.options.reader.limitsOf(request) }
  }
}

const NO_CURSOR = 'This is no cursor of this list. Begin again without one.'

function isOfServer(cursor: unknown): cursor is string {
  return typeof cursor === 'string' && cursor.startsWith(UPSTREAM_CURSOR)
}
