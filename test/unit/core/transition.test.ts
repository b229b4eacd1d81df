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
  lease: { owner: 'a', until: 100 },
}

const lease = (owner: string, until = 200) => ({ owner, until })
const start: EntryEvent = { type: 'start', lease: lease('a'), now: 10 }
const complete = (owner: string): EntryEvent => ({
  type: 'complete',
  owner,
  now: 20,
  expiresAt: 1020,
  progress: undefined,
})
const fail = (owner: string): EntryEvent => ({
  type: 'fail',
  owner,
  now: 20,
  expiresAt: 1020,
  progress: undefined,
  error: { code: 'task_failed', message: 'no' },
})
const cancel: EntryEvent = { type: 'cancel', now: 20, expiresAt: 1020 }

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
    const processing = reached(start)
    expect(processing).toMatchObject({ status: 'processing', attempt: 1, startedAt: 10, version: 2 })
    const done = reached(start, complete('a'))
    expect(done).toMatchObject({ status: 'complete', key: 'k', completedAt: 20, expiresAt: 1020, version: 3 })
    expect(done).not.toHaveProperty('lease')
  })

  it.each([
    ['fails', fail('a')],
    ['is cancelled', cancel],
  ])('releases the key of a task that %s, so that the next identical call runs', (_, event) => {
    expect(reached(start, event).key).toBeUndefined()
  })

  it('keeps the last progress in the settled entry', () => {
    const progress: EntryEvent = { type: 'progress', owner: 'a', progress: { current: 1, total: 2 } }
    expect(reached(start, progress, fail('a'))).toMatchObject({ progress: { current: 1, total: 2 } })
  })

  it('settle needs the lease: nobody else can complete, fail, renew or report', () => {
    const processing = reached(start)
    for (const event of [complete('b'), fail('b'), { type: 'renew', lease: lease('b') } as const]) {
      expect(refusal(processing, event)).toBe('lease_lost')
    }
    expect(refusal(processing, { type: 'progress', owner: 'b', progress: {} })).toBe('lease_lost')
  })

  it('gives a lost task to another only after its lease ran out', () => {
    const processing = reached(start)
    expect(refusal(processing, { type: 'take', lease: lease('b'), now: 199 })).toBe('lease_held')
    const taken = reached(start, { type: 'take', lease: lease('b', 400), now: 200 })
    expect(taken).toMatchObject({ status: 'pending', lease: { owner: 'b' }, attempt: 1 })
    expect(refusal(taken, complete('a'))).toBe('lease_lost')
    expect(refusal(taken, start)).toBe('lease_lost')
  })

  it('cancels a task that has not started', () => {
    expect(reached(cancel)).toMatchObject({ status: 'cancelled' })
  })

  it('a settled task stays as it is, whatever happens, and the version only grows', () => {
    const owner = fc.constantFrom('a', 'b')
    const now = fc.integer({ min: 0, max: 500 })
    const error = { code: 'worker_lost', message: '' } as const
    const event = fc.oneof(
      fc.record({ owner, now, until: now }).map(e => ({ type: 'start' as const, lease: e, now: e.now })),
      fc.record({ owner, until: now }).map(e => ({ type: 'renew' as const, lease: e })),
      owner.map(o => ({ type: 'progress' as const, owner: o, progress: { current: 1 } })),
      owner.map(complete),
      owner.map(fail),
      fc.constant(cancel),
      now.map(n => ({ type: 'lose' as const, now: n, expiresAt: undefined, error })),
      fc.record({ owner, now, until: now }).map(e => ({ type: 'take' as const, lease: e, now: e.now })),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), events => {
        let entry: Entry = pending
        for (const next of events) {
          const moved = transition(entry, next)
          if (!isInFlight(entry)) expect(moved).toEqual({ ok: false, refused: 'already_settled' })
          if (moved.ok) {
            expect(moved.entry.version).toBe(entry.version + 1)
            expect('lease' in moved.entry).toBe(isInFlight(moved.entry))
            entry = moved.entry
          }
        }
      }),
    )
  })
})
