import type { Clock } from '../../core/clock.ts'
import { cutText } from '../../core/cut-text.ts'
import type { Entry, Progress } from '../../core/entry.ts'
import type { ProgressReport } from '../../core/handler.ts'
import { Pace } from '../../core/pace.ts'
import type { RefId } from '../../core/ref.ts'
import type { Due, Timers, Wait } from '../../core/timers.ts'

/** At most one store write in this time. */
const THROTTLE_MS = 100

/** So many reports between two writes are passed on at once; of more than that, the last. */
const MAX_PASSED_ON = 100

const MAX_MESSAGE_LENGTH = 1_000

/** The callers of this process that wait for tasks which run here: they hear of every report, also of those that are not stored. */
export class ProgressListeners {
  readonly #listeners = new Map<RefId, Set<(entry: Entry) => void>>()

  /** Calls `listener` with each report, until the returned function is called. */
  add(refId: RefId, listener: (entry: Entry) => void): () => void {
    const listeners = this.#listeners.get(refId) ?? new Set()
    this.#listeners.set(refId, listeners.add(listener))
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0 && this.#listeners.get(refId) === listeners) this.#listeners.delete(refId)
    }
  }

  /** @param entry the task as it runs, with what it has reported */
  notify(entry: Entry): void {
    for (const listener of this.#listeners.get(entry.refId) ?? []) listener(entry)
  }
}

/**
 * Takes any number of reports, writes at most one each 100 ms, and keeps the last one for the settlement. Who waits in this
 * process is told of all of them, up to a rate that no reader could use.
 */
export class ProgressReporter implements Due {
  #report: ProgressReport | undefined
  #unwritten = false
  /** How many reports, since the last write. */
  #passedOn = 0
  /** The pause between two writes, as long as it lasts. */
  #pause: Wait | undefined
  #writing: Promise<void> | undefined
  #ended = false
  readonly #pace = new Pace()

  /** @param begunAt when the attempt began, by the monotonic clock */
  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly timers: Timers,
    private readonly begunAt: number,
    private readonly write: (progress: Progress, pace: number | undefined) => Promise<void>,
    private readonly onReport: (progress: Progress) => void,
  ) {}

  /** The last report; nothing where it cannot be read, which is no reason to fail the work. */
  get latest(): Progress | undefined {
    try {
      return this.#report && toProgress(this.#report)
    } catch {
      return undefined
    }
  }

  /** Called a million times it costs little more than a million assignments: all else waits for the next write. */
  report(report: ProgressReport): void {
    if (this.#ended || !report) return
    this.#report = report
    this.#unwritten = true
    if (this.#passedOn < MAX_PASSED_ON) this.#passOn()
    if (!this.#writing && !this.#pause) this.#flush()
  }

  /** No write begins after this; resolves when the last one has ended. */
  async end(): Promise<void> {
    this.#ended = true
    this.#pause?.end()
    await this.#writing
  }

  #passOn(): void {
    this.#passedOn++
    const progress = this.latest
    if (progress) this.onReport(progress)
  }

  #rest(): void {
    if (this.#ended) return
    this.#pause = this.timers.begin(THROTTLE_MS, this)
  }

  /** The pause is over. */
  onDue(): void {
    this.#pause = undefined
    this.#flush()
  }

  #flush(): void {
    const progress = this.latest
    if (this.#ended || !this.#unwritten || !progress) return
    this.#unwritten = false
    if (this.#passedOn >= MAX_PASSED_ON) this.#passOn()
    this.#passedOn = 0
    if (progress.current !== undefined) {
      this.#pace.add(progress.current, progress.total, this.clock.monotonic() - this.begunAt)
    }
    const pace = this.#pace.recent()
    // The pause begins when the write has ended: however slow the store, one write at most is under way.
    this.#writing = this.write(progress, pace)
      .catch(() => {})
      .then(() => {
        this.#writing = undefined
        this.#rest()
      })
  }
}

/** What a handler said, without what makes no sense: negative or non-finite numbers are left out. */
export function toProgress({ current, total, message }: ProgressReport): Progress {
  const done = sane(current)
  const all = sane(total)
  return {
    ...(done === undefined ? {} : { current: done }),
    ...(all === undefined ? {} : { total: all }),
    ...(typeof message === 'string' ? { message: cutText(message, MAX_MESSAGE_LENGTH) } : {}),
    ...(done === undefined || !all ? {} : { percentage: percentage(done, all) }),
  }
}

function sane(value: number | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

function percentage(current: number, total: number): number {
  return Math.round(Math.min(1, current / total) * 1000) / 10
}
