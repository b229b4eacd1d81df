import type { Actor } from '../../access/actor.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import { ProtocolFailure } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import { isRefOf, type RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { CallOptions } from '../../flow/call/options.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { TaskClient, Wish } from './client.ts'
import type { TaskRequest } from './codec.ts'
import { methodNotFound, tasksNotDeclared } from './errors.ts'
import { type Following, firstNews, followTask } from './follow.ts'
import { Askers, type Connection, ConnectionQuestions } from './questions.ts'
import { revision2025, toCoreTask } from './revision-2025.ts'
import { revision2026 } from './revision-2026.ts'
import { type Answered, answeredIn } from './round-trip.ts'
import { isSettled, type Present, type TaskWithResult, toTask } from './task.ts'
import { TaskView } from './view.ts'

export interface TaskServiceOptions {
  /** How long a call that can become a task is waited for, so that quick ones cost no poll. @defaultValue '500ms' */
  readonly grace?: Duration | undefined
  /** How the answer of a tool call is written. @defaultValue as `get_cached_result` answers */
  readonly present?: Present
  /** Calls our own tools in a text by the names that they have here. @defaultValue they have their own */
  readonly nameTools?: (text: string) => string
  /** Whether the tasks of a tool stand in lists, with the questions about what it made. @defaultValue all do */
  readonly lists?: (toolName: string | undefined) => boolean
}

/** What a call says for itself of which a task may become. */
export type TaskCallOptions = Pick<CallOptions, 'asyncTimeout' | 'interactive' | 'ownEntry'>

/** Whose task a call became, and how the client hears of it. */
export interface NewTask {
  readonly client: TaskClient
  readonly wish: Wish
  readonly actor: Actor
  /** Absent: it does not outlast the request. */
  readonly connection?: Connection | undefined
}

/** Who asks about a task. */
export interface TaskAsker extends Omit<TaskRequest, 'params' | 'askers'> {
  readonly client: TaskClient
  readonly actor: Actor
  /** Absent: it does not outlast the request. */
  readonly connection?: Connection | undefined
}

function resultOf({ rpcError, result = { content: [] } }: TaskWithResult): JsonObject {
  if (rpcError) throw new ProtocolFailure(rpcError.message, rpcError)
  return { resultType: 'complete', ...result } as JsonObject
}

/** The requests about tasks, of all revisions. */
export const TASK_METHODS = [
  ...new Set([...Object.keys(revision2025.methods), ...Object.keys(revision2026.methods), 'tasks/list']),
]

/**
 * Entries of the cache as tasks of MCP, for the clients of one connection: which calls become tasks, and the answers to
 * requests about them. It knows no transport; adapters bring it requests, and carry what it answers.
 */
export class TaskService {
  readonly #grace: number
  readonly #askers = new Askers()
  /** The tasks that a client is told of unasked. */
  readonly #followings = new Map<RefId, Following>()
  #ended = false

  constructor(
    private readonly cache: RefCache,
    private readonly options: TaskServiceOptions = {},
  ) {
    this.#grace = toMilliseconds(options.grace ?? '500ms', 'taskGrace')
  }

  view(refId: RefId, actor: Actor, limits?: AnswerLimits): TaskView {
    return new TaskView(this.cache, refId, actor, this.options.present, limits)
  }

  /** How a call goes through the cache of which a task may become. */
  callOptions({ canBeAsked }: TaskClient, wish: Wish): TaskCallOptions {
    return {
      asyncTimeout: wish === 'task' ? 0 : this.#grace,
      interactive: canBeAsked ?? false,
      ownEntry: wish === 'task' ? 'always' : 'if-slow',
    }
  }

