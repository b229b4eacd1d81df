import type { Clock } from '../../core/clock.ts'
import { cutText } from '../../core/cut-text.ts'
import type { Entry, Progress } from '../../core/entry.ts'
import type { ProgressReport } from '../../core/handler.ts'
import { Pace } from '../../core/pace.ts'
import type { RefId } from '../../core/ref.ts'

/** At most one store write in this time. */
const THROTTLE_MS = 100

/** So many reports between two writes are told at once; of more than that, the last. */
const MAX_TOLD = 100

const MAX_MESSAGE_LENGTH = 1_000

/** The callers of this process that wait for tasks which run here: they hear of progress that the store is not told of. */
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
  tell(entry: Entry): void {
    for (const listener of this.#listeners.get(entry.refId) ?? []) listener(entry)
  }
}

/**
 * Takes any number of reports, writes at most one each 100 ms, and keeps the last one for the settlement. Who waits in this
 * process is told of all of them, up to a rate that no reader could use.
 */
export class ProgressReporter {
  #report: ProgressReport | undefined
  #unwritten = false
  /** Since the last write. */
  #told = 0
  /** Ends the pause between two writes; set while a write is under way, too. */
  #timer: (() => void) | undefined
  #writing = Promise.resolve()
  #ended = false
  readonly #pace = new Pace()
  readonly #begunAt: number

  constructor(
    private readonly clock: Clock,
    private readonly write: (progress: Progress, pace: number | undefined) => Promise<void>,
    private readonly tell: (progress: Progress) => void,
  ) {
    this.#begunAt = clock.monotonic()
  }

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
    if (this.#told < MAX_TOLD) this.#tellLatest()
    if (!this.#timer) this.#flush()
  }

  /** No write begins after this; resolves when the last one has ended. */
  async end(): Promise<void> {
    this.#ended = true
    this.#timer?.()
    await this.#writing
  }

  #tellLatest(): void {
    this.#told++
    const progress = this.latest
    if (progress) this.tell(progress)
  }

  #rest(): void {
    if (this.#ended) return
    this.#timer = this.clock.schedule(
      THROTTLE_MS,
      () => {
        this.#timer = undefined
        this.#flush()
      },
      'background',
    )
  }

  #flush(): void {
    const progress = this.latest
    if (this.#ended || !this.#unwritten || !progress) return
    this.#unwritten = false
    if (this.#told >= MAX_TOLD) this.#tellLatest()
    this.#told = 0
    if (progress.current !== undefined) {
      this.#pace.add(progress.current, progress.total, this.clock.monotonic() - this.#begunAt)
    }
    const pace = this.#pace.recent()
    // The pause begins when the write has ended: however slow the store, one write at most is under way.
    this.#timer = () => {}
    this.#writing = this.write(progress, pace)
      .catch(() => {})
      .then(() => this.#rest())
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
