import type { Clock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'

const LIST_CHANGES = { toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }

/** How long a client that listens waits for the servers to listen to. */
const ACKNOWLEDGED_MS = 2_000

interface Listened {
  readonly wanted: string
  readonly stop: AbortController
  readonly acknowledged: Promise<void>
}

/** What one server of 2026-07-28 is listened to for: changes of its lists, and what the client follows. */
export class Listening {
  #current: Listened | undefined
  #acknowledge = () => {}

  /** @param ask sends `subscriptions/listen`; it ends when the signal aborts */
  constructor(
    private readonly ask: (notifications: JsonObject, signal: AbortSignal) => Promise<unknown>,
    private readonly clock: Clock,
  ) {}

  /** Resolves when the server has said that it will tell, or takes too long. */
  to(resourceSubscriptions: readonly string[], taskIds: readonly string[]): Promise<void> {
    const notifications: JsonObject = {
      ...LIST_CHANGES,
      ...(resourceSubscriptions.length > 0 ? { resourceSubscriptions: [...resourceSubscriptions] } : {}),
      ...(taskIds.length > 0 ? { taskIds: [...taskIds] } : {}),
    }
    const wanted = JSON.stringify(notifications)
    if (this.#current?.wanted === wanted) return this.#current.acknowledged
    const before = this.#current
    this.#current = this.#begin(wanted, notifications)
    before?.stop.abort()
    return this.#current.acknowledged
  }

  acknowledged(): void {
    this.#acknowledge()
  }

  /** The server is gone. */
  lost(): void {
    this.#current = undefined
  }

  #begin(wanted: string, notifications: JsonObject): Listened {
    const stop = new AbortController()
    const acknowledged = new Promise<void>(resolve => {
      this.#acknowledge = resolve
      this.clock.schedule(ACKNOWLEDGED_MS, resolve, 'background')
      const over = () => resolve()
      this.ask(notifications, stop.signal).then(over, over)
    })
    return { wanted, stop, acknowledged }
  }
}
