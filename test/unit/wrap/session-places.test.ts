import { describe, expect, it } from 'vitest'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { type PlacedSession, SessionPlaces, TooManySessions } from '../../../src/wrap/http/places.ts'

const LIMIT = 3

function scene() {
  const clock = new FakeClock()
  const places = new SessionPlaces(LIMIT, clock)
  places.start()
  /** A session that began now, with its first requests answered. */
  const begin = async () => {
    await places.take()
    const session = new Placed(clock, places)
    places.occupy(session)
    return session
  }
  return { clock, places, begin }
}

class Placed implements PlacedSession {
  readonly startedAt: number
  lastSeen: number
  inUse = false
  ended = false

  constructor(
    private readonly clock: FakeClock,
    private readonly places: SessionPlaces,
  ) {
    this.startedAt = clock.monotonic()
    this.lastSeen = this.startedAt
  }

  comeBack(): void {
    this.lastSeen = this.clock.monotonic()
  }

  async close(): Promise<void> {
    await Promise.resolve()
    this.ended = true
    this.places.leave(this)
  }
}

describe('places for sessions', () => {
  it('are limited, however many want one at the same moment', async () => {
    const { begin } = scene()
    const opened = await Promise.allSettled(
      Array.from({ length: 64 }, async () => {
        const session = await begin()
        session.inUse = true
      }),
    )
    expect(opened.filter(({ status }) => status === 'fulfilled')).toHaveLength(LIMIT)
    for (const one of opened) {
      if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(TooManySessions)
    }
  })

  it('are free again when the session is gone', async () => {
    const { begin } = scene()
    const sessions = [await begin(), await begin(), await begin()]
    for (const session of sessions) session.inUse = true
    await sessions[0]?.close()
    await begin()
  })

  it('pass on from whoever never came back, then from whoever was silent for longest', async () => {
    const { clock, begin } = scene()
    const [a, b, c] = [await begin(), await begin(), await begin()]
    await clock.advance('20s')
    b.comeBack()
    await clock.advance('1s')
    a.comeBack()
    await begin()
    expect([a.ended, b.ended, c.ended]).toEqual([false, false, true])
    for (const session of [await begin()]) session.inUse = true
    await begin()
    expect([a.ended, b.ended]).toEqual([false, true])
  })

  it('never pass on from a session in use', async () => {
    const { clock, begin } = scene()
    const sessions = [await begin(), await begin(), await begin()]
    for (const session of sessions) session.inUse = true
    await clock.advance('3h')
    await expect(begin()).rejects.toThrow(TooManySessions)
    expect(sessions.some(({ ended }) => ended)).toBe(false)
  })

  it('pass on only when the server of the old session is gone', async () => {
    const { begin, places } = scene()
    const [first] = [await begin(), await begin(), await begin()]
    const gone: string[] = []
    first.close = async () => {
      await new Promise(resolve => setImmediate(resolve))
      gone.push('old')
    }
    await places.take().then(() => gone.push('new'))
    expect(gone).toEqual(['old', 'new'])
  })
})

describe('a session that nobody uses', () => {
  it('ends within about a minute when nobody ever came back to it', async () => {
    const { clock, begin } = scene()
    const session = await begin()
    await clock.advance('55s')
    expect(session.ended).toBe(false)
    await clock.advance('15s')
    expect(session.ended).toBe(true)
  })

  it('ends after an hour of silence when somebody had come back to it', async () => {
    const { clock, begin } = scene()
    const session = await begin()
    await clock.advance('30s')
    session.comeBack()
    await clock.advance('55m')
    expect(session.ended).toBe(false)
    await clock.advance('6m')
    expect(session.ended).toBe(true)
  })
})
