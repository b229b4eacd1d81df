import type { Clock } from '../../core/clock.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { IdMap, type RpcId } from '../id-map.ts'
import { capabilitiesIn, declaresExtension } from './capabilities.ts'
import { invalidParams, type RpcError, tasksNotDeclared, toRpcError } from './errors.ts'
import { type Following, followTask } from './follow.ts'
import { revision2026 } from './revision-2026.ts'
import type { TaskView } from './view.ts'

/**
 * Notifications of tasks on `subscriptions/listen` (2026-07-28). Another server serves the rest of such a subscription (the
 * SDK, or the wrapped server), and never hears of our tasks in it.
 */

/** Where a notification says to which subscription it belongs. */
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'

/** Whoever wants to know of more tasks than that asks twice. */
const MAX_TASKS = 100

/** A message of JSON-RPC, as far as it matters here. */
export interface WireMessage {
  readonly jsonrpc: '2.0'
  readonly id?: RpcId
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly result?: unknown
  readonly error?: RpcError
}

/** A `subscriptions/listen` that names tasks. */
export interface ListenRequest extends WireMessage {
  readonly id: RpcId
  readonly params: {
    readonly _meta?: Readonly<Record<string, unknown>>
    readonly notifications: { readonly taskIds: unknown }
  }
}

export function isTaskListen(message: unknown): message is ListenRequest {
  const { method, id, params } = (message ?? {}) as Partial<ListenRequest>
  if (method !== 'subscriptions/listen' || id === undefined) return false
  return params?.notifications?.taskIds !== undefined
}

/** The request as the other server may see it: without these tasks, or without any. */
export function withoutTasks(
  { params, ...request }: ListenRequest,
  left: readonly string[] = [],
): WireMessage {
  const { taskIds: _, ...rest } = params.notifications
  const notifications = left.length === 0 ? rest : { ...rest, taskIds: left }
  return { ...request, params: { ...params, notifications } }
}

/** Why a request cannot be served, if so. */
export function refusalOf({ params }: ListenRequest): RpcError | undefined {
  const { taskIds } = params.notifications
  if (!declaresExtension(capabilitiesIn(params._meta))) return toRpcError(tasksNotDeclared())
  const valid = Array.isArray(taskIds) && taskIds.every(id => typeof id === 'string')
  if (valid && taskIds.length <= MAX_TASKS) return undefined
  return toRpcError(invalidParams(`taskIds is a list of at most ${MAX_TASKS} strings.`))
}

/** The tasks that a request names, each once. */
export function taskIdsOf(params: WireMessage['params']): string[] {
  const { taskIds } = objectIn(params, 'notifications')
  return Array.isArray(taskIds) ? [...new Set(taskIds.filter(id => typeof id === 'string'))] : []
}

/** The subscription that a message acknowledges; nothing for any other message. */
export function acknowledgedBy({ method, params }: WireMessage): RpcId | undefined {
  if (method !== ACKNOWLEDGED) return undefined
  return objectIn(params, '_meta')[SUBSCRIPTION_ID] as RpcId | undefined
}

/** The acknowledgement, with our tasks beside those of the other server. */
export function withTasks(acknowledgement: WireMessage, views: readonly TaskView[]): WireMessage {
  if (views.length === 0) return acknowledgement
  const { params } = acknowledgement
  const taskIds = [...taskIdsOf(params), ...views.map(({ refId }) => refId)]
  const notifications = { ...objectIn(params, 'notifications'), taskIds }
  return { ...acknowledgement, params: { ...params, notifications } }
}

/** Whether an acknowledgement of the other server leaves nothing for it to tell. */
export function isEmptyAcknowledgement({ params }: WireMessage): boolean {
  return Object.keys(objectIn(params, 'notifications')).length === 0
}

