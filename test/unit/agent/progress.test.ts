import { describe, expect, it } from 'vitest'
import { ProgressNotifier, type ProgressParams } from '../../../src/agent/progress.ts'
import type { Progress } from '../../../src/core/entry.ts'

function request(progressToken?: string, failing = false) {
  const sent: ProgressParams[] = []
  const notifier = new ProgressNotifier(progressToken, async params => {
    if (failing) throw new Error('Connection closed')
    sent.push(params)
  })
  return { sent, notifier }
}

function told(reports: Progress[]) {
  const { sent, notifier } = request('p')
  for (const report of reports) notifier.notify(report)
  return sent.map(({ progressToken: _, ...rest }) => rest)
}

describe('progress to a caller', () => {
  it('carries current, total and message under the token of the request', () => {
    const { sent, notifier } = request('p')
    notifier.notify({ current: 3, total: 50, message: 'page 3 of 50', percentage: 6 })
    expect(sent).toEqual([{ progressToken: 'p', progress: 3, total: 50, message: 'page 3 of 50' }])
  })

  it('is not sent without a token', () => {
    const { sent, notifier } = request()
    notifier.notify({ current: 3 })
    expect(sent).toEqual([])
  })

  it('always goes forward: what stands still or falls back is left out', () => {
    const reports = [2, 2, 5, 1, 6].map(current => ({ current }))
    expect(told(reports)).toEqual([{ progress: 2 }, { progress: 5 }, { progress: 6 }])
  })

  it('goes forward with messages alone, and leaves room for numbers to come', () => {
    const sent = told([{ message: 'one' }, { message: 'two' }, { current: 1 }, { message: 'three' }])
    expect(sent.map(({ message }) => message)).toEqual(['one', 'two', undefined, 'three'])
    const numbers = sent.map(({ progress }) => progress as number)
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
    expect(new Set(numbers).size).toBe(4)
  })

  it('says nothing where there is nothing to say', () => {
    expect(told([{}, { total: 5 }])).toEqual([])
  })

  it('ends before the answer', async () => {
    const { sent, notifier } = request('p')
    notifier.notify({ current: 1 })
    await notifier.end()
    notifier.notify({ current: 2 })
    expect(sent).toHaveLength(1)
  })

  it('fails no call because its client cannot be told', async () => {
    const { notifier } = request('p', true)
    notifier.notify({ current: 1 })
    await expect(notifier.end()).resolves.toBeUndefined()
  })
})
