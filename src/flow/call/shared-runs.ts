import type { Clock } from '../../core/clock.ts'
import { type Entry, isExpired, isInFlight } from '../../core/entry.ts'
import { WorkerLost } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'

/** How long a result that nobody has fetched may answer an identical call, after its run settled. */
const UNFETCHED_MS = 5 * 60_000

/** How long a write that was stopped may still take effect where it was sent. */
const STOPPED_WRITE_MS = 5 * 60_000

const MAX_RUNS = 1_000

/** How a write ended. A write that was stopped may go on where nobody here can see it. */
export type WriteEnd = (how?: 'stopped') => void

/** One run, as the calls of this process know it. How its task stands is for the entry alone to say. */
export interface Run {
  /** Of the task whose work it is now. */
  refId: RefId
  /** The entries that follow it: who is given the result of one of them was given the run's. */
  readonly followers: RefId[]
  /** Resolves when its entry is stored, or when that failed. */
  stored: Promise<unknown>
  /** The calls that wait for it or were given its handle. */
  callers: number
  /** How often its result was given. */
  deliveries: number
  /** By the monotonic clock. */
  settledAt: number | undefined
}

/**
 * Which run an identical call may follow, for tools that only read and are not memoized: one that is in flight, or one
 * whose result nobody has fetched yet. That is the agent that calls again instead of polling.
 *
 * A write ends all that: no call follows a run that began before the write did, or while it lasted. Only the process
 * that passes the calls on sees this order, so nothing of it is stored. Bounded in count, oldest first out.
 */
export class SharedRuns {
  readonly #byCall = new Map<string, Run>()
  readonly #byRef = new Map<RefId, Run>()
  /** Of memoized runs that end with their last caller: by the entry that all of these share. */
  readonly #memoized = new Map<RefId, Run>()
  #writes = 0
  #writesSoFar = 0
  /** Whether any of them may be followed; absent when that has to be looked up anew. */
  #hasOpen: boolean | undefined

  constructor(private readonly clock: Clock) {}

  /** Something begins to change what tools read. Nothing is shared until the returned function is called. */
  beginWrite(): WriteEnd {
    this.#writes++
    this.#writesSoFar++
    this.#forgetAll()
    let ended = false
    const end = () => {
      this.#writes--
    }
    return how => {
      if (ended) return
      ended = true
      if (how === 'stopped') this.clock.schedule(STOPPED_WRITE_MS, end, 'background')
      else end()
    }
  }

  /** Now, in the order of writes: the same number as long as nothing is written, and none while something is. */
  get moment(): number {
    return this.#writes > 0 ? Number.NaN : this.#writesSoFar
  }

  /** Whether there may be any run to follow. */
  get hasOpen(): boolean {
    this.#hasOpen ??= [...this.#byCall.values()].some(run => !isSpent(run))
    return this.#hasOpen
  }

  /** Whether there may be a run that an identical call follows. */
  has(callKey: string): boolean {
    const run = this.#byCall.get(callKey)
    return run !== undefined && !isSpent(run)
  }

  /** Work that writes for as long as it runs, whoever started it and whether or not somebody still waits. */
  async duringWrite<Result>(
    stop: { readonly aborted: boolean },
    work: () => Promise<Result>,
  ): Promise<Result> {
    const end = this.beginWrite()
    try {
      const result = await work()
      end()
      return result
    } catch (error) {
      end(stop.aborted || error instanceof WorkerLost ? 'stopped' : undefined)
      throw error
    }
  }

