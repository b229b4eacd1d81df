import type { Clock } from '../../core/clock.ts'

/** A session, as far as its place goes. Times are of the monotonic clock. */
export interface PlacedSession {
  /** It has an open request or stream, or work that is not finished. */
  readonly inUse: boolean
  readonly startedAt: number
  /** Whose it is, where that is known. */
  readonly owner?: string | undefined
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
  readonly #takenBy = new Map<string, number>()
  #taken = 0
  #stopChecking = () => {}

  /** @param limitOfOne how many one owner may have */
  constructor(
    private readonly limit: number,
    private readonly clock: Clock,
    private readonly limitOfOne = limit,
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
   * An owner who has too many gives up one of its own.
   * @throws TooManySessions when all sessions, or all of the owner's, are in use
   */
  async take(owner?: string): Promise<void> {
    const ownHas = owner === undefined ? 0 : (this.#takenBy.get(owner) ?? 0)
    const hasTooMany = ownHas >= this.limitOfOne
    if (!hasTooMany && this.#taken < this.limit) return this.#count(owner, 1)
    const unused = this.#unused(hasTooMany ? owner : undefined)
    if (!unused) throw new TooManySessions()
    this.#sessions.delete(unused)
    this.#count(unused.owner, -1)
    this.#count(owner, 1)
    await unused.close()
  }

  /** The session that a place was taken for. */
  occupy(session: PlacedSession): void {
    this.#sessions.add(session)
  }

  /** The session and its server are gone. */
  leave(session: PlacedSession): void {
    if (this.#sessions.delete(session)) this.#count(session.owner, -1)
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

  #count(owner: string | undefined, change: 1 | -1): void {
    this.#taken += change
    if (owner === undefined) return
    const rest = (this.#takenBy.get(owner) ?? 0) + change
    if (rest > 0) this.#takenBy.set(owner, rest)
    else this.#takenBy.delete(owner)
  }

  /** First whoever never came back, then whoever has been silent for longest. */
  #unused(owner: string | undefined): PlacedSession | undefined {
    const [first] = [...this.#sessions]
      .filter(session => !session.inUse && (owner === undefined || session.owner === owner))
      .sort((a, b) => Number(cameBack(a)) - Number(cameBack(b)) || a.lastSeen - b.lastSeen)
    return first
  }
}

function cameBack({ startedAt, lastSeen }: PlacedSession): boolean {
  return lastSeen - startedAt > FIRST_MS
}
