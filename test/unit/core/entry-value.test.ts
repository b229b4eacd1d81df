import { describe, expect, it } from 'vitest'
import { AccessPolicy } from '../../../src/access/policy.ts'
import type { Entry } from '../../../src/core/entry.ts'
import {
  appendedAsItWas,
  appendedView,
  hasValue,
  isAppendedView,
  segmentsOf,
  valueSegments,
} from '../../../src/core/entry-value.ts'

const base = {
  ...{ refId: `t:${'0'.repeat(32)}`, namespace: 'public', policy: AccessPolicy.public, startedBy: 'x' },
  ...{ createdAt: 0, version: 1, attempt: 1, maxRetries: 0, idempotent: false, retryHistory: [] },
}
const lease = { owner: 'a', duration: 1 }
const appended = { id: 'grown', count: 2, kind: 'items', available: 7, valueBytes: 900 } as const
const running: Entry = { ...base, status: 'processing', lease, startedAt: 0 }
const growing: Entry = { ...running, appended }
const segments = { id: 'whole', count: 3 }
const small: Entry = { ...base, status: 'complete', completedAt: 1, valueBytes: 0 }
const large: Entry = { ...small, valueBytes: 5_000, segments }

describe('the value of an entry', () => {
  it('is there where the entry says its size, also where that is 0', () => {
    expect([small, large, running, growing].map(hasValue)).toEqual([true, true, false, false])
  })

  it('is in segments where it is large', () => {
    expect([small, large, running, growing].map(valueSegments)).toEqual([
      undefined,
      segments,
      undefined,
      undefined,
    ])
  })

  it('or what its task has appended, is what its segments are of', () => {
    expect([small, large, running].map(segmentsOf)).toEqual([undefined, segments, undefined])
    expect(segmentsOf(growing)).toBe(appended)
  })
})

describe('what a task has appended', () => {
  const view = { ...growing, valueBytes: 900, segments: { id: 'grown', count: 2 } }

  it('is read like a value, and is told from one', () => {
    expect(appendedView(growing)).toEqual(view)
    expect([appendedView(growing) as Entry, growing, large, running].map(isAppendedView)).toEqual([
      true,
      false,
      false,
      false,
    ])
  })

  it('is nothing where there is none, or a result has taken its place', () => {
    expect([running, large, { ...large, appended }].map(appendedView)).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('is read as it was while the entry has the same one, and no more of it than there was', () => {
    const earlier = { ...appended, count: 1, available: 3, valueBytes: 400 }
    expect(appendedAsItWas(growing, earlier)).toMatchObject({
      ...{ appended: earlier, valueBytes: 400, segments: { id: 'grown', count: 1 } },
    })
    for (const entry of [running, large, { ...growing, appended: { ...appended, id: 'anew' } }])
      expect(appendedAsItWas(entry, earlier)).toBeUndefined()
  })
})
