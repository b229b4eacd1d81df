import type { Clock } from '../../core/clock.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { Changes, Overview } from '../api.ts'
import { problemOf, Refused, SAFE_HEADERS } from './http.ts'
import { toRow } from './rows.ts'
import type { Looker, SeenChanges } from './sight.ts'

/** Between two looks at the store, while somebody looks at the page. */
const LOOK_EVERY_MS = 300
/** So that proxies and browsers know that the connection is alive. */
const HEARTBEAT_MS = 15_000
/** Who was told to load all anew does so at most so often, however much changes. */
const RESET_EVERY_MS = 2_000
/** Counts that are owed to a page are looked for so often. */
const COUNTS_EVERY_MS = 1_000
/** A store that is away is looked for again after this long. */
const AWAY_MS = 2_000
/** So long somebody who is signed out meanwhile may still be told. */
const LET_IN_AGAIN_MS = 60_000
/** Bytes that wait for a slow reader. While there are more, nobody looks. */
const MOST_WAITING = 256 * 1024
/** Where more has changed at once, the page does better to load what it shows anew. */
const MOST_ROWS = 200

export interface StreamLimits {
  readonly all: number
  /** Of one who looks. */
  readonly each: number
}

/** The open streams of events. They are bounded in number, and end with the server. */
export class EventStreams {
  readonly #open = new Map<EventStream, string>()
  #isClosed = false

  constructor(
    private readonly clock: Clock,
    private readonly limits: StreamLimits = { all: 64, each: 8 },
  ) {}

  get size(): number {
    return this.#open.size
  }

  /** @throws Refused where there are too many */
  open(looker: Looker, { signal }: Request): Response {
    const own = [...this.#open.values()].filter(each => each === looker.name).length
    if (this.#isClosed || this.#open.size >= this.limits.all || own >= this.limits.each) {
      throw new Refused(503, 'forbidden', 'Too many pages are open at once. Close one of them.')
    }
    const stream = new EventStream(looker, this.clock, () => this.#open.delete(stream))
    this.#open.set(stream, looker.name)
    if (signal.aborted) stream.end()
    else signal.addEventListener('abort', () => stream.end(), { once: true })
    return new Response(stream.body, {
      headers: { ...SAFE_HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' },
    })
  }

  close(): void {
    this.#isClosed = true
    for (const stream of [...this.#open.keys()]) stream.end()
  }
}

/**
 * What changes, for one page. It looks at the store every now and then, and only while its reader takes what it is sent: what happens
 * meanwhile is in the next look, or in a `reset`.
 */
class EventStream {
  readonly body: ReadableStream<Uint8Array<ArrayBuffer>>
  #controller!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>
  #cursor: number | undefined
  #stopTimer = () => {}
  #isEnded = false
  #resetAt = Number.NEGATIVE_INFINITY
  /** The last look failed: something may be missed. */
  #isAway = false
  /** What is stored was not counted yet, or not since the last change, when the page was told how all stands. */
  #owesCounts = false
  #overviewAt = Number.NEGATIVE_INFINITY
  #spokeAt: number
  #letInAt: number

  constructor(
    private readonly looker: Looker,
    private readonly clock: Clock,
    private readonly onEnd: () => void,
  ) {
    this.#spokeAt = this.#letInAt = clock.monotonic()
    this.body = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: controller => {
          this.#controller = controller
        },
        cancel: () => this.end(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: MOST_WAITING }),
    )
    // Where a browser tries again by itself, so soon.
    this.#send('retry: 1000\n\n')
    void this.#look()
  }

  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#stopTimer()
    this.onEnd()
    try {
      this.#controller.close()
    } catch {
      // The reader went away first.
    }
  }

  async #look(): Promise<void> {
    let wait = LOOK_EVERY_MS
    const hasRoom = (this.#controller.desiredSize ?? 0) > 0
    try {
      if (!(await this.#isStillIn())) return this.end()
      if (hasRoom) await this.#tell(await this.looker.sight.look(this.#cursor))
    } catch (error) {
      // The store is away, and may come back.
      if (!this.#isAway) this.#sendEvent('problem', problemOf(error, this.looker.ownsStore))
      this.#isAway = true
      wait = AWAY_MS
    }
    if (this.#isEnded) return
    if (hasRoom && this.clock.monotonic() - this.#spokeAt >= HEARTBEAT_MS) this.#send(': alive\n\n')
    this.#stopTimer = this.clock.schedule(wait, () => void this.#look(), 'background')
  }

  /** Asked now and then: whoever was let in may be signed out by now. */
  async #isStillIn(): Promise<boolean> {
    const now = this.clock.monotonic()
    if (now - this.#letInAt < LET_IN_AGAIN_MS) return true
    this.#letInAt = now
    try {
      return await this.looker.isStillIn()
    } catch {
      return false
    }
  }

  async #tell({ isComplete, changed, deleted, cursor }: SeenChanges): Promise<void> {
    if (!isComplete || changed.length > MOST_ROWS || this.#isAway) {
      const now = this.clock.monotonic()
      // Until then the cursor stays where it is: what happens meanwhile is in that reset.
      if (now - this.#resetAt < RESET_EVERY_MS) return
      this.#sendEvent('reset', await this.#overview())
      this.#resetAt = now
      this.#isAway = false
    } else if (changed.length + deleted.length > 0) {
      const changes: Changes = { changed: changed.map(toRow), deleted, overview: await this.#overview() }
      this.#sendEvent('changes', changes)
    } else if (this.#owesCounts && this.clock.monotonic() - this.#overviewAt >= COUNTS_EVERY_MS) {
      const overview = await this.#overview()
      if (!this.#owesCounts) this.#sendEvent('changes', { changed: [], deleted: [], overview })
    }
    this.#cursor = cursor
  }

  async #overview(): Promise<Overview> {
    const overview = await this.looker.sight.overview()
    this.#overviewAt = this.clock.monotonic()
    this.#owesCounts = overview.stored === undefined || overview.areCountsOld === true
    return { now: new Date(this.clock.now()).toISOString(), ...overview }
  }

  #sendEvent(event: string, data: object): void {
    this.#send(`event: ${event}\ndata: ${stringifyJson(data as never)}\n\n`)
  }

  #send(text: string): void {
    if (this.#isEnded) return
    this.#spokeAt = this.clock.monotonic()
    this.#controller.enqueue(new TextEncoder().encode(text))
  }
}
