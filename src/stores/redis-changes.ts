import { systemClock } from '../core/clock.ts'
import type { RefId } from '../core/ref.ts'
import type { Connection } from './redis-client.ts'
import { channelOf, refIdOfChannel } from './redis-keys.ts'
import type { OnChange } from './store.ts'
import { Watchers } from './watchers.ts'

/** Too short to notice, and long enough for a watch that ends at once to cost the server nothing. */
const SETTLE_MS = 5

/**
 * Tells watchers what Redis publishes. Each watched entry has a channel of its own, so that a process hears of
 * what it watches and of nothing else, however many there are. Where the subscription is not in force (the
 * connection is away, or the user may not subscribe), watchers are told every `pollMs` that the entry may have changed.
 */
export class RedisChanges {
  readonly #open: () => Promise<Connection>
  readonly #prefix: string
  readonly #pollMs: number
  readonly #watchers = new Watchers()
  /** How many watch which entry. */
  readonly #watched = new Map<RefId, number>()
  /** What was asked for and not taken back; the client asks for it again when it reconnects. */
  readonly #asked = new Set<RefId>()
  /** What is subscribed for certain. */
  readonly #heard = new Set<RefId>()
  /** Entries for which watched, asked and heard may not agree. */
  readonly #unsettled = new Set<RefId>()
  #connection: Connection | undefined
  #opening: Promise<void> | undefined
  #settling = false
  #cancelSettle: (() => void) | undefined
  #cancelPoll: (() => void) | undefined
  #closed = false

  /** @param open gives a connection for subscriptions alone. */
  constructor(open: () => Promise<Connection>, prefix: string, pollMs: number) {
    this.#open = open
    this.#prefix = prefix
    this.#pollMs = pollMs
  }

  watch(refId: RefId, onChange: OnChange): () => void {
    if (this.#closed) return () => {}
    const end = this.#watchers.add(refId, onChange)
    this.#watched.set(refId, (this.#watched.get(refId) ?? 0) + 1)
    this.#unsettle(refId)
    this.#connect()
    this.#poll()
    let ended = false
    return () => {
      end()
      if (!ended) this.#unwatch(refId)
      ended = true
    }
  }

  /** Tells of a change that this process made itself. */
  notify(refId: RefId, version?: number): void {
    this.#watchers.notify(refId, version)
  }

  close(): void {
    this.#closed = true
    this.#cancelPoll?.()
    this.#cancelSettle?.()
    this.#connection?.destroy()
    this.#watchers.notifyAll()
  }

  #unwatch(refId: RefId): void {
    const count = (this.#watched.get(refId) ?? 0) - 1
    if (count > 0) this.#watched.set(refId, count)
    else this.#watched.delete(refId)
    this.#unsettle(refId)
  }

  #connect(): void {
    this.#opening ??= this.#open().then(
      connection => this.#use(connection),
      () => {
        this.#opening = undefined
      },
    )
  }

  #use(connection: Connection): void {
    connection.observe({
      onReady: () => this.#scheduleSettle(),
      onDown: () => {
        this.#heard.clear()
        for (const refId of [...this.#watched.keys(), ...this.#asked]) this.#unsettled.add(refId)
      },
      onMessage: (channel, message) => this.#watchers.notify(refIdOfChannel(channel), versionIn(message)),
    })
    if (this.#closed) {
      connection.destroy()
      return
    }
    this.#connection = connection
    connection.open()
    // It may be ready since before anybody observed it.
    this.#scheduleSettle()
  }

  #unsettle(refId: RefId): void {
    this.#unsettled.add(refId)
    this.#scheduleSettle()
  }

  #scheduleSettle(): void {
    if (!this.#closed) {
      this.#cancelSettle ??= systemClock.schedule(SETTLE_MS, () => void this.#settle(), 'background')
    }
  }

  /** Asks for what is watched, and takes back what no longer is; one round at a time. */
  async #settle(): Promise<void> {
    this.#cancelSettle = undefined
    if (this.#settling || !this.#connection?.isReady()) return
    const refIds = [...this.#unsettled]
    this.#unsettled.clear()
    this.#settling = true
    try {
      await this.#unsubscribe(this.#connection, refIds)
      await this.#subscribe(this.#connection, refIds)
    } catch {
      // The next poll tells these watchers, and unsettles them again.
    }
    this.#settling = false
    if (this.#unsettled.size > 0) this.#scheduleSettle()
  }

  async #unsubscribe(connection: Connection, refIds: readonly RefId[]): Promise<void> {
    const unwatched = refIds.filter(refId => this.#asked.has(refId) && !this.#watched.has(refId))
    if (unwatched.length === 0) return
    for (const refId of unwatched) this.#heard.delete(refId)
    await connection.unsubscribe(this.#channelsOf(unwatched))
    for (const refId of unwatched) this.#asked.delete(refId)
  }

  async #subscribe(connection: Connection, refIds: readonly RefId[]): Promise<void> {
    const unheard = refIds.filter(refId => this.#watched.has(refId) && !this.#heard.has(refId))
    if (unheard.length === 0) return
    for (const refId of unheard) this.#asked.add(refId)
    await connection.subscribe(this.#channelsOf(unheard))
    for (const refId of unheard) {
      this.#heard.add(refId)
      // What happened before it was in force went unheard.
      this.#watchers.notify(refId)
    }
  }

  #channelsOf(refIds: readonly RefId[]): string[] {
    return refIds.map(refId => channelOf(this.#prefix, refId))
  }

  #poll(): void {
    if (this.#closed || this.#watched.size === 0) return
    this.#cancelPoll ??= systemClock.schedule(
      this.#pollMs,
      () => {
        this.#cancelPoll = undefined
        for (const refId of this.#watched.keys()) {
          if (this.#heard.has(refId)) continue
          this.#watchers.notify(refId)
          this.#unsettle(refId)
        }
        this.#poll()
      },
      'background',
    )
  }
}

/** Nothing where the entry is gone. */
function versionIn(message: string): number | undefined {
  const version = Number(message)
  return Number.isSafeInteger(version) && version > 0 ? version : undefined
}
