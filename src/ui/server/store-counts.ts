import { type Clock, waitAtMost } from '../../core/clock.ts'
import type { TokenCounts } from '../../core/token-savings.ts'
import type { CacheCounts, Inspector } from '../../inspect/index.ts'

/** How a store stands. */
export interface Counted {
  /** When the count began, by the monotonic clock: what happened later may not be in it. */
  readonly from: number
  readonly caches: readonly CacheCounts[]
  readonly savings: readonly TokenCounts[]
}

/** Counts are taken at most so often; where they take long, more seldom: they cost a store at most a twentieth of its time. */
const COUNT_EVERY_MS = 1_000
const SHARE_OF_TIME = 20
/** Who asks waits so long for the first count. */
const PATIENCE_MS = 150

/** Counts a store when somebody asks for it. Who asks while it counts is told of the count before. */
export class StoreCounts {
  #counting: Promise<void> | undefined
  #counted: Counted | undefined
  /** From the end of a count to the next one. */
  #pause = 0
  #nextAt = Number.NEGATIVE_INFINITY

  constructor(
    private readonly inspector: Inspector,
    private readonly clock: Clock,
  ) {}

  /** Whether it takes so long that what it gives may be old. */
  get isSlow(): boolean {
    return !this.#counted || this.#pause > COUNT_EVERY_MS
  }

  /** Undefined: it is counted for the first time, and that takes a while. @throws StoreUnavailable */
  async get(): Promise<Counted | undefined> {
    if (!this.#counting && this.clock.monotonic() >= this.#nextAt) {
      this.#counting = this.#count().finally(() => {
        this.#counting = undefined
      })
    }
    if (this.#counting) await waitAtMost(this.clock, PATIENCE_MS, this.#counting)
    return this.#counted
  }

  async #count(): Promise<void> {
    const { clock, inspector } = this
    const begun = clock.monotonic()
    const [{ caches }, savings] = await Promise.all([inspector.stats(), inspector.savings()])
    const ended = clock.monotonic()
    this.#counted = { from: begun, caches, savings }
    this.#pause = Math.max(COUNT_EVERY_MS, (ended - begun) * SHARE_OF_TIME)
    this.#nextAt = ended + this.#pause
  }
}
