import type { Following } from '../agent/tasks/follow.ts'
import { infoOf, type SeenTask } from '../agent/tasks/read.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { isRefOf, type RefId } from '../core/ref.ts'
import { IdMap } from './id-map.ts'
import {
  failure,
  metaOf,
  notification,
  protocolMeta,
  type RpcError,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
} from './rpc.ts'

type Subscription = typeof import('../agent/tasks/subscription.ts')

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'

export interface TaskListensOptions {
  readonly cacheName: string
  seen(refId: RefId): SeenTask
  send(message: RpcMessage, relatedTo: RpcId): void
}

/**
 * Clients of 2026-07-28 that listen to tasks of ours (`subscriptions/listen`). What else such a subscription asks for is
 * the server's, which never hears of our tasks.
 */
export class TaskListens {
  /** Subscriptions that the server has not acknowledged yet, with their tasks. */
  readonly #waiting = new IdMap<readonly SeenTask[]>()
  readonly #active = new IdMap<Following>()
  /** Loaded when the first client listens: it brings the SDK along, which takes longer to load than all else here. */
  #subscription: Subscription | undefined

  constructor(private readonly options: TaskListensOptions) {}

  /** Whether a request names tasks of ours. */
  takes({ method, params }: RpcRequest): boolean {
    if (method !== 'subscriptions/listen' || !protocolMeta(params)) return false
    return taskIdsOf(params).some(id => this.#isOurs(id))
  }

  /** Begins to listen. Gives the request for the server, where something is left for it. */
  async begin(request: RpcRequest): Promise<RpcRequest | undefined> {
    const { id, params = {} } = request
    this.#waiting.set(id, [])
    this.#subscription ??= await import('../agent/tasks/subscription.ts')
    const refusal = this.#subscription.refusalOf(request as never)
    if (refusal) {
      this.#waiting.delete(id)
      this.options.send(failure(id, refusal as RpcError), id)
      return undefined
    }
    const tasks = await this.#readable(taskIdsOf(params))
    // Cancelled in the meantime: as if it had never been there.
    if (!this.#waiting.has(id)) return undefined
    this.#waiting.set(id, tasks)
    const rest = this.#rest(params)
    if (Object.keys(rest).length > 0) return { ...request, params: { ...params, notifications: rest } }
    this.#acknowledge(notification(ACKNOWLEDGED, { _meta: { [SUBSCRIPTION_ID]: id }, notifications: {} }))
    return undefined
  }

  /** Passes on the acknowledgement of a subscription with tasks of ours; false where a message is none. */
  acknowledges(message: RpcNotification): boolean {
    const waits = message.method === ACKNOWLEDGED && this.#waiting.has(subscriptionOf(message))
    if (waits) this.#acknowledge(message)
    return waits
  }

  #acknowledge(message: RpcNotification): void {
    const id = subscriptionOf(message)
    const tasks = this.#waiting.get(id) ?? []
    this.#waiting.delete(id)
    this.options.send(withTasks(message, tasks), id)
    const following = this.#subscription?.notifyOf(tasks, id, told => {
      this.options.send(told as RpcNotification, id)
    })
    if (following) this.#active.set(id, following)
  }

  /** The subscription is over, if it is one. */
  end(id: RpcId): void {
    this.#waiting.delete(id)
    this.#active.get(id)?.end()
    this.#active.delete(id)
  }

  endAll(): void {
    for (const id of [...this.#waiting.ids(), ...this.#active.ids()]) this.end(id)
  }

  /** What the client may not know of is left out of the acknowledgement. */
  async #readable(taskIds: readonly string[]): Promise<SeenTask[]> {
    const ours = [...new Set(taskIds)].filter(id => this.#isOurs(id)).map(id => this.options.seen(id))
    const known = await Promise.all(
      ours.map(task =>
        infoOf(task).then(
          () => true,
          () => false,
        ),
      ),
    )
    return ours.filter((_, index) => known[index])
  }

  /** What of the subscription is for the server. */
  #rest(params: JsonObject): JsonObject {
    const { taskIds: _, ...rest } = objectAt(params, 'notifications')
    const others = taskIdsOf(params).filter(id => !this.#isOurs(id))
    return others.length === 0 ? rest : { ...rest, taskIds: others }
  }

  #isOurs(taskId: string): boolean {
    return isRefOf(this.options.cacheName, taskId)
  }
}

/** The server's acknowledgement, with our tasks beside its own. */
function withTasks(message: RpcNotification, tasks: readonly SeenTask[]): RpcNotification {
  if (tasks.length === 0) return message
  const { params = {} } = message
  const taskIds = [...taskIdsOf(params), ...tasks.map(({ refId }) => refId)]
  return {
    ...message,
    params: { ...params, notifications: { ...objectAt(params, 'notifications'), taskIds } },
  }
}

function taskIdsOf(params: JsonObject | undefined): string[] {
  const { taskIds } = objectAt(params, 'notifications')
  return Array.isArray(taskIds) ? taskIds.filter(id => typeof id === 'string') : []
}

function subscriptionOf({ params }: RpcNotification): RpcId {
  return metaOf(params)[SUBSCRIPTION_ID] as RpcId
}

function objectAt(value: JsonObject | undefined, name: string): JsonObject {
  const found = value?.[name]
  return isJsonObject(found) ? found : {}
}