  /**
   * The run that an identical call follows, with its entry; else the call's own, which identical calls may follow from
   * now on.
   * @param callKey what makes two calls the same call
   * @param refId the call's own
   */
  async joinOrBegin(
    callKey: string,
    refId: RefId,
    entryOf: (refId: RefId) => Promise<Entry | undefined>,
  ): Promise<{ run: Run; entry?: Entry }> {
    for (let run = this.#byCall.get(callKey); run; run = this.#byCall.get(callKey)) {
      if (isSpent(run)) {
        this.#forget(callKey, run)
        continue
      }
      await run.stored
      const entry = await entryOf(run.refId)
      if (this.#byCall.get(callKey) !== run) continue
      if (entry && this.#mayFollow(run, entry)) {
        run.callers++
        return { run, entry }
      }
      this.#forget(callKey, run)
    }
    return { run: this.begin(callKey, refId) }
  }

  /**
   * The call's own run, which identical calls may follow from now on, unless something is being written or was written since the
   * run began.
   */
  begin(callKey: string, refId: RefId, begunAt = this.moment): Run {
    const run = aloneOn(refId)
    if (begunAt !== this.moment) return run
    const [oldest] = this.#byCall
    if (oldest && this.#byCall.size >= MAX_RUNS) this.#forget(...oldest)
    const replaced = this.#byCall.get(callKey)
    if (replaced) this.#forget(callKey, replaced)
    this.#byCall.set(callKey, run)
    this.#byRef.set(refId, run)
    this.#hasOpen = true
    return run
  }

  /** One more call of a memoized run that ends with the last of them. It is known until it has settled. */
  joinMemoized(refId: RefId): Run {
    const known = this.#memoized.get(refId)
    if (known) {
      known.callers++
      return known
    }
    const [oldest] = this.#memoized.keys()
    if (oldest !== undefined && this.#memoized.size >= MAX_RUNS) this.#memoized.delete(oldest)
    const run = aloneOn(refId)
    this.#memoized.set(refId, run)
    return run
  }

  /** A caller of this run is given its result by an entry of the caller's own, which keeps the run alive by itself. */
  share(run: Run, refId: RefId): void {
    run.callers--
    if (this.#byRef.get(run.refId) !== run) return
    run.followers.push(refId)
    this.#byRef.set(refId, run)
  }

  /** A call of this run was cancelled. True where no other call follows it; then no later call does either. */
  leave(run: Run): boolean {
    run.callers--
    this.#hasOpen = undefined
    return run.callers === 0
  }

  /** The task of the run was cancelled, and another one that was told of by `share` goes on with the work. */
  handOver(from: RefId, to: RefId): void {
    const run = this.#byRef.get(from)
    if (!run || run.refId !== from) return
    run.refId = to
    run.callers = Math.max(1, run.callers)
  }

  /** Somebody was given the result: the next identical call runs anew. */
  deliver(refId: RefId): void {
    const run = this.#byRef.get(refId)
    if (!run) return
    run.deliveries++
    this.#hasOpen = undefined
  }

  /** The last answer did not reach whoever asked. Where that was a handle, it gave no result. */
  undeliver(refId: RefId): void {
    const run = this.#byRef.get(refId)
    if (!run || run.deliveries === 0) return
    run.deliveries--
    this.#hasOpen = undefined
  }

  settle(refId: RefId): void {
    this.#memoized.delete(refId)
    const run = this.#byRef.get(refId)
    if (run) run.settledAt = this.clock.monotonic()
  }

  #mayFollow(run: Run, entry: Entry): boolean {
    const { settledAt } = run
    if (isSpent(run)) return false
    if (isInFlight(entry)) return true
    if (entry.status !== 'complete' || isExpired(entry, this.clock.now())) return false
    // One that another process settled: when is not known.
    return settledAt !== undefined && this.clock.monotonic() - settledAt < UNFETCHED_MS
  }

  #forget(callKey: string, run: Run): void {
    this.#byCall.delete(callKey)
    this.#hasOpen = undefined
    for (const refId of [run.refId, ...run.followers]) this.#byRef.delete(refId)
  }

  #forgetAll(): void {
    this.#byCall.clear()
    this.#hasOpen = false
    this.#byRef.clear()
  }
}

/** All of its callers left, or one of them has the result: no call follows it any more. */
function isSpent({ callers, deliveries }: Run): boolean {
  return callers === 0 || deliveries > 0
}

/** A run that no other call may follow. */
export function aloneOn(refId: RefId): Run {
  return { refId, followers: [], stored: Promise.resolve(), callers: 1, deliveries: 0, settledAt: undefined }
}
