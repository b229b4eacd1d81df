import type { Clock } from '../../core/clock.ts'
import type { RefId } from '../../core/ref.ts'
import { inChunks } from '../../core/steps.ts'
import type { Store } from '../../stores/store.ts'
import { channels } from '../../telemetry/channels.ts'
import type { RunningTasks } from './running.ts'

/** So that two signs of life may be lost before anybody takes the process for lost. */
const BEATS_A_LEASE = 3

/** This process, as its cache and its store know it. */
export interface Beating {
  /** Of the cache. */
  readonly name: string
  /** Of the process, in leases. */
  readonly instance: string
  readonly store: Store
  readonly clock: Clock
  readonly running: RunningTasks
}

/**
 * One sign of life for all tasks of this process, each third of a lease while there are any. With each, what the store says this process
 * has is compared with what runs here: both what nobody told it of, and what it owns and does not know of, come to light by that.
 */
export class Heartbeat {
  #isNeeded = false
  #comparing = false
  #hasEnded = false
  /** Tasks that the store says this process has, and that do not run here: in how many rounds in a row. */
  #strays = new Map<RefId, number>()
  #cancel: (() => void) | undefined

  /** @param recover does what becomes of a task that does not run here, although this process has it */
  constructor(
    private readonly own: Beating,
    private readonly leaseDuration: number,
    private readonly recover: (refId: RefId) => Promise<void>,
  ) {}

  /** This process has a task. Cheap: it may be said of each. */
  begin(): void {
    this.#isNeeded = true
    if (!this.#hasEnded) this.#cancel ??= this.#schedule()
  }

  end(): void {
    this.#hasEnded = true
    this.#cancel?.()
  }

  #schedule(): () => void {
    const { clock } = this.own
    return clock.schedule(this.leaseDuration / BEATS_A_LEASE, () => void this.#beat(), 'background')
  }

  async #beat(): Promise<void> {
    const { store, name, instance, running } = this.own
    this.#cancel = undefined
    if (!this.#isNeeded && running.size === 0) return
    // However short they are, tasks that were there since the last time are a reason for this one.
    this.#isNeeded = false
    // First, however long the store takes.
    this.#cancel = this.#schedule()
    try {
      await store.beat(name, instance)
      await this.#compare()
    } catch (error) {
      // The store is away for the moment: the next one tries again.
      if (channels.missedBeat.hasSubscribers) channels.missedBeat.publish({ cache: name, error })
    }
  }

  async #compare(): Promise<void> {
    if (this.#comparing) return
    this.#comparing = true
    try {
      const { store, name, instance, running } = this.own
      running.beginRound()
      const strays = new Map<RefId, number>()
      for await (const batch of store.tasksOf(name, instance)) {
        for (const refId of batch) {
          if (!running.confirm(refId)) strays.set(refId, (this.#strays.get(refId) ?? 0) + 1)
        }
      }
      this.#strays = strays
      if (strays.size > 0) this.#isNeeded = true
      await inChunks(running.unconfirmed(), task => task.check())
      await inChunks(this.#lostStrays(), refId => this.recover(refId))
    } finally {
      this.#comparing = false
    }
  }

  /** In rounds, not in time: while the process was suspended nothing could be done about them. */
  *#lostStrays(): Generator<RefId> {
    for (const [refId, rounds] of this.#strays) {
      if (rounds <= BEATS_A_LEASE) continue
      this.#strays.delete(refId)
      yield refId
    }
  }
}
