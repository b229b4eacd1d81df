import { declaresExtension, questionsFor } from '../agent/tasks/capabilities.ts'
import { tasksNotDeclared, toRpcError } from '../agent/tasks/errors.ts'
import { type Following, followTask } from '../agent/tasks/follow.ts'
import { toCoreTask, toExtensionTask } from '../agent/tasks/project.ts'
import { infoOf, type SeenTask } from '../agent/tasks/read.ts'
import { NotFound } from '../core/errors.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { isRefOf, type RefId } from '../core/ref.ts'
import type { CallResponse } from '../core/response.ts'
import type { RefCache } from '../ref-cache.ts'
import { asOutcome, type CallOutcome } from './call-outcome.ts'
import { CORE_REVISION } from './introduction.ts'
import { present } from './present.ts'
import {
  clientCapabilitiesOf,
  notification,
  protocolMeta,
  type RpcId,
  type RpcMessage,
  type RpcRequest,
} from './rpc.ts'
import { answerCore, answerExtension } from './task-answers.ts'
import { TaskListens } from './task-listens.ts'
import type { CallContext, Caller, TaskOptions, ToolCalls } from './tool-calls.ts'
import type { KnownTool } from './tool-catalog.ts'

/** How long a call waits for its result before it becomes a task of 2026-07-28: quick work costs no poll. */
const GRACE_MS = 500

/** What may become of a call: a task because the client asked for one, or because it follows tasks in general. */
export type Wish = 'task' | 'any' | 'answer'

const METHODS = {
  '2025-11-25': ['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel'],
  '2026-07-28': ['tasks/get', 'tasks/update', 'tasks/cancel'],
} as const

type Revision = keyof typeof METHODS

/** Where a list of ours is at its end, the server's own begins; what follows in a cursor is the server's. */
const UPSTREAM_CURSOR = 'server:'

export interface ClientTasksOptions {
  readonly cache: RefCache
  readonly caller: Caller
  readonly calls: ToolCalls
  tell(message: RpcMessage, relatedTo?: RpcId): void
}

/** The tasks of MCP that one client is offered, whatever the wrapped server has: each is an entry of the cache. */
export class ClientTasks {
  /** Whether client and server agreed on 2025-11-25. The later revision says so with each request. */
  #core = false
  readonly #followings = new Set<Following>()

  readonly listens: TaskListens

  constructor(private readonly options: ClientTasksOptions) {
    this.listens = new TaskListens({
      cacheName: options.cache.name,
      seen: refId => this.#seen(refId),
      send: (message, relatedTo) => options.tell(message, relatedTo),
    })
  }

  /** The server has introduced itself, as the client will hear it or not. */
  introduced({ method }: RpcRequest, value: JsonObject): void {
    this.options.caller.tasks.learn(value)
    if (method === 'initialize') this.#core = value.protocolVersion === CORE_REVISION
  }

  /** Whether the client of a request may call tools as tasks of 2025-11-25. */
  isCore(request: RpcRequest): boolean {
    return this.#revisionOf(request) === '2025-11-25'
  }

  wishOf(request: RpcRequest): Wish {
    const { params } = request
    if (this.isCore(request)) return isJsonObject(params?.task) ? 'task' : 'answer'
    return declaresExtension(clientCapabilitiesOf(params)) ? 'any' : 'answer'
  }

  /** Answers a call of which a task may become; `start` makes the call. */
  async call(
    request: RpcRequest,
    tool: KnownTool,
    start: (options: TaskOptions) => Promise<CallResponse>,
  ): Promise<CallOutcome> {
    const demanded = this.wishOf(request) === 'task'
    const interactive = demanded ? false : questionsFor(clientCapabilitiesOf(request.params))
    try {
      const response = await start({ asyncTimeout: demanded ? 0 : GRACE_MS, interactive })
      return { result: await this.#asTask(response, demanded) }
    } catch (error) {
      if (demanded) return { error: toRpcError(error) }
      return asOutcome(error, tool)
    }
  }

  async #asTask(response: CallResponse, demanded: boolean): Promise<JsonObject> {
    const runs = response.status === 'pending' || response.status === 'processing'
    if (!demanded && !runs) return present(response) as JsonObject
    const task = this.#seen(response.refId)
    const info = await infoOf(task)
    // A task begins as `working`, whatever became of it since; what it waits for or ended with is for `tasks/get`.
    if (!demanded) return { resultType: 'task', ...toExtensionTask(info), status: 'working' }
    this.#tellStatus(task)
    return { task: { ...toCoreTask(info), status: 'working' }, content: [] }
  }

