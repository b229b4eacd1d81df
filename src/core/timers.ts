import type { Clock } from './clock.ts'

/** What happens when a wait is over. */
export interface Due {
  onDue(): void
}

/** A wait that has begun. */
export interface Wait {
  /** Twice is safe, and so is the end of one that is over. */
  end(): void
}

/** So many end in one go, before others have their turn. */
const MOST_AT_ONCE = 200

/**
 * Waits of which there may be very many, such as the time limits of running tasks. Those that are equally long end in the order in which
 * they began, so one timer of the clock serves them all. They keep no process alive.
 */
export class Timers {
  readonly #lines = new Map<number, Line>()

  /** @param bind gives what is told instead: the timer is not that of whoever waits */
  constructor(
    private readonly clock: Clock,
    private readonly bind = (due: Due): Due => due,
  ) {}

  /** Calls `due.onDue()` once after `ms`. */
  begin(ms: number, due: Due): Wait {
    const line = this.#lines.get(ms) ?? new Line(this.clock, ms, () => this.#lines.delete(ms))
    this.#lines.set(ms, line)
    return line.add(this.bind(due))
  }
}

/** Waits of one length, the next to end first. */
class Line {
  readonly #waits = new Set<WaitInLine>()
  #cancelTimer: (() => void) | undefined
  #isEndingSome = false

  constructor(
    private readonly clock: Clock,
    private readonly ms: number,
    private readonly onEmpty: () => void,
  ) {}

  add(due: Due): Wait {
    const wait = new WaitInLine(this, due, this.clock.monotonic() + this.ms)
    this.#waits.add(wait)
    this.#cancelTimer ??= this.#schedule(this.ms)
    return wait
  }

  remove(wait: WaitInLine): void {
    if (this.#waits.delete(wait) && this.#waits.size === 0 && !this.#isEndingSome) this.#leave()
  }

  #leave(): void {
    this.#cancelTimer?.()
    this.onEmpty()
  }

  #schedule(ms: number): () => void {
    return this.clock.schedule(ms, () => this.#endThoseDue(), 'background')
  }

  #endThoseDue(): void {
    const now = this.clock.monotonic()
    let left = MOST_AT_ONCE
    this.#isEndingSome = true
    try {
      for (const wait of this.#waits) {
        if (wait.at > now || left-- === 0) break
        this.#waits.delete(wait)
        wait.due.onDue()
      }
    } finally {
      this.#isEndingSome = false
      const [next] = this.#waits
      if (next) this.#cancelTimer = this.#schedule(next.at - now)
      else this.#leave()
    }
  }
}

class WaitInLine implements Wait {
  constructor(
    private readonly line: Line,
    readonly due: Due,
    /** By the monotonic clock. */
    readonly at: number,
  ) {}

  end(): void {
    this.line.remove(this)
  }
}
