import type { Clock } from '../core/clock.ts'

/** A session, as far as its place goes. Times are of the monotonic clock. */
export interface PlacedSession {
  /** It has an open request or stream, or work that is not finished. */
  readonly inUse: boolean
  readonly startedAt: number
  /** When its last request ended. */
  readonly lastSeen: number
  /** Resolves when its server is gone. */
  close(): Promise<void>
}

/** A client that has been silent for so long, with nothing open, is taken to be gone. */
const IDLE_MS = 60 * 60 * 1000
/** The same for one that never came back after its first requests, which came within `FIRST_MS`. */
const ABANDONED_MS = 60 * 1000
const FIRST_MS = 10 * 1000
const CHECK_MS = 5 * 1000

export class TooManySessions extends Error {
  override readonly name = 'TooManySessions'
}

/** Limits how many sessions there are at once, and ends those that nobody uses any more. */
export class SessionPlaces {
  readonly #sessions = new Set<PlacedSession>()
  #taken = 0
  #stopChecking = () => {}

  constructor(
    private readonly limit: number,
    private readonly clock: Clock,
  ) {}

  start(): void {
    this.#stopChecking = this.clock.schedule(
      CHECK_MS,
      () => {
        this.#endUnused()
        this.start()
      },
      'background',
    )
  }

  /**
   * Takes a place for a session that is about to begin. Where there is none, the session that will be missed least
   * ends, and its place passes on when its server is gone.
   * @throws TooManySessions when all sessions are in use
   */
  async take(): Promise<void> {
    if (this.#taken < this.limit) {
      this.#taken++
      return
    }
    const unused = this.#unused()
    if (!unused) throw new TooManySessions()
    this.#sessions.delete(unused)
    await unused.close()
  }

  /** The session that a place was taken for. */
  occupy(session: PlacedSession): void {
    this.#sessions.add(session)
  }

  /** The session and its server are gone. */
  leave(session: PlacedSession): void {
    if (this.#sessions.delete(session)) this.#taken--
  }

  async close(): Promise<void> {
    this.#stopChecking()
    await Promise.all([...this.#sessions].map(session => session.close()))
  }

  #endUnused(): void {
    const now = this.clock.monotonic()
    for (const session of this.#sessions) {
      const silence = now - session.lastSeen
      if (!session.inUse && silence > (cameBack(session) ? IDLE_MS : ABANDONED_MS)) void session.close()
    }
  }

  /** First whoever never came back, then whoever has been silent for longest. */
  #unused(): PlacedSession | undefined {
    const [first] = [...this.#sessions]
      .filter(({ inUse }) => !inUse)
      .sort((a, b) => Number(cameBack(a)) - Number(cameBack(b)) || a.lastSeen - b.lastSeen)
    return first
  }
}

function cameBack({ startedAt, lastSeen }: PlacedSession): boolean {
  return lastSeen - startedAt > FIRST_MS
}
