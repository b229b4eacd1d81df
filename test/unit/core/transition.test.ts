import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { type Entry, isInFlight, type PendingEntry } from '../../../src/core/entry.ts'
import { type EntryEvent, transition } from '../../../src/core/transition.ts'

const pending: PendingEntry = {
  status: 'pending',
  refId: `t:${'0'.repeat(32)}`,
  key: 'k',
  toolName: 'tool',
  namespace: 'public',
  policy: AccessPolicy.public,
  startedBy: 'x',
  createdAt: 0,
  version: 1,
  attempt: 0,
  maxRetries: 0,
  idempotent: false,
  retryHistory: [],
  lease: { owner: 'a', duration: 100 },
}

const lease = (owner: string) => ({ owner, duration: 100 })
const error = { code: 'task_failed', message: 'no' } as const
const end = { now: 20, expiresAt: 1020 }
const start: EntryEvent = { type: 'start', owner: 'a', now: 10 }
const complete = (owner: string): EntryEvent => ({ type: 'complete', owner, valueBytes: 7, ...end })
const fail = (owner: string): EntryEvent => ({ type: 'fail', owner, error, ...end })
const postpone = (owner: string): EntryEvent => ({ type: 'postpone', owner, error, now: 20, retryAt: 50 })
const progress = (owner: string): EntryEvent => ({
  type: 'progress',
  owner,
  progress: { current: 1, total: 2 },
  pace: 0.5,
})
const cancel: EntryEvent = { type: 'cancel', ...end }
const take = (owner: string, seen: number): EntryEvent => ({
  type: 'take',
  seen,
  lease: lease(owner),
  now: 30,
})
const retry = (owner: string, keepKey = true): EntryEvent => ({ type: 'retry', lease: lease(owner), keepKey })

function reached(...events: EntryEvent[]): Entry {
  return events.reduce<Entry>((entry, event) => {
    const moved = transition(entry, event)
    if (!moved.ok) throw new Error(`${event.type} was refused: ${moved.refused}`)
    return moved.entry
  }, pending)
}

const refusal = (entry: Entry, event: EntryEvent) => {
  const moved = transition(entry, event)
  return moved.ok ? undefined : moved.refused
}

