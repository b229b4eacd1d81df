import { describe, expect, it } from 'vitest'
import type { Row } from '../../../../src/ui/api.ts'
import { etaAt, fractionAt } from '../../../../src/ui/page/state/progress.ts'

const START = Date.UTC(2026, 10, 28, 9)
const seen = (more: Partial<Row>) => ({
  seenAt: START,
  row: {
    ref: 'files:1',
    cache: 'files',
    status: 'processing',
    createdAt: new Date(START - 10_000).toISOString(),
    startedAt: new Date(START - 10_000).toISOString(),
    attempt: 1,
    may: [],
    ...more,
  } as Row,
})

describe('a bar between two reports', () => {
  const task = seen({ progress: { percentage: 40 }, etaSeconds: 60 })

  it('goes on by its ETA', () => {
    expect(fractionAt(task, START)).toBeCloseTo(0.4)
    expect(fractionAt(task, START + 30_000)).toBeCloseTo(0.7)
    expect(etaAt(task, START + 30_000)).toBe(30)
  })

  it('never says that it is done', () => {
    const task = seen({ progress: { percentage: 60 }, etaSeconds: 60 })
    expect(fractionAt(task, START + 600_000)).toBe(0.99)
    expect(etaAt(task, START + 600_000)).toBe(0)
  })

  it('does not tell a silent task on: without a word it goes no further than it has come', () => {
    const task = seen({ progress: { current: 1, total: 100 }, etaSeconds: 10 })
    expect(fractionAt(task, START + 50)).toBeCloseTo(0.015)
    expect(fractionAt(task, START + 600_000)).toBe(0.02)
    expect(etaAt(task, START + 50)).toBe(9.95)
    expect(etaAt(task, START + 600_000)).toBeUndefined()
    const unsaid = seen({ progress: { current: 0, total: 100 }, etaSeconds: 10 })
    expect(fractionAt(unsaid, START + 5_000)).toBeCloseTo(0.5)
  })

  it('stands where nothing says how long it takes', () => {
    expect(fractionAt(seen({ progress: { current: 1, total: 4 } }), START + 30_000)).toBe(0.25)
    expect(etaAt(seen({ progress: { percentage: 40 } }), START)).toBeUndefined()
  })

  it('goes by earlier runs where the task says nothing', () => {
    const task = seen({ etaSeconds: 30 })
    expect(fractionAt(task, START)).toBeCloseTo(0.25)
    expect(fractionAt(task, START + 15_000)).toBeCloseTo(0.625)
  })

  it('has no place where nobody knows anything', () => {
    expect(fractionAt(seen({}), START)).toBeUndefined()
    expect(fractionAt(seen({ progress: { current: 3 } }), START)).toBeUndefined()
    expect(fractionAt(seen({ progress: { current: 0, total: 0 } }), START)).toBeUndefined()
  })

  it('stays within 0 and 1, whatever a task says', () => {
    expect(fractionAt(seen({ progress: { percentage: 140 } }), START)).toBe(1)
    expect(fractionAt(seen({ progress: { current: -1, total: 4 } }), START)).toBe(0)
  })

  it('does not move while the task waits, and is full at the end', () => {
    const waiting = seen({ status: 'pending', progress: { percentage: 40 }, etaSeconds: 60 })
    expect(fractionAt(waiting, START + 30_000)).toBeCloseTo(0.4)
    expect(fractionAt(seen({ status: 'complete' }), START)).toBe(1)
  })
})
