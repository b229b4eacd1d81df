import {
  type Entry,
  expiry,
  type InFlightEntry,
  isInFlight,
  isRepeatable,
  type RemovedEntry,
} from '../../core/entry.ts'
import { events } from '../../core/events.ts'
import { mayRunAgain } from '../../core/losses.ts'
import { cacheNameOf, type RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'
import { newLease, processOf } from '../run/lease.ts'
import { start } from '../run/run.ts'
import { forget } from './delete.ts'

/** How many entries one step of a sweep looks at. */
const BATCH = 500

/** For so many lease durations others are waited for: a process that has a tool, or the silence of a process's other tasks. */
const PATIENCE = 2

/** What a sweeper saw of a task: since when, by its own clock, it has not changed. */
interface Sighting {
  readonly version: number
  readonly since: number
  /** Where its handler runs. */
  readonly process: string | undefined
}

/** When a sweep looked, and for how long nobody looked before it, beyond the interval. Both by the monotonic clock. */
interface Look {
  readonly now: number
  readonly slept: number
}

/** An entry in flight, and for how long it has been as it is. */
interface Seen {
  readonly entry: InFlightEntry
  readonly silence: number
}

/**
 * Expired entries go; a task whose owner was silent for longer than its lease is run again or failed. Silence is
 * measured by this process's own monotonic clock, between two sweeps that saw the same version.
 */
export class Sweeper {
  #sightings = new Map<RefId, Sighting>()
  /** When the last sweep began. */
  #lookedAt = Number.POSITIVE_INFINITY

  #cancel = () => {}

  constructor(private readonly engine: Engine) {}

  /** Sweeps again and again. Twice an interval: a loss is seen first, and believed only in a later sweep. */
  begin(): void {
    const { clock, settings, closing } = this.engine
    const run = async () => {
      // A store that is away now is swept when it is back.
      await this.sweep().catch(() => {})
      if (!closing.aborted) this.begin()
    }
    this.#cancel = clock.schedule(settings.sweepInterval / 2, run, 'background')
  }

  end(): void {
    this.#cancel()
  }

  async sweep(): Promise<void> {
    const { clock, settings, sources, errors, lateClaims } = this.engine
    // First, because it needs no store.
    sources.sweep()
    errors.sweep()
    lateClaims.sweep()
    // One moment for all that it sees: a process that is suspended in the middle of a sweep has seen no silence by that.
    const now = clock.monotonic()
    const slept = Math.max(0, now - this.#lookedAt - settings.sweepInterval)
    const takesWrites = await clock.agree()
    await this.#prune()
    // Where no owner can give a sign of life, silence means nothing, whatever it was before.
    if (!takesWrites) {
      this.#sightings = new Map()
      return
    }
    const before = this.#sightings
    const sightings = new Map<RefId, Sighting>()
    const all: Seen[] = []
    for await (const entry of this.#inFlight()) {
      all.push({ entry, silence: this.#observe(entry, { now, slept }, sightings) })
    }
    const running = tasksByProcess([...before, ...sightings])
    const alive = processesAlive(all)
    // The newest first: a task may wait for one that it called.
    all.sort((a, b) => b.entry.createdAt - a.entry.createdAt)
    for (const { entry, silence } of all) {
      if (silence < this.#patienceWith(entry, alive) || this.engine.running.has(entry.refId)) continue
      await this.#recover(entry, silence, ranBesideOthers(entry, running))
    }
    this.#sightings = sightings
    this.#lookedAt = now
  }

  /** Other caches on the store tell of their own entries where they sweep. */
  async #prune(): Promise<void> {
    const { store, clock, name } = this.engine
    let removed: RemovedEntry[]
    do {
      removed = await store.prune(clock.pruneNow(), BATCH)
      for (const entry of removed) {
        if (cacheNameOf(entry.refId) === name) forget(this.engine, entry, 'expired')
      }
    } while (removed.length === BATCH)
  }

  async *#inFlight(): AsyncGenerator<InFlightEntry> {
    const { store, name: cacheName } = this.engine
    let after: Entry | undefined
    for (;;) {
      const batch: Entry[] = await store.list({
        cacheName,
        statuses: ['pending', 'processing'],
        limit: BATCH,
        ...(after === undefined ? {} : { after }),
      })
      yield* batch.filter(isInFlight)
      after = batch.at(-1)
      if (batch.length < BATCH) return
    }
  }

  /** For how long the entry has been as it is. */
  #observe(entry: InFlightEntry, { now, slept }: Look, seen: Map<RefId, Sighting>): number {
    const before = this.#sightings.get(entry.refId)
    const since = before?.version === entry.version ? before.since + slept : now
    const process = entry.status === 'processing' ? processOf(entry.lease) : undefined
    const sighting = { version: entry.version, since, process }
    seen.set(entry.refId, sighting)
    return now - sighting.since
  }

  /** A process that died left all of its tasks silent; so while some are not, others are given more time. */
  #patienceWith({ status, lease }: InFlightEntry, alive: ReadonlySet<string>): number {
    const waits = status === 'processing' && alive.has(processOf(lease))
    return waits ? PATIENCE * lease.duration : lease.duration
  }

  /** A task that never began may begin anywhere; one that did is run again only where that does no harm. */
  async #recover(entry: InFlightEntry, silence: number, together: boolean): Promise<void> {
    const tool = this.engine.tools.get(entry.toolName ?? '')
    if (!mayBeginAgain(entry)) await this.#giveUp(entry)
    else if (tool) await this.#takeOver(entry, tool, together)
    else if (this.#waitsForOthers(entry)) return
    else if (silence >= this.#patience(entry)) await this.#giveUp(entry)
  }

  /** What waits in a queue of many processes is not lost because this one lacks its tool. */
  #waitsForOthers({ status }: InFlightEntry): boolean {
    return status === 'pending' && this.engine.dispatcher.shared
  }

  /** A task that was let go has a lease of no duration; the others need their time all the same. */
  #patience({ lease }: InFlightEntry): number {
    return PATIENCE * Math.max(lease.duration, this.engine.settings.leaseDuration)
  }

  async #takeOver(entry: InFlightEntry, tool: Tool, together: boolean): Promise<void> {
    const lease = newLease(this.engine)
    const now = this.engine.clock.now()
    const taken = await this.engine.entries.change(entry, {
      type: 'take',
      seen: entry.version,
      lease,
      together,
      now,
    })
    if (taken.refused || taken.entry.status !== 'pending') return
    this.engine.events.emit(events.recovered(taken.entry))
    // Without a place, which it takes when it is due: it was admitted once, so a full queue must not cost it its life.
    start(this.engine, tool, taken.entry)
  }

  async #giveUp(entry: InFlightEntry): Promise<void> {
    const now = this.engine.clock.now()
    const lost = await this.engine.entries.change(entry, {
      type: 'lose',
      seen: entry.version,
      now,
      expiresAt: expiry(now, this.engine.settings.taskRetention),
    })
    if (!lost.refused && !isInFlight(lost.entry)) this.engine.events.emit(events.settled(lost.entry))
  }
}

/** Which tasks each process was seen to run, by this sweep and by the one before. */
function tasksByProcess(sightings: ReadonlyArray<[RefId, Sighting]>): Map<string, Set<RefId>> {
  const running = new Map<string, Set<RefId>>()
  for (const [refId, { process }] of sightings) {
    if (process !== undefined) running.set(process, (running.get(process) ?? new Set()).add(refId))
  }
  return running
}

/** The processes that some task has had a sign of life from. */
function processesAlive(all: readonly Seen[]): Set<string> {
  return new Set(
    all
      .filter(({ entry, silence }) => silence < entry.lease.duration)
      .map(({ entry }) => processOf(entry.lease)),
  )
}

function ranBesideOthers(
  { lease }: InFlightEntry,
  running: ReadonlyMap<string, ReadonlySet<RefId>>,
): boolean {
  return (running.get(processOf(lease))?.size ?? 0) > 1
}

function mayBeginAgain(entry: InFlightEntry): boolean {
  return entry.status === 'pending' || (isRepeatable(entry) && mayRunAgain(entry.losses))
}
