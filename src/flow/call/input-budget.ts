import { untilAborted } from '../../core/abort.ts'
import type { Clock } from '../../core/clock.ts'
import { QueueFull } from '../../core/errors.ts'

/** How long a task waits for memory before it gives up. */
const PATIENCE_MS = 30_000

/** What is so small a part of the budget is neither counted nor kept waiting. */
const SMALL_PART = 256

interface Waiter {
  readonly share: InputShare
  readonly bytes: number
  go(): void
}

/** The memory that filled inputs of running tasks may take in this process. */
export class InputBudget {
  #used = 0
  readonly #shares = new Set<InputShare>()
  readonly #line: Waiter[] = []

  constructor(
    private readonly limit: number,
    private readonly clock: Clock,
  ) {}

  /** One task's part of the budget, to be ended when its handler is done with its input. */
  open(): InputShare {
    const share = new InputShare(this)
    this.#shares.add(share)
    return share
  }

  /** Takes more for a share, when there is room. @throws QueueFull when there is none for too long */
  async take(share: InputShare, bytes: number, signal: AbortSignal): Promise<void> {
    const place = this.#placeOf(share)
    if (this.#isSmall(share, bytes) || (place === 0 && this.#hasRoom(share, bytes))) {
      return this.#grant(share, bytes)
    }
    let endPatience = () => {}
    const waiting = new Promise<void>((go, refuse) => {
      this.#line.splice(place, 0, { share, bytes, go })
      endPatience = this.clock.schedule(PATIENCE_MS, () => refuse(new QueueFull(FULL)))
    })
    // Perhaps all others wait too.
    this.#serve()
    try {
      await untilAborted(signal, () => waiting)
    } finally {
      endPatience()
      this.#leaveLine(share)
    }
  }

  /** The share takes no more. */
  close(share: InputShare): void {
    share.filling = false
    this.#serve()
  }

  end(share: InputShare): void {
    if (this.#shares.delete(share)) this.#used -= share.counted
    this.#serve()
  }

  #serve(): void {
    for (let next = this.#line[0]; next && this.#isNext(next); next = this.#line[0]) {
      this.#line.shift()
      this.#grant(next.share, next.bytes)
      next.go()
    }
  }

  /** One after the other, or many would each have a part of what one of them needs. */
  #isNext({ share, bytes }: Waiter): boolean {
    const othersFill = [...this.#shares].some(one => one !== share && one.counted > 0 && one.filling)
    return this.#hasRoom(share, bytes) && !(share.counted === 0 && othersFill)
  }

  /** Whoever has some already comes before those that have none: what is half done is done first. */
  #placeOf({ counted }: InputShare): number {
    const firstNew = this.#line.findIndex(waiter => waiter.share.counted === 0)
    return counted === 0 || firstNew < 0 ? this.#line.length : firstNew
  }

  #leaveLine(share: InputShare): void {
    const place = this.#line.findIndex(waiter => waiter.share === share)
    if (place < 0) return
    this.#line.splice(place, 1)
    this.#serve()
  }

  #isSmall({ bytes }: InputShare, more: number): boolean {
    return bytes + more <= this.limit / SMALL_PART
  }

  /** Where all others wait as well, nobody would ever make room: the first in line goes on. */
  #hasRoom(share: InputShare, bytes: number): boolean {
    if (this.#used - share.counted + share.bytes + bytes <= this.limit) return true
    const waiting = new Set(this.#line.map(waiter => waiter.share))
    return [...this.#shares].every(one => one === share || one.counted === 0 || waiting.has(one))
  }

  #grant(share: InputShare, bytes: number): void {
    if (!this.#shares.has(share)) return
    const small = this.#isSmall(share, bytes)
    share.bytes += bytes
    if (small) return
    this.#used += share.bytes - share.counted
    share.counted = share.bytes
  }
}

const FULL =
  'Other calls with large values in their inputs are running, and the memory for these is used up. Try again in a while.'

export class InputShare {
  /** All that the share holds, and what of it counts against the budget. */
  bytes = 0
  counted = 0
  filling = true

  constructor(private readonly budget: InputBudget) {}

  take(bytes: number, signal: AbortSignal): Promise<void> {
    return this.budget.take(this, bytes, signal)
  }

  /** All that is needed is taken. */
  close(): void {
    this.budget.close(this)
  }

  /** Twice is safe. */
  end(): void {
    this.budget.end(this)
  }
}
