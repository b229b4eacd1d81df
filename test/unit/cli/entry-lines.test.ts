import { describe, expect, it } from 'vitest'
import {
  barOf,
  entryRow,
  progressText,
  shortReference,
  sizeText,
  timeText,
} from '../../../src/cli/entry-lines.ts'
import { inspected } from '../../../src/inspect/describe.ts'
import { complete, NOW, pending } from '../../../src/testing/store-drafts.ts'

describe('how entries look on a terminal', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_000, '1.0 KB'],
    [10_240, '10 KB'],
    [1_024_000, '1.0 MB'],
    [5 * 1024 ** 4, '5.0 TB'],
    [5_000 * 1024 ** 4, '5000 TB'],
  ])('%d bytes are %s', (bytes, text) => expect(sizeText(bytes)).toBe(text))

  it.each([
    [-5, '0s'],
    [999, '0s'],
    [59_999, '59s'],
    [60_000, '1m'],
    [3_600_000, '1h'],
    [47 * 3_600_000, '1d'],
  ])('%d ms are %s', (ms, text) => expect(timeText(ms)).toBe(text))

  it('a bar is as long as the part that is done, also beyond its ends', () => {
    expect([-1, 0, 50, 100, 250].map(barOf)).toEqual([
      '░'.repeat(16),
      '░'.repeat(16),
      '█'.repeat(8) + '░'.repeat(8),
      '█'.repeat(16),
      '█'.repeat(16),
    ])
  })

  it('a reference is short enough for a line, and still one that a command takes', () => {
    expect(shortReference(`files:${'0123456789abcdef'.repeat(2)}`)).toBe('files:0123456789ab…')
    expect(shortReference('files:0123')).toBe('files:0123')
  })

  it('a task shows how far it is, and how long it may take', () => {
    const progress = { current: 10, total: 40, percentage: 25 }
    const task = { ...pending(), status: 'processing' as const, startedAt: NOW, progress }
    const entry = inspected(task, NOW + 10_000)
    expect(progressText(entry, true)).toBe('████░░░░░░░░░░░░ 25 % 10/40 30s to go')
    expect(progressText(entry, false)).toBe('25 % 10/40 30s to go')
    expect(progressText(inspected({ ...task, progress: { current: 3 } }, NOW), false)).toBe('3')
  })

  it('who asked is the actor, or else the namespace; a value is its size', () => {
    const entry = inspected(complete({ namespace: 'user:bob', label: 'rows', valueBytes: 2_048 }), NOW)
    expect(entryRow(entry, NOW + 61_000, false).slice(1)).toEqual([
      'complete',
      'rows',
      'user:bob',
      '2.0 KB',
      '1m',
      '',
    ])
    const asked = inspected(complete({ startedBy: JSON.stringify(['agent', null, 'secret']) }), NOW)
    expect(entryRow(asked, NOW, false)[3]).toBe('agent')
  })
})
