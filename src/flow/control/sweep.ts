import { isInFlight, ownerOf, type RemovedEntry } from '../../core/entry.ts'
import { cacheNameOf } from '../../core/ref.ts'
import type { TaskOwner } from '../../stores/store.ts'
import { channels, isHeard, trace } from '../../telemetry/channels.ts'
import type { Engine } from '../engine.ts'
import { storeSavings } from '../operate/stored-savings.ts'
import { forget } from './delete.ts'
import { type Look, LostTasks, NOBODY, type Sighting } from './lost-tasks.ts'

/** How many expired entries one step of a sweep removes. */
const BATCH = 500

/**
 * Expired entries go; a task whose process was silent for longer than its lease is run again or failed. Silence is
 * measured by this process's own monotonic clock, between two sweeps that saw the same sign of life.
 */
export class Sweeper {
  #sightings = new Map<string, Sighting>()
  readonly #lostTasks: LostTasks
  /** When the last sweep began. */
  #lookedAt = Number.POSITIVE_INFINITY

  #cancel = () => {}

  constructor(private readonly engine: Engine) {
    this.#lostTasks = new LostTasks(engine)
  }

  /** Sweeps again and again. Twice an interval: a loss is seen first, and believed only in a later sweep. */
  begin(): void {
    const { clock, settings, closing } = this.engine
    const run = async () => {
      // A store that is away now is swept when it is back.
      const sweep = () => this.sweep()
      const swept = isHeard(channels.sweep)
        ? trace(channels.sweep, { cache: this.engine.name }, sweep)
        : sweep()
      await swept.catch(() => {})
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
    // Here, and not with each answer. A process without tasks in flight gives no sign of life, and sweeps all the same.
    await storeSavings(this.engine)
    const look = { now, slept }
    await this.#observeOwners(look)
    this.#lookedAt = now
    await this.#lostTasks.recover(this.#sightings, look)
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
      // A store in memory answers at once: others have their turn all the same.
      if (removed.length === BATCH) await new Promise<void>(resolve => setImmediate(resolve))
    } while (removed.length === BATCH)
  }

  async #observeOwners(look: Look): Promise<void> {
    const { store, name, instance, heartbeat } = this.engine
    const sightings = new Map<string, Sighting>()
    for (const owner of await store.owners(name)) {
      if (owner.process !== instance) sightings.set(owner.process, await this.#observe(owner, look))
      // It looks after its own tasks itself.
      else heartbeat.begin()
    }
    this.#sightings = sightings
  }

  async #observe({ process, beat, running }: TaskOwner, { now, slept }: Look): Promise<Sighting> {
    const before = this.#sightings.get(process)
    const isSilent = before !== undefined && before.beat === beat
    return {
      beat,
      since: isSilent ? before.since + slept : now,
      patience: before?.patience ?? (await this.#patienceWith(process)),
      running,
      // As long as it is silent it begins nothing, and its tasks may be taken from it one by one.
      ran: Math.max(running, (isSilent ? before.ran : before?.running) ?? 0),
    }
  }

  /** All leases of a process have one duration, so any of its tasks tells it. */
  async #patienceWith(process: string): Promise<number> {
    const { store, name, settings } = this.engine
    if (process === NOBODY) return 0
    for await (const [refId] of store.tasksOf(name, process)) {
      const entry = refId === undefined ? undefined : await store.get(refId)
      if (entry && isInFlight(entry) && ownerOf(entry) === process) return entry.lease.duration
      break
    }
    return settings.leaseDuration
  }
}