/** Sends a notification for each change of the tasks, and for how they stand at the beginning. */
export function notifyOf(
  views: readonly TaskView[],
  subscription: RpcId,
  send: (message: WireMessage) => Promise<void> | void,
  clock?: Clock,
): Following {
  const { read, encode, notification } = revision2026
  const followings = views.map(view =>
    followTask(
      view,
      read,
      async task => {
        const params = { ...encode(task), _meta: { [SUBSCRIPTION_ID]: subscription } }
        await send({ jsonrpc: '2.0', method: notification, params })
      },
      clock,
    ),
  )
  return {
    over: Promise.all(followings.map(({ over }) => over)).then(() => {}),
    end() {
      for (const following of followings) following.end()
    },
  }
}

/** One connection, as its subscriptions need it. */
export interface SubscriptionHost {
  /** Whether a task is ours; the others are for the other server. @defaultValue all are ours */
  isOurs?(taskId: string): boolean
  /** Those of our tasks that the client may follow. */
  find(request: ListenRequest, taskIds: readonly string[]): Promise<readonly TaskView[]>
  send(message: WireMessage, subscription: RpcId): Promise<void> | void
  /** The other server leaves a subscription to us in which nothing is left for it. */
  readonly acknowledgesAlone: boolean
  /** There is nothing more to tell in a subscription that is about our tasks alone. */
  onOver?(subscription: RpcId): Promise<void> | void
}

/** The subscriptions to our tasks of one connection on which messages pass one after the other. */
export class TaskSubscriptions {
  /** Not acknowledged yet, with their tasks. */
  readonly #waiting = new IdMap<readonly TaskView[]>()
  readonly #active = new IdMap<Pick<Following, 'end'>>()

  constructor(private readonly host: SubscriptionHost) {}

  /** Begins to listen. Gives the request for the other server, where something is left for it. */
  async begin(request: ListenRequest): Promise<WireMessage | undefined> {
    const { id } = request
    const refusal = refusalOf(request)
    if (refusal) {
      await this.host.send({ jsonrpc: '2.0', id, error: refusal }, id)
      return undefined
    }
    this.#waiting.set(id, [])
    const [ours, others] = this.#divided(taskIdsOf(request.params))
    const views = await this.host.find(request, ours)
    // Cancelled in the meantime: as if it had never been there.
    if (!this.#waiting.has(id)) return undefined
    this.#waiting.set(id, views)
    const rest = withoutTasks(request, others)
    if (!this.host.acknowledgesAlone || !isEmptyAcknowledgement(rest)) return rest
    const params = { _meta: { [SUBSCRIPTION_ID]: id }, notifications: {} }
    await this.acknowledge({ jsonrpc: '2.0', method: ACKNOWLEDGED, params })
    return undefined
  }

  /** Passes on the acknowledgement of a subscription to our tasks; nothing where a message is none. */
  acknowledge(message: WireMessage): Promise<void> | undefined {
    const id = acknowledgedBy(message)
    const views = id === undefined ? undefined : this.#waiting.get(id)
    if (id === undefined || !views) return undefined
    this.#waiting.delete(id)
    return this.#follow(id, views, message)
  }

  async #follow(id: RpcId, views: readonly TaskView[], acknowledgement: WireMessage): Promise<void> {
    const beginning = { end() {} }
    this.#active.set(id, beginning)
    await this.host.send(withTasks(acknowledgement, views), id)
    // Cancelled while that was being written.
    if (this.#active.get(id) !== beginning) return
    const following = notifyOf(views, id, message => this.host.send(message, id))
    this.#active.set(id, following)
    const isAlone = isEmptyAcknowledgement(acknowledgement)
    void following.over.then(() => {
      if (this.#active.get(id) !== following) return
      this.#active.delete(id)
      if (isAlone) return this.host.onOver?.(id)
    })
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

  #divided(taskIds: readonly string[]): [ours: string[], others: string[]] {
    const isOurs = (id: string) => this.host.isOurs?.(id) ?? true
    return [taskIds.filter(isOurs), taskIds.filter(id => !isOurs(id))]
  }
}

function objectIn(value: object | undefined, name: string): JsonObject {
  const found = (value as JsonObject | undefined)?.[name]
  return isJsonObject(found) ? found : {}
}
