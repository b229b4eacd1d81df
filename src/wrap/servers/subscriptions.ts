import { IdMap } from '../../agent/id-map.ts'
import { SUBSCRIPTION_ID } from '../../agent/tasks/subscriptions.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { notification, type RpcId, type RpcNotification, type RpcRequest } from '../rpc.ts'
import { honoredOf, isAbout } from '../stateless/revision-2025.ts'

/** All that a client can be told of: servers that cannot say so do not. */
const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
}

/** What the client of 2026-07-28 listens to (`subscriptions/listen`), whichever servers say it. */
export class Subscriptions {
  readonly #open = new IdMap<JsonObject>()

  /** Gives the acknowledgement. */
  begin({ id, params = {} }: RpcRequest): RpcNotification {
    const taskIds = textsIn(isJsonObject(params.notifications) ? params.notifications.taskIds : undefined)
    const honored = {
      ...honoredOf(params.notifications, CAPABILITIES),
      ...(taskIds.length > 0 ? { taskIds } : {}),
    }
    this.#open.set(id, honored)
    const _meta = { [SUBSCRIPTION_ID]: id }
    return notification('notifications/subscriptions/acknowledged', { _meta, notifications: honored })
  }

  has(id: RpcId): boolean {
    return this.#open.has(id)
  }

  /** False where there is none of that id. */
  end(id: RpcId): boolean {
    return this.#open.delete(id)
  }

  /** The resources that are listened to, as the client calls them. */
  get uris(): string[] {
    return this.#open.values().flatMap(({ resourceSubscriptions }) => textsIn(resourceSubscriptions))
  }

  get taskIds(): string[] {
    return this.#open.values().flatMap(({ taskIds }) => textsIn(taskIds))
  }

  /** A notification, once for each subscription that is about it. */
  about({ method, params = {} }: RpcNotification): RpcNotification[] {
    return this.#open.ids().flatMap(id => {
      const honored = this.#open.get(id) ?? {}
      const isOfTask =
        method === 'notifications/tasks' && textsIn(honored.taskIds).includes(String(params.taskId))
      if (!isOfTask && !isAbout(honored, method, params)) return []
      return [notification(method, { ...params, _meta: { [SUBSCRIPTION_ID]: id } })]
    })
  }
}

function textsIn(list: JsonValue | undefined): string[] {
  return Array.isArray(list) ? list.filter(one => typeof one === 'string') : []
}