  /** After the answer that says which task this is. */
  #tellStatus(task: SeenTask): void {
    setImmediate(() => {
      const following = followTask(task, info =>
        this.options.tell(notification('notifications/tasks/status', toCoreTask(info) as JsonObject)),
      )
      this.#followings.add(following)
      void following.over.then(() => this.#followings.delete(following))
    })
  }

  /** Whether a request is about tasks, and for us to answer: about one of ours, or the server has none. */
  takes(request: RpcRequest): boolean {
    const revision = this.#revisionOf(request)
    const methods: readonly string[] = revision ? METHODS[revision] : []
    if (!methods.includes(request.method)) return false
    const { cache, caller } = this.options
    return (
      request.method === 'tasks/list' || isRefOf(cache.name, request.params?.taskId) || !caller.tasks.mayHave
    )
  }

  async answer(request: RpcRequest, { signal }: CallContext): Promise<CallOutcome> {
    const { params = {} } = request
    if (!this.isCore(request) && !declaresExtension(clientCapabilitiesOf(params))) {
      return { error: toRpcError(tasksNotDeclared()) }
    }
    try {
      if (request.method === 'tasks/list') return await this.#list(params.cursor as string | undefined)
      if (!isRefOf(this.options.cache.name, params.taskId)) throw new NotFound()
      const task = this.#seen(params.taskId)
      const result = this.isCore(request)
        ? await answerCore(request.method, task, signal)
        : await answerExtension(request.method, task, params)
      return { result: result as JsonObject }
    } catch (error) {
      return { error: toRpcError(error) }
    }
  }

  end(): void {
    for (const following of this.#followings) following.end()
    this.listens.endAll()
  }

  async #list(cursor: string | undefined): Promise<CallOutcome> {
    const { cache, caller, calls } = this.options
    if (cursor?.startsWith(UPSTREAM_CURSOR)) return this.#listOfServer(cursor.slice(UPSTREAM_CURSOR.length))
    const page = await cache.listTasks({ actor: caller.actor, cursor })
    const tasks = page.tasks.filter(({ toolName }) => calls.isOwn(toolName)).map(toCoreTask)
    // All that we do not pass by is in our own list.
    const end = calls.somePassBy && caller.tasks.mayHave ? UPSTREAM_CURSOR : undefined
    const nextCursor = page.nextCursor ?? end
    return { result: { tasks: tasks as JsonObject[], ...(nextCursor === undefined ? {} : { nextCursor }) } }
  }

  async #listOfServer(cursor: string): Promise<CallOutcome> {
    const { upstream } = this.options.caller
    const response = await upstream.request('tasks/list', cursor === '' ? {} : { cursor })
    // It need not be able to list what it can run.
    if ('error' in response) return { result: { tasks: [] } }
    const { nextCursor, ...page } = response.result
    return {
      result: typeof nextCursor === 'string' ? { ...page, nextCursor: UPSTREAM_CURSOR + nextCursor } : page,
    }
  }

  #seen(refId: RefId): SeenTask {
    const { cache, caller } = this.options
    const { actor } = caller
    return { cache, refId, actor, present: async response => present(response) }
  }

  #revisionOf({ params }: RpcRequest): Revision | undefined {
    if (protocolMeta(params)) return '2026-07-28'
    return this.#core ? '2025-11-25' : undefined
  }
}
