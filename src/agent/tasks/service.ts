import type { Actor } from '../../access/actor.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import type { JsonObject } from '../../core/json.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { CallOptions } from '../../flow/call/options.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { TaskClient, Wish } from './client.ts'
import type { TaskRequest } from './codec.ts'
import { methodNotFound, tasksNotDeclared } from './errors.ts'
import { type Following, followTask } from './follow.ts'
import { ResultWaits } from './questions.ts'
import { revision2025, toCoreTask } from './revision-2025.ts'
import { revision2026 } from './revision-2026.ts'
import { type Present, toTask } from './task.ts'
import { TaskView } from './view.ts'

export interface TaskServiceOptions {
  /** How long a call that can become a task is waited for, so that quick ones cost no poll. @defaultValue '500ms' */
  readonly grace?: Duration | undefined
  /** How the answer of a tool call is written. @defaultValue as `get_cached_result` answers */
  readonly present?: Present
  /** Whether the tasks of a tool stand in lists. @defaultValue all do */
  readonly lists?: (toolName: string | undefined) => boolean
}

/** What a call says for itself of which a task may become. */
export type TaskCallOptions = Pick<CallOptions, 'asyncTimeout' | 'interactive' | 'ownEntry'>

/** A message to the client that belongs to no request. An error ends what it is about. */
export type Notify = (method: string, params: JsonObject) => Promise<void> | void

/** Whose task a call became, and how the client hears of it. */
export interface NewTask {
  readonly client: TaskClient
  readonly wish: Wish
  readonly actor: Actor
  /** Absent: the connection does not outlast the request. */
  readonly notify?: Notify | undefined
}

/** Who asks about a task. */
export interface TaskAsker extends Omit<TaskRequest, 'params' | 'waits'> {
  readonly client: TaskClient
  readonly actor: Actor
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
  readonly #waits = new ResultWaits()
  readonly #followings = new Set<Following>()

  constructor(
    private readonly cache: RefCache,
    private readonly options: TaskServiceOptions = {},
  ) {
    this.#grace = toMilliseconds(options.grace ?? '500ms', 'taskGrace')
  }

  view(refId: RefId, actor: Actor): TaskView {
    return new TaskView(this.cache, refId, actor, this.options.present)
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
    { client, wish, actor, notify }: NewTask,
  ): Promise<JsonObject | undefined> {
    const runs = response.status === 'pending' || response.status === 'processing'
    if (wish === 'answer' || (wish === 'any' && !runs)) return undefined
    const view = this.view(response.refId, actor)
    const created = client.codec.created(await view.read())
    // A client of the extension listens by a subscription of its own.
    if (notify && wish === 'task') this.#tellStatus(view, client, notify)
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
    const { client, actor, signal, send } = asker
    if (!client.followsTasks) throw tasksNotDeclared()
    const { methods, hasList } = client.codec
    if (hasList && method === 'tasks/list') return this.#list(params, actor)
    const answer = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (!answer) throw methodNotFound('Method not found')
    return answer(this.view(params.taskId as RefId, actor), { params, signal, send, waits: this.#waits })
  }

  /** Nobody is told of anything any more. */
  end(): void {
    for (const following of this.#followings) following.end()
  }

  async #list({ cursor }: JsonObject, actor: Actor): Promise<JsonObject> {
    const { lists = () => true } = this.options
    const page = await this.cache.listTasks({ actor, cursor: cursor as string | undefined })
    const tasks = page.tasks.filter(({ toolName }) => lists(toolName)).map(info => toCoreTask(toTask(info)))
    return { tasks, ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }) }
  }

  /** After the answer that says which task this is. */
  #tellStatus(view: TaskView, { codec }: TaskClient, notify: Notify): void {
    setImmediate(() => {
      const following = followTask(view, codec.read, task => notify(codec.notification, codec.encode(task)))
      this.#followings.add(following)
      void following.over.then(() => this.#followings.delete(following))
    })
  }
}
