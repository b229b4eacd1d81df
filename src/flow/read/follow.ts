import { type Entry, isInFlight } from '../../core/entry.ts'
import { onAbort } from '../../core/on-abort.ts'
import type { Engine } from '../engine.ts'

export interface FollowOptions {
  /** How long to follow, in milliseconds; absent: until the task settles. */
  within: number | undefined
  /** Each ends the following, never the task. */
  signals?: ReadonlyArray<AbortSignal | undefined>
  /** Hears of every change that is seen on the way. */
  onChange?: ((entry: Entry) => void) | undefined
}

/** Stores that cannot tell of other processes' changes are asked this often; the others, to be safe, rarely. */
const POLL_MS = { unwatched: 200, watched: 2_000 }

export function pollInterval(engine: Engine): number {
  return engine.store.capabilities.watch ? POLL_MS.watched : POLL_MS.unwatched
}

/**
 * Waits until the task settles, or the time is over, or the caller gives up; gives the entry as it then is, or
 * nothing where it is gone. The wait races the task and never touches it.
 */
export async function follow(
  engine: Engine,
  entry: Entry,
  options: FollowOptions,
): Promise<Entry | undefined> {
  const { within, signals = [], onChange } = options
  if (!isInFlight(entry) || within === 0 || signals.some(signal => signal?.aborted)) return entry
  const bell = new Bell(engine, entry.refId, within, signals)
  try {
    let latest: Entry | undefined = await engine.store.get(entry.refId)
    while (latest && isInFlight(latest) && !bell.over) {
      onChange?.(latest)
      await bell.rings()
      latest = await engine.store.get(entry.refId)
    }
    return latest
  } finally {
    bell.end()
  }
}

/** Rings on a change of the entry, and for the last time when the wait is over. */
class Bell {
  over = false
  #rang = false
  #wake: (() => void) | undefined
  readonly #ends: Array<() => void> = []

  constructor(
    engine: Engine,
    refId: string,
    within: number | undefined,
    signals: ReadonlyArray<AbortSignal | undefined>,
  ) {
    const ring = () => this.#ring()
    const finish = () => {
      this.over = true
      this.#ring()
    }
    this.#ends.push(engine.store.watch(refId, ring))
    this.#pollEvery(engine, pollInterval(engine))
    if (within !== undefined) this.#ends.push(engine.clock.schedule(within, finish))
    for (const signal of signals) if (signal) this.#ends.push(onAbort(signal, finish))
  }

  async rings(): Promise<void> {
    if (!this.#rang) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    this.#rang = false
  }

  end(): void {
    for (const end of this.#ends) end()
  }

  #ring(): void {
    this.#rang = true
    this.#wake?.()
  }

  #pollEvery(engine: Engine, ms: number): void {
    const place = this.#ends.push(() => {}) - 1
    const again = () => {
      this.#ends[place] = engine.clock.schedule(ms, () => {
        this.#ring()
        again()
      })
    }
    again()
  }
}
