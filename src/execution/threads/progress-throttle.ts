import type { ProgressReport } from '../../core/handler.ts'

/** At most one report crosses in this time. */
const THROTTLE_MS = 20
/** More of a message is not kept anyway. */
const MAX_MESSAGE_LENGTH = 2_000

/** Takes any number of reports, passes on some of them in their order, and always the last. */
export class ProgressThrottle {
  #last: ProgressReport | undefined
  #sentAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly send: (report: ProgressReport) => void) {}

  /** Looks at the clock: no timer fires while a handler computes without a pause. */
  report(report: ProgressReport): void {
    if (!report) return
    this.#last = report
    const rest = this.#sentAt + THROTTLE_MS - performance.now()
    if (rest <= 0) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), rest)
  }

  end(): void {
    this.#flush()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const report = this.#last
    if (!report) return
    this.#last = undefined
    this.#sentAt = performance.now()
    const plain = sendable(report)
    if (plain) this.send(plain)
  }
}

/** What of a report can be sent; nothing where it cannot be read, which is no reason to fail the work. */
function sendable(report: ProgressReport): ProgressReport | undefined {
  try {
    const { current, total, message } = report
    return {
      ...(typeof current === 'number' ? { current } : {}),
      ...(typeof total === 'number' ? { total } : {}),
      ...(typeof message === 'string' ? { message: message.slice(0, MAX_MESSAGE_LENGTH) } : {}),
    }
  } catch {
    return undefined
  }
}