  /** The answer to a call that became a task; nothing where it is to be answered as any other call. */
  async asTask(
    response: CallResponse,
    { client, wish, actor, connection }: NewTask,
  ): Promise<JsonObject | undefined> {
    const runs = response.status === 'pending' || response.status === 'processing'
    if (wish === 'answer' || (wish === 'any' && !runs)) return undefined
    const view = this.view(response.refId, actor, client.limits)
    const asked = wish === 'any' ? client.codec.inputRequired?.(await view.peek()) : undefined
    return asked ?? this.#created(view, client, connection)
  }

  /** The entry that a repeated call answers, if it does. */
  answeredBy(inputResponses: unknown): Answered | undefined {
    return answeredIn(inputResponses, refId => isRefOf(this.cache.name, refId))
  }

  /**
   * Answers a call that was made again with the answers to its questions: with its result, with further questions, or with the task that
   * it becomes now.
   * @throws ProtocolFailure, RefCacheError: what `toRpcError` makes an error of JSON-RPC of
   */
  async resume(
    { refId, answers }: Answered,
    { client, actor, signal, connection }: TaskAsker,
  ): Promise<JsonObject> {
    const view = this.view(refId, actor, client.limits)
    await view.respond(answers)
    const task = await firstNews(view, this.#grace, signal)
    // Nobody else was given it.
    if (signal.aborted) await view.cancel()
    if (isSettled(task)) return resultOf(await view.readWithResult())
    return client.codec.inputRequired?.(task) ?? this.#created(view, client, connection)
  }

  async #created(
    view: TaskView,
    client: TaskClient,
    connection: Connection | undefined,
  ): Promise<JsonObject> {
    const { nameTools = text => text } = this.options
    const created = client.codec.created(await view.read(), { nameTools })
    // After the answer that says which task this is.
    if (connection) setImmediate(() => this.#attend(view, client, connection))
    return created
  }

  /** Whether the revision has that request. */
  has({ codec }: TaskClient, method: string): boolean {
    return Object.hasOwn(codec.methods, method) || (codec.hasList && method === 'tasks/list')
  }

  /**
   * Answers a request about tasks.
   * @throws ProtocolFailure, RefCacheError: what `toRpcError` makes an error of JSON-RPC of
   */
  async answer(method: string, params: JsonObject, asker: TaskAsker): Promise<JsonObject> {
    const { client, actor, signal, send, connection } = asker
    if (!client.followsTasks) throw tasksNotDeclared()
    const { methods, hasList } = client.codec
    if (hasList && method === 'tasks/list') return this.#list(params, actor)
    const answer = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (!answer) throw methodNotFound('Method not found')
    const view = this.view(params.taskId as RefId, actor, client.limits)
    const answered = await answer(view, { params, signal, send, askers: this.#askers })
    // It may have begun on an earlier connection.
    if (connection && answered.status === 'input_required') this.#attend(view, client, connection)
    return answered
  }

  /** The connection is over: nobody is told of anything any more. */
  end(): void {
    this.#ended = true
    for (const following of this.#followings.values()) following.end()
  }

  async #list({ cursor }: JsonObject, actor: Actor): Promise<JsonObject> {
    const { lists = () => true } = this.options
    const page = await this.cache.listTasks({ actor, cursor: cursor as string | undefined })
    const listed = page.tasks.filter(({ toolName, origin }) => lists(origin ?? toolName))
    const tasks = listed.map(info => toCoreTask(toTask(info)))
    return { tasks, ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }) }
  }

  /** Tells the client of a task unasked, and asks it what the task asks. A client of the extension listens by a subscription instead. */
  #attend(view: TaskView, { codec }: TaskClient, connection: Connection): void {
    const { refId } = view
    if (!codec.tellsUnasked || this.#ended || this.#followings.has(refId)) return
    const questions = connection.send && new ConnectionQuestions(view, connection, this.#askers)
    const following = followTask(view, codec.read, async task => {
      questions?.update(task)
      await connection.notify(codec.notification, codec.encode(task))
    })
    this.#followings.set(refId, following)
    void following.over.then(() => {
      questions?.end()
      this.#followings.delete(refId)
    })
  }
}
