import { describe, expect, it } from 'vitest'
import { type CardState, TaskFollower } from '../../../src/card/follow.ts'

const REF = `t:${'0123456789abcdef'.repeat(2)}`

const task = (status: string, fields: object = {}) => ({
  structuredContent: { ref_id: REF, status, ...fields },
})
const refusal = (code: string, message: string) => ({
  isError: true,
  structuredContent: { error: { code, message } },
})

/** A follower, the calls that it makes, and its sleeps, which end when the test says so. */
function scene({ canAsk = true } = {}) {
  const states: CardState[] = []
  const calls: Array<{
    name: string
    args: object
    answer(result: unknown): Promise<void>
    fail(): Promise<void>
  }> = []
  const sleeps: Array<{ ms: number; wake(): Promise<void> }> = []
  const settled = () => new Promise<void>(resolve => setImmediate(resolve))
  const follower = new TaskFollower({
    tools: { get: 'get', cancel: 'cancel', retry: 'retry' },
    canAsk: () => canAsk,
    callTool: (name, args) =>
      new Promise((resolve, reject) => {
        const after = (done: () => void) => () => {
          done()
          return settled()
        }
        calls.push({
          name,
          args,
          answer: result => after(() => resolve(result))(),
          fail: after(() => reject(new Error('the host is away'))),
        })
      }),
    sleep: (ms, signal) =>
      new Promise(resolve => {
        signal.addEventListener('abort', () => resolve())
        sleeps.push({
          ms,
          wake: () => {
            resolve()
            return settled()
          },
        })
      }),
    show: state => states.push(state),
  })
  return { follower, states, calls, sleeps, settled, shown: () => states.at(-1) }
}

