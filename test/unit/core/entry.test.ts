import { describe, expect, it } from 'vitest'
import { AccessPolicy } from '../../../src/access/policy.ts'
import {
  type Entry,
  expiry,
  isExpired,
  isInFlight,
  isRepeatable,
  parseEntry,
  removedEntries,
  removedEntry,
} from '../../../src/core/entry.ts'
import { hasValue } from '../../../src/core/entry-value.ts'
import { History } from '../../../src/core/history.ts'
import { isSuspect, mayRunAgain, withLoss } from '../../../src/core/losses.ts'

const base = {
  ...{ refId: `t:${'0'.repeat(32)}`, namespace: 'public', policy: AccessPolicy.public, startedBy: 'x' },
  ...{ createdAt: 0, version: 1, attempt: 1, maxRetries: 0, idempotent: false, retryHistory: [] },
}
const lease = { owner: 'a', duration: 1 }
const error = { code: 'task_failed', message: 'no' } as const
const all = {
  pending: { ...base, status: 'pending', lease },
  processing: { ...base, status: 'processing', lease, startedAt: 0 },
  complete: { ...base, status: 'complete', completedAt: 1, valueBytes: 0 },
  failed: { ...base, status: 'failed', completedAt: 1, error },
  cancelled: { ...base, status: 'cancelled', completedAt: 1 },
} satisfies Record<string, Entry>

describe('a stored record', () => {
  it.each(Object.entries<Entry>(all))('is an entry: %s', (_, entry) => {
    expect(parseEntry(JSON.stringify(entry))).toEqual(entry)
  })

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a number', 7],
    ['a text', 'x'],
    ['a list', []],
    ['without a reference', { ...all.complete, refId: undefined }],
    ['without a version', { ...all.complete, version: '1' }],
    ['without a policy', { ...all.complete, policy: undefined }],
    ['with attempts that are no list', { ...all.complete, retryHistory: {} }],
    ['with an unknown status', { ...all.complete, status: 'done' }],
    ['failed without an error', { ...all.failed, error: undefined }],
    ['pending without a lease', { ...all.pending, lease: undefined }],
    ['processing without a lease', { ...all.processing, lease: undefined }],
  ])('is damaged: %s', (_, record) => {
    expect(() => parseEntry(JSON.stringify(record))).toThrow(SyntaxError)
    expect(() => parseEntry(JSON.stringify(record))).toThrow(/no entry/)
  })

  it('is damaged where it is no JSON', () => expect(() => parseEntry('{"refId":')).toThrow(SyntaxError))
})

describe('an entry', () => {
  it('is in flight until it is settled', () => {
    expect(Object.values<Entry>(all).map(isInFlight)).toEqual([true, true, false, false, false])
  })

  it('has a value once it is complete, or failed with one', () => {
    expect(Object.values<Entry>(all).map(hasValue)).toEqual([false, false, true, false, false])
    expect(hasValue({ ...all.failed, valueBytes: 0 })).toBe(true)
    expect(hasValue({ ...all.failed, valueBytes: undefined } as never)).toBe(false)
  })

  it('may be run by another process where its work is idempotent, or is to follow another task', () => {
    expect(isRepeatable(all.pending)).toBe(false)
    expect(isRepeatable({ ...all.pending, idempotent: true })).toBe(true)
    expect(isRepeatable({ ...all.pending, follows: base.refId })).toBe(true)
  })

  it('expires at its time, and not without one', () => {
    const entry = { ...all.complete, expiresAt: 100 }
    expect([99, 100, 101].map(now => isExpired(entry, now))).toEqual([false, true, true])
    expect(isExpired(all.complete, Number.MAX_VALUE)).toBe(false)
    expect([expiry(5, 10), expiry(5, 0), expiry(5, undefined)]).toEqual([15, 5, undefined])
  })
})

describe('processes that were lost with a task', () => {
  it('are counted by whether it was alone', () => {
    expect(withLoss(undefined, false)).toEqual({ alone: 1, together: 0 })
    expect(withLoss({ alone: 1, together: 2 }, false)).toEqual({ alone: 2, together: 2 })
    expect(withLoss({ alone: 1, together: 2 }, true)).toEqual({ alone: 1, together: 3 })
  })

  it('make it suspect from the second in company on', () => {
    expect([0, 1, 2, 3].map(together => isSuspect({ alone: 9, together }))).toEqual([
      false,
      false,
      true,
      true,
    ])
    expect(isSuspect(undefined)).toBe(false)
  })

  it('end it: three alone, or ten in company', () => {
    expect(mayRunAgain(undefined)).toBe(true)
    expect([0, 2, 3, 4].map(alone => mayRunAgain({ alone, together: 0 }))).toEqual([true, true, false, false])
    expect([9, 10, 11].map(together => mayRunAgain({ alone: 0, together }))).toEqual([true, false, false])
  })
})

describe('how long the runs of a tool took', () => {
  const ran = (ms: number, more: Partial<Entry> = {}) =>
    ({ ...all.complete, toolName: 'tool', startedAt: 1_000, completedAt: 1_000 + ms, ...more }) as never
  const history = (...durations: number[]) => {
    const own = new History()
    for (const ms of durations) own.add(ran(ms))
    return own
  }

  it('is not said before there are five', () => {
    expect(history(1, 2, 3, 4).summary('tool')).toBeUndefined()
    expect(history(1, 2, 3, 4, 5).summary('tool')).toBeDefined()
    expect(history(1, 2, 3, 4, 5).summary('other')).toBeUndefined()
  })

  it('is nine quantiles, from the shortest to the longest', () => {
    expect(history(50, 10, 40, 20, 30).summary('tool')).toEqual([10, 20, 20, 30, 30, 40, 40, 50, 50])
    expect(history(9, 1, 10, 2, 8, 3, 7, 4, 6, 5).summary('tool')).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 10])
  })

  it('changes with each run, and forgets those before the last fifty', () => {
    const own = history(...Array.from({ length: 50 }, () => 1))
    expect(own.summary('tool')?.at(-1)).toBe(1)
    own.add(ran(1_000))
    expect(own.summary('tool')).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1_000])
    expect(own.summary('tool')).toBe(own.summary('tool'))
    for (let run = 0; run < 49; run++) own.add(ran(5))
    expect(own.summary('tool')?.slice(0, 2)).toEqual([5, 5])
    for (let run = 0; run < 1; run++) own.add(ran(5))
    expect(own.summary('tool')?.at(-1)).toBe(5)
  })

  it('counts only work that was done, and no time below zero', () => {
    const own = history(1, 2, 3, 4)
    own.add(ran(5, { status: 'failed' }))
    own.add(ran(5, { toolName: undefined } as never))
    own.add(ran(5, { startedAt: undefined } as never))
    expect(own.summary('tool')).toBeUndefined()
    // The wall clock was set back.
    own.add(ran(-500))
    expect(own.summary('tool')?.[0]).toBe(0)
  })
})

describe('what was removed', () => {
  it('is told by its reference, namespace and tool alone', () => {
    const { refId, namespace } = base
    expect(removedEntry(all.complete)).toStrictEqual({ refId, namespace })
    expect(removedEntry({ ...all.failed, toolName: 'tool' })).toStrictEqual({
      refId,
      namespace,
      toolName: 'tool',
    })
  })

  it('tells of nothing where the record is damaged, and of the others all the same', () => {
    const records = ['{"refId":', JSON.stringify(all.complete), 'null', JSON.stringify(all.pending)]
    expect(removedEntries(records)).toEqual([removedEntry(all.complete), removedEntry(all.pending)])
  })
})
