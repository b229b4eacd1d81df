import { type Entry, expiry, type InFlightEntry, isInFlight } from '../core/entry.ts'
import { events } from '../core/events.ts'
import type { RefId } from '../core/ref.ts'
import type { Tool } from '../core/tool.ts'
import { change } from './change.ts'
import type { Engine } from './engine.ts'
import { newLease } from './lease.ts'
import { start } from './start.ts'

/** How many entries one step of a sweep looks at. */
const BATCH = 500

/** A task that took so many processes down is not given another one. */
const MAX_LOSSES = 3

/** A task whose tool this process lacks is left to others for so many lease durations. */
const PATIENCE = 2

/** What a sweeper saw of a task: since when, by its own clock, it has not changed. */
interface Sighting {
  readonly version: number
  readonly since: number
}

/**
 * Expired entries go; a task whose owner was silent for longer than its lease is run again or failed. Silence is
 * measured by this process's own monotonic clock, between two sweeps that saw the same version.
 */
export class Sweeper {
  #sightings = new Map<RefId, Sighting>()
  /** When the last sweep ended. */
  #lookedAt = Number.POSITIVE_INFINITY

  constructor(private readonly engine: Engine) {}

  async sweep(): Promise<void> {
    const { store, clock, settings } = this.engine
    const slept = Math.max(0, clock.monotonic() - this.#lookedAt - settings.sweepInterval)
    while ((await store.prune(clock.now(), BATCH)) === BATCH);
    const seen = new Map<RefId, Sighting>()
    for await (const entry of this.#inFlight()) {
      const silence = this.#observe(entry, slept, seen)
      if (silence >= entry.lease.duration && !this.engine.runner.runs(entry.refId)) {
        await this.#recover(entry, silence)
      }
    }
    this.#sightings = seen
    this.#lookedAt = clock.monotonic()
  }

  async *#inFlight(): AsyncGenerator<InFlightEntry> {
    const { store, name: cacheName } = this.engine
    let after: RefId | undefined
    for (;;) {
      const batch: Entry[] = await store.list({
        cacheName,
        statuses: ['pending', 'processing'],
        limit: BATCH,
        ...(after === undefined ? {} : { after }),
      })
      yield* batch.filter(isInFlight)
      after = batch.at(-1)?.refId
      if (batch.length < BATCH) return
    }
  }

  /** For how long the entry has been as it is. */
  #observe(entry: InFlightEntry, slept: number, seen: Map<RefId, Sighting>): number {
    const now = this.engine.clock.monotonic()
    const before = this.#sightings.get(entry.refId)
    const since = before?.version === entry.version ? before.since + slept : now
    const sighting = { version: entry.version, since }
    seen.set(entry.refId, sighting)
    return now - sighting.since
  }

  /** A task that never began may begin anywhere; one that did is run again only where that does no harm. */
  async #recover(entry: InFlightEntry, silence: number): Promise<void> {
    const losses = entry.retryHistory.filter(({ error }) => error.code === 'worker_lost').length
    const repeatable = (entry.status === 'pending' || entry.idempotent) && losses < MAX_LOSSES
    const tool = this.engine.tools.get(entry.toolName ?? '')
    if (!repeatable) await this.#giveUp(entry)
    else if (tool) await this.#takeOver(entry, tool)
    else if (silence >= this.#patience(entry)) await this.#giveUp(entry)
  }

  /** A task that was let go has a lease of no duration; the others need their time all the same. */
  #patience({ lease }: InFlightEntry): number {
    return PATIENCE * Math.max(lease.duration, this.engine.settings.leaseDuration)
  }

  async #takeOver(entry: InFlightEntry, tool: Tool): Promise<void> {
    const lease = newLease(this.engine)
    const now = this.engine.clock.now()
    const taken = await change(this.engine, entry.refId, { type: 'take', seen: entry.version, lease, now })
    if (taken.refused || taken.entry.status !== 'pending') return
    this.engine.events.emit(events.recovered(taken.entry))
    // Without a place, which it takes when it is due: it was admitted once, so a full queue must not cost it its life.
    start(this.engine, tool, taken.entry)
  }

  async #giveUp(entry: InFlightEntry): Promise<void> {
    const now = this.engine.clock.now()
    const lost = await change(this.engine, entry.refId, {
      type: 'lose',
      seen: entry.version,
      now,
      expiresAt: expiry(now, this.engine.settings.taskRetention),
    })
    if (!lost.refused && !isInFlight(lost.entry)) this.engine.events.emit(events.settled(lost.entry))
  }
}
