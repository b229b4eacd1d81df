import { untilAborted } from '../../core/abort.ts'
import type { CancelledEntry, Entry } from '../../core/entry.ts'
import { TaskCancelled } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import { Signal } from '../../core/signal.ts'
import type { Execution } from './execution.ts'
import type { RunningTasks } from './running.ts'

/** Why a run stops whose task was cancelled while others follow it. */
export class CancelledButFollowed extends TaskCancelled {
  constructor(
    message: string,
    readonly entry: CancelledEntry,
  ) {
    super(message)
  }
}

/** Why a run stops, by the entry of its task as it is now. */
export function stopReason(entry: Entry | undefined, message: string): TaskCancelled {
  return entry?.status === 'cancelled' && entry.followers
    ? new CancelledButFollowed(message, entry)
    : new TaskCancelled(message)
}

interface Offer {
  readonly from: CancelledEntry
  readonly execution: Execution
  /** The task that goes on with it. */
  heir?: RefId
}

/**
 * Work whose task was cancelled while others follow it. It lives as long as anybody follows it: one of them goes on with it, where the
 * work runs, and the others follow that one.
 */
export class HandOvers {
  readonly #offers = new Map<RefId, Offer>()
  readonly #changed = new Signal()

  /** @param take brings a follower from another process to this one; it rejects where that cannot be */
  constructor(
    private readonly running: RunningTasks,
    private readonly take: (follower: RefId, follows: RefId) => Promise<unknown>,
  ) {}

  offer(from: CancelledEntry, execution: Execution): void {
    const offer = { from, execution }
    this.#offers.set(from.refId, offer)
    this.#changed.notify()
    void this.#endUnlessTaken(offer)
  }

  /**
   * What a task does whose followed one was cancelled: goes on with its work, or follows the task that does. Nothing where that work does
   * not run here.
   */
  async next(
    refId: RefId,
    followed: RefId,
    signal: AbortSignal,
  ): Promise<{ work: Execution } | { follow: RefId } | undefined> {
    for (;;) {
      const offer = this.#offers.get(followed)
      if (offer?.heir) return { follow: offer.heir }
      if (offer) {
        offer.heir = refId
        return { work: offer.execution }
      }
      const ended = this.running.doneOf(followed)
      if (!ended) return undefined
      await untilAborted(signal, () => Promise.race([ended, this.#changed.next()]))
    }
  }

  async #endUnlessTaken(offer: Offer): Promise<void> {
    const { from, execution } = offer
    const { followers = [] } = from
    const elsewhere = followers.filter(refId => !this.running.has(refId))
    await Promise.all(elsewhere.map(refId => this.take(refId, from.refId).catch(() => {})))
    await Promise.all(followers.map(refId => this.running.doneOf(refId)))
    this.#offers.delete(from.refId)
    if (offer.heir !== undefined) return
    execution.abort(new TaskCancelled('The task was cancelled.'))
    execution.leaveBehind()
  }
}
