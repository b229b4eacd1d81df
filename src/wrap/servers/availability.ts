import type { Clock } from '../../core/clock.ts'
import { Signal } from '../../core/signal.ts'

/** How long a call waits for a server that starts. */
const PATIENCE_MS = 30_000
/** A pause before the next start that is no longer is waited for, too. */
const SHORT_PAUSE_MS = 1_000
/** After that, a server is asked whether it is there before it gets a call. */
const SILENT_MS = 60_000

/** Whether a server can be used, as far as it is known. */
export class Availability {
  readonly #changed = new Signal()
  #isStarted = false
  #isReady = false
  #heardAt = 0
  #away: { readonly reason: string; readonly pauseMs: number } | undefined

  constructor(private readonly clock: Clock) {}

  get isStarted(): boolean {
    return this.#isStarted
  }

  get isReady(): boolean {
    return this.#isReady
  }

  /** Why it could not be used when it was last tried. */
  get away(): string | undefined {
    return this.#away?.reason
  }

  /** It has said nothing for so long that it may hang. */
  get isSilent(): boolean {
    return this.clock.monotonic() - this.#heardAt > SILENT_MS
  }

  started(): void {
    this.#isStarted = true
  }

  heard(): void {
    this.#heardAt = this.clock.monotonic()
  }

  ready(): void {
    this.heard()
    this.#isReady = true
    this.#away = undefined
    this.#changed.notify()
  }

  /** It is over, or not there yet. */
  unready(): void {
    this.#isReady = false
  }

  /** It is tried again after the pause. */
  wentAway(reason: string, pauseMs: number): void {
    this.#away = { reason, pauseMs }
    this.#changed.notify()
  }

  /** Resolves when it has answered, or could not be started. */
  async settled(): Promise<void> {
    while (this.#isStarted && !this.#isReady && !this.#away) await this.#changed.next()
  }

  /** Resolves when it can be used, or is not to be waited for. */
  async waited(): Promise<void> {
    let isOver = false
    const cancel = this.clock.schedule(PATIENCE_MS, () => {
      isOver = true
      this.#changed.notify()
    })
    const isHopeless = () => this.#away !== undefined && this.#away.pauseMs > SHORT_PAUSE_MS
    while (this.#isStarted && !this.#isReady && !isOver && !isHopeless()) await this.#changed.next()
    cancel()
  }
}
