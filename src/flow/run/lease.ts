import { type Entry, isInFlight, type Lease } from '../../core/entry.ts'
import type { EntryEvent } from '../../core/entry-event.ts'
import { HardTimeout, type TaskCancelled } from '../../core/errors.ts'
import { hexOf, type RefId } from '../../core/ref.ts'
import type { Due, Wait } from '../../core/timers.ts'
import type { Engine } from '../engine.ts'
import type { Change, EntryListener } from '../entries.ts'
import { stopReason } from './hand-over.ts'

/** What stops when its task is lost. Never by reference: that may belong to a newer performer by now. */
export interface Stoppable {
  stop(reason: unknown): void
}

/** Stops the work of a task that was cancelled, deleted or taken over, by whichever process. */
export class LossWatch implements EntryListener {
  constructor(
    private readonly engine: Engine,
    private readonly refId: RefId,
    private readonly owner: string,
    private readonly work: Stoppable,
  ) {}

  /** @param held the entry as this process has just written it */
  begin(held: Entry): void {
    this.engine.entries.watch(this.refId, this, held)
  }

  end(): void {
    this.engine.entries.unwatch(this.refId, this)
  }

  onChange(latest: Entry | undefined): void {
    if (latest) this.#judge(latest)
    else void this.#look()
  }

  /** Asks the store, for what nobody told of. */
  async check(): Promise<void> {
    // Nobody else can know of it.
    if (!this.engine.lateClaims.isUnstored(this.refId)) {
      this.#judge(await this.engine.entries.readAnew(this.refId))
    }
  }

  async #look(): Promise<void> {
    try {
      this.#judge(await this.engine.entries.read(this.refId))
    } catch {
      // With the next heartbeat it is asked again.
    }
  }

  #judge(entry: Entry | undefined): void {
    // Only the owner completes a task, so that is no loss.
    if (entry?.status !== 'complete' && !isHeldBy(entry, this.owner)) this.work.stop(lost(entry))
  }
}

/** A step of a task that is still ours; when it no longer is, the work is told to stop. */
export async function renewOrStop(
  engine: Engine,
  refId: RefId,
  event: EntryEvent,
  work: Stoppable,
): Promise<Change | undefined> {
  try {
    const changed = await engine.entries.change(refId, event)
    if (changed.refused) work.stop(lost(changed.entry))
    return changed
  } catch {
    // The store is away for the moment, and the settlement waits for it.
    return undefined
  }
}

/** @throws TaskCancelled when the task was cancelled, deleted or taken over, noticed or not */
export async function checkLease(engine: Engine, refId: RefId, { owner }: Lease): Promise<void> {
  const entry = await engine.entries.readAnew(refId)
  if (!isHeldBy(entry, owner)) throw lost()
}

/** Tells work that has run for `ms`, of which `elapsed` is over. Nothing where its time has no limit. */
export function limitTime(
  { timers }: Pick<Engine, 'timers'>,
  ms: number | undefined,
  work: Due,
  elapsed = 0,
): Wait | undefined {
  return ms === undefined ? undefined : timers.begin(Math.max(0, ms - elapsed), work)
}

/** Why work stops that has run for `ms`. */
export function overTime(ms = 0): HardTimeout {
  return new HardTimeout(`The tool ran longer than its limit of ${ms / 1000} s and was stopped.`)
}

function isHeldBy(entry: Entry | undefined, owner: string): boolean {
  return entry !== undefined && isInFlight(entry) && entry.lease.owner === owner
}

/** @param entry as it is now, where that is known */
export function lost(entry?: Entry): TaskCancelled {
  return stopReason(entry, 'The task was cancelled or taken over.')
}

/** The right to run a task, for one claim, retry or recovery by this process. */
export function newLease(engine: Engine): Lease {
  // Joined for the same reason as references are.
  const owner = [engine.instance, hexOf(engine.random(6))].join('/')
  return { owner, duration: engine.settings.leaseDuration }
}