describe('transition', () => {
  it('takes a task from pending through processing to complete, and keeps its key', () => {
    expect(reached(start)).toMatchObject({ status: 'processing', attempt: 1, startedAt: 10, version: 2 })
    const done = reached(start, progress('a'), complete('a'))
    expect(done).toMatchObject({
      status: 'complete',
      key: 'k',
      completedAt: 20,
      expiresAt: 1020,
      version: 4,
      valueBytes: 7,
    })
    expect(done).not.toHaveProperty('lease')
    expect(done).not.toHaveProperty('pace')
  })

  it.each([
    ['fails', fail('a')],
    ['is cancelled', cancel],
    ['is lost', { type: 'lose', seen: 2, ...end }],
  ] as const)('releases the key of a task that %s, so that the next identical call runs', (_, event) => {
    const ended = reached(start, event)
    expect(ended.key).toBeUndefined()
    expect(ended.releasedKey).toBe('k')
  })

  it('keeps the last progress in the settled entry', () => {
    expect(reached(start, progress('a'), fail('a'))).toMatchObject({ progress: { current: 1, total: 2 } })
  })

  it('settle needs the lease: nobody else can complete, fail, put off, renew, release or report', () => {
    const processing = reached(start)
    const foreign: EntryEvent[] = [
      complete('b'),
      fail('b'),
      postpone('b'),
      progress('b'),
      { type: 'renew', owner: 'b' },
      { type: 'release', owner: 'b' },
    ]
    for (const event of foreign) expect(refusal(processing, event)).toBe('lease_lost')
  })

  it('a lost task goes to another process only if nobody touched it since that process looked', () => {
    const processing = reached(start, progress('a'))
    expect(refusal(processing, take('b', processing.version - 1))).toBe('lease_held')
    const taken = reached(start, progress('a'), take('b', processing.version))
    expect(taken).toMatchObject({ status: 'pending', lease: { owner: 'b' }, attempt: 1, key: 'k' })
    expect(taken).not.toHaveProperty('progress')
    expect(taken.retryHistory).toMatchObject([{ attempt: 1, error: { code: 'worker_lost' } }])
    for (const event of [complete('a'), start, progress('a')])
      expect(refusal(taken, event)).toBe('lease_lost')
  })

  it('a failed attempt waits for the next one under its lease and key, and is remembered', () => {
    const waiting = reached(start, progress('a'), postpone('a'))
    expect(waiting).toMatchObject({
      status: 'pending',
      retryAt: 50,
      key: 'k',
      lease: { owner: 'a' },
      retryHistory: [{ attempt: 1, error, at: 20 }],
    })
    expect(waiting).not.toHaveProperty('progress')
    const again = reached(start, postpone('a'), start)
    expect(again).toMatchObject({ status: 'processing', attempt: 2 })
    expect(again).not.toHaveProperty('retryAt')
  })

  it('is retried by hand after failing or being cancelled, with or without its key', () => {
    expect(reached(start, fail('a'), retry('b'))).toMatchObject({
      status: 'pending',
      key: 'k',
      lease: { owner: 'b' },
      attempt: 1,
    })
    const keyless = reached(start, cancel, retry('b', false))
    expect(keyless.key).toBeUndefined()
    for (const gone of ['error', 'completedAt', 'expiresAt', 'releasedKey']) {
      expect(reached(start, fail('a'), retry('b'))).not.toHaveProperty(gone)
    }
  })

  it('is not retried while it runs, nor after it has finished', () => {
    expect(refusal(pending, retry('b'))).toBe('not_ended')
    expect(refusal(reached(start), retry('b'))).toBe('not_ended')
    expect(refusal(reached(start, complete('a')), retry('b'))).toBe('already_settled')
  })

  it('cancels a task that has not started, or waits for its next attempt', () => {
    expect(reached(cancel)).toMatchObject({ status: 'cancelled' })
    expect(reached(start, postpone('a'), cancel)).toMatchObject({ status: 'cancelled' })
  })

  it('remembers no more than the last twenty failures', () => {
    const events = Array.from({ length: 25 }, () => [start, fail('a'), retry('a')]).flat()
    const { retryHistory } = reached(...events)
    expect(retryHistory).toHaveLength(20)
    expect(retryHistory.at(-1)).toMatchObject({ attempt: 25 })
  })

  it('holds its invariants under any sequence of events', () => {
    const owner = fc.constantFrom('a', 'b')
    const seen = fc.integer({ min: 1, max: 12 })
    const event = fc.oneof(
      owner.map(o => ({ type: 'start' as const, owner: o, now: 10 })),
      owner.map(o => ({ type: 'renew' as const, owner: o })),
      owner.map(o => ({ type: 'release' as const, owner: o })),
      owner.map(progress),
      owner.map(complete),
      owner.map(fail),
      owner.map(postpone),
      owner.map(o => retry(o)),
      fc.constant(cancel),
      seen.map(version => ({ type: 'lose' as const, seen: version, ...end })),
      fc.tuple(owner, seen).map(([o, version]) => take(o, version)),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), events => {
        let entry: Entry = pending
        for (const next of events) {
          const moved = transition(entry, next)
          if (entry.status === 'complete') expect(moved.ok).toBe(false)
          if (!isInFlight(entry) && next.type !== 'retry') expect(moved.ok).toBe(false)
          if (!moved.ok) continue
          expect(moved.entry.version).toBe(entry.version + 1)
          expect('lease' in moved.entry).toBe(isInFlight(moved.entry))
          expect('expiresAt' in moved.entry).toBe(!isInFlight(moved.entry))
          expect('error' in moved.entry).toBe(moved.entry.status === 'failed')
          expect(moved.entry.attempt - entry.attempt).toBe(next.type === 'start' ? 1 : 0)
          if (moved.entry.status === 'failed' || moved.entry.status === 'cancelled') {
            expect(moved.entry.key).toBeUndefined()
          }
          // Whoever changes it without the lease can only end it, begin it again, or take it at the version it saw.
          if ('owner' in next && isInFlight(entry)) expect(entry.lease.owner).toBe(next.owner)
          if ('seen' in next) expect(entry.version).toBe(next.seen)
          entry = moved.entry
        }
      }),
      { numRuns: 500 },
    )
  })
})