describe('the card', () => {
  it('asks again until the task ends, then shows what came of it', async () => {
    const { follower, calls, sleeps, shown } = scene()
    follower.answered(task('processing', { progress: { percentage: 10 }, poll_after_seconds: 8 }))
    expect(shown()).toMatchObject({ kind: 'running', percent: 10 })
    expect(sleeps[0]!.ms).toBe(2_000)
    await sleeps[0]!.wake()
    expect(calls[0]).toMatchObject({ name: 'get', args: { ref_id: REF, wait_seconds: 0 } })
    await calls[0]!.answer(task('processing', { progress: { percentage: 60 } }))
    expect(shown()).toMatchObject({ percent: 60 })
    await sleeps[1]!.wake()
    await calls[1]!.answer(task('complete', { is_complete: true, value: [1] }))
    expect(shown()).toMatchObject({ kind: 'done', value: [1] })
    expect(sleeps).toHaveLength(2)
  })

  it('asks no more where the result came at once', () => {
    const { follower, sleeps, shown } = scene()
    follower.answered({ content: [{ type: 'text', text: 'ok' }] })
    expect(shown()).toMatchObject({ kind: 'done', value: 'ok' })
    expect(sleeps).toEqual([])
  })

  it('asks nothing where the host lets no card ask', () => {
    const { follower, sleeps, shown } = scene({ canAsk: false })
    follower.answered(task('processing'))
    expect(shown()).toMatchObject({ kind: 'running' })
    expect(sleeps).toEqual([])
  })

  it('goes on where the host or the store is away for a while, ever more slowly, and says so', async () => {
    const { follower, calls, sleeps, shown } = scene()
    follower.answered(task('processing'))
    for (let n = 0; n < 7; n++) {
      await sleeps[n]!.wake()
      if (n % 2) await calls[n]!.fail()
      else await calls[n]!.answer(refusal('store_unavailable', 'the store is away'))
      expect(shown()).toMatchObject({
        kind: 'running',
        problem: `Trying again: the ${n % 2 ? 'host' : 'store'} is away`,
      })
    }
    expect(sleeps.map(({ ms }) => ms).slice(1)).toEqual(
      [2, 4, 8, 16, 30, 30, 30].map(seconds => seconds * 1_000),
    )
    await sleeps[7]!.wake()
    await calls[7]!.answer(task('processing'))
    expect(shown()).not.toHaveProperty('problem')
  })

  it('ends where the reference is gone', async () => {
    const { follower, calls, sleeps, shown } = scene()
    follower.answered(task('processing'))
    await sleeps[0]!.wake()
    await calls[0]!.answer(refusal('not_found', 'There is no such reference.'))
    expect(shown()).toMatchObject({ kind: 'refused', words: 'There is no such reference.' })
    expect(sleeps).toHaveLength(1)
  })

  it('cancels once, and stops asking meanwhile', async () => {
    const { follower, calls, sleeps, shown, settled } = scene()
    follower.answered(task('processing'))
    void follower.cancel()
    void follower.cancel()
    await settled()
    expect(calls.map(({ name }) => name)).toEqual(['cancel'])
    expect(shown()).toMatchObject({ kind: 'running', busy: 'cancelling' })
    await calls[0]!.answer(task('cancelled', { can_retry: true }))
    expect(shown()).toMatchObject({ kind: 'ended', status: 'cancelled', canRetry: true })
    void follower.retry()
    await calls[1]!.answer(task('pending'))
    expect(calls[1]).toMatchObject({ name: 'retry', args: { ref_id: REF } })
    expect(shown()).toMatchObject({ kind: 'running', isWaiting: true })
    expect(sleeps).toHaveLength(2)
  })

  it('goes on following where it may not cancel, and says why', async () => {
    const { follower, calls, sleeps, shown } = scene()
    follower.answered(task('processing'))
    void follower.cancel()
    await calls[0]!.answer(refusal('permission_denied', 'You may not cancel it.'))
    expect(shown()).toMatchObject({ kind: 'running', problem: 'You may not cancel it.' })
    expect(shown()).not.toHaveProperty('busy')
    await sleeps.at(-1)!.wake()
    expect(calls.at(-1)!.name).toBe('get')
  })

  it('fetches the value of a task that ended before it could be cancelled', async () => {
    const { follower, calls, sleeps, shown } = scene()
    follower.answered(task('processing'))
    void follower.cancel()
    await calls[0]!.answer(task('complete', { message: 'It had finished.' }))
    await sleeps.at(-1)!.wake()
    await calls.at(-1)!.answer(task('complete', { is_complete: true, value: 'late' }))
    expect(shown()).toMatchObject({ kind: 'done', value: 'late' })
  })

  it('shows page after page, and keeps what is shown when one does not come', async () => {
    const { follower, calls, shown } = scene()
    follower.answered(task('complete', { preview: [1], total_items: 100 }))
    void follower.page(2)
    expect(calls[0]).toMatchObject({ name: 'get', args: { ref_id: REF, page: 2, max_size: 2_000 } })
    await calls[0]!.fail()
    expect(shown()).toMatchObject({ kind: 'done', value: [1], problem: 'the host is away' })
    void follower.page(2)
    await calls[1]!.answer(task('complete', { preview: [51], page: 2, total_pages: 2 }))
    expect(shown()).toMatchObject({ value: [51], page: 2, totalPages: 2 })
  })

  it('follows a task whose retry is another one', async () => {
    const { follower, calls, sleeps } = scene()
    const other = REF.replace('0', 'f')
    follower.answered(task('failed', { error: '503', can_retry: true }))
    void follower.retry()
    await calls[0]!.answer({ structuredContent: { ref_id: other, status: 'processing', retry_of: REF } })
    await sleeps[0]!.wake()
    expect(calls[1]!.args).toMatchObject({ ref_id: other })
  })

  it('ends with its frame, and when the call is given up before it was answered', async () => {
    const { follower, calls, sleeps, shown } = scene()
    follower.abandoned('user action')
    expect(shown()).toMatchObject({ kind: 'ended', status: 'cancelled', words: 'user action' })
    follower.answered(task('processing'))
    follower.stop()
    await sleeps[0]!.wake()
    expect(calls).toEqual([])
    // What was answered is not taken back.
    follower.abandoned(undefined)
    expect(shown()).toMatchObject({ kind: 'running' })
  })
})
