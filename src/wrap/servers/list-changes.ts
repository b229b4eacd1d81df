import { Backoff } from '../../core/backoff.ts'
import type { Clock } from '../../core/clock.ts'
import { notification, type RpcNotification } from '../rpc.ts'
import type { Kind } from './known-servers.ts'

/** The lists that a notification is about. */
const KINDS_OF: Readonly<Record<string, readonly Kind[]>> = {
  'notifications/tools/list_changed': ['tools'],
  'notifications/prompts/list_changed': ['prompts'],
  'notifications/resources/list_changed': ['resources', 'templates'],
}

export function kindsOf({ method }: RpcNotification): readonly Kind[] | undefined {
  return Object.hasOwn(KINDS_OF, method) ? KINDS_OF[method] : undefined
}

/** What the server says so soon after it was asked for the list may be due to that. */
const ECHO_MS = 200
/** Between two changes that the client is told of: more each time, where each follows from the answer before. */
const PAUSES = { firstMs: 50, maxMs: 60_000 }
/** A server that says nothing for so long is told of at once again. */
const QUIET_MS = 2_000

export interface ListChangesOptions {
  readonly clock: Clock
  /** Asks the server for the list where that is needed. Never rejects. */
  readonly refresh: (kind: Kind) => Promise<void>
  /** Whether the server was asked for it in the last milliseconds. */
  readonly wasAskedWithin: (ms: number, kind: Kind) => boolean
  readonly tell: (message: RpcNotification) => void
}

/**
 * The changes of one server's lists, as the client is told of them: when the new list is there, and more and more seldom where each
 * answer leads to the next change.
 */
export class ListChanges {
  readonly #changes: ReadonlyMap<Kind, Change>

  constructor(options: ListChangesOptions) {
    this.#changes = new Map(
      Object.entries(KINDS_OF).flatMap(([method, kinds]) => {
        const change = new Change(method, kinds, options)
        return kinds.map(kind => [kind, change] as const)
      }),
    )
  }

  /** The server says so. */
  heard(kinds: readonly Kind[]): void {
    for (const change of new Set(kinds.map(kind => this.#changes.get(kind)))) change?.heard()
  }

  /** It was seen. */
  seen(kind: Kind): void {
    this.#changes.get(kind)?.seen()
  }
}

class Change {
  readonly #pauses = new Backoff(PAUSES)
  #state: 'idle' | 'waiting' | 'telling' = 'idle'
  #isAgain = false
  #toldAt = Number.NEGATIVE_INFINITY
  #pauseMs = 0
  #stopWaiting = () => {}

  constructor(
    private readonly method: string,
    private readonly kinds: readonly Kind[],
    private readonly options: ListChangesOptions,
  ) {}

  heard(): void {
    if (!this.kinds.some(kind => this.options.wasAskedWithin(ECHO_MS, kind))) this.#begunAnew()
    if (this.#state === 'telling') this.#isAgain = true
    else if (this.#state === 'idle') this.#tellSoon()
  }

  /** While it is being told, that is the change which is told. */
  seen(): void {
    if (this.#state === 'idle') this.#tellSoon()
  }

  /** A server whose lists change of themselves is told of at once, however often they do. */
  #begunAnew(): void {
    this.#pauses.reset()
    this.#pauseMs = Math.min(this.#pauseMs, PAUSES.firstMs)
    if (this.#state !== 'waiting') return
    this.#stopWaiting()
    this.#state = 'idle'
  }

  #tellSoon(): void {
    const { clock } = this.options
    const left = this.#toldAt + this.#pauseMs - clock.monotonic()
    if (left <= -QUIET_MS) this.#pauses.reset()
    if (left <= 0) {
      void this.#tell()
      return
    }
    this.#state = 'waiting'
    this.#stopWaiting = clock.schedule(left, () => void this.#tell(), 'background')
  }

  async #tell(): Promise<void> {
    const { clock, refresh, tell } = this.options
    this.#state = 'telling'
    this.#isAgain = false
    await Promise.all(this.kinds.map(refresh))
    this.#state = 'idle'
    this.#toldAt = clock.monotonic()
    this.#pauseMs = this.#pauses.next()
    if (this.#isAgain) this.#tellSoon()
    tell(notification(this.method))
  }
}
