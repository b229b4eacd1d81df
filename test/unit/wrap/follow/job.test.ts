import { describe, expect, it } from 'vitest'
import { HardTimeout, TaskCancelled, WorkerLost } from '../../../../src/core/errors.ts'
import type { ProgressReport } from '../../../../src/core/handler.ts'
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts'
import { FakeClock } from '../../../../src/testing/fake-clock.ts'
import { followJob } from '../../../../src/wrap/follow/job.ts'
import { followSettings } from '../../../../src/wrap/follow/settings-schema.ts'

const json = (value: JsonValue) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] })
const text = (words: string) => ({ content: [{ type: 'text', text: words }] })
const structured = (value: JsonObject) => ({ ...json(value), structuredContent: value })

const SETTINGS = {
  ask: { tool: 'status', arguments: { id: '/id' } },
  done: { at: '/status', is: ['completed'] },
  failed: { at: '/status', is: ['failed'] },
  progress: { current: '/n', total: '/of', message: '/note' },
  cancel: { tool: 'stop', arguments: { id: '/id', why: { value: 'not wanted' } } },
}

type Answer = JsonObject | Error

function follow(
  answers: readonly Answer[],
  more: object = {},
  started: JsonObject = json({ id: 'j1' }),
  given?: JsonValue,
) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const reports: ProgressReport[] = []
  const asked: Array<{ at: number; tool: string; args: JsonObject }> = []
  const begun = clock.now()
  let next = 0
  const outcome = followJob({
    settings: followSettings.parse({ ...SETTINGS, ...more }),
    started,
    given,
    clock,
    task: { signal: stop.signal, progress: (report: unknown) => void reports.push(report as ProgressReport) },
    ask: async (tool, args) => {
      asked.push({ at: clock.now() - begun, tool, args })
      const answer = tool === 'stop' ? json({}) : (answers[next++] ?? answers.at(-1)!)
      if (answer instanceof Error) throw answer
      return answer
    },
  })
  outcome.catch(() => {})
  return { clock, stop, reports, asked, outcome }
}

describe('a job of the wrapped server', () => {
  it('is asked for until it is done, with what its start said', async () => {
    const { clock, asked, outcome } = follow([
      json({ status: 'running' }),
      json({ status: 'completed', rows: [1] }),
    ])
    await clock.advance('1m')
    expect(await outcome).toEqual(json({ status: 'completed', rows: [1] }))
    expect(asked.map(({ tool, args }) => [tool, args])).toEqual([
      ['status', { id: 'j1' }],
      ['status', { id: 'j1' }],
    ])
  })

  it('is asked for less often while there is nothing new, and soon again after that', async () => {
    const same = { status: 'running', n: 1, of: 9 }
    const { clock, asked } = follow([
      ...Array.from({ length: 9 }, () => json(same)),
      json({ ...same, n: 2 }),
      json({ status: 'completed' }),
    ])
    await clock.advance('10m')
    const gaps = asked.map(({ at }, i) => at - (asked[i - 1]?.at ?? 0))
    // The first answer brings news.
    expect(gaps.slice(0, 3)).toEqual([1_000, 1_000, 1_500])
    expect(Math.max(...gaps)).toBe(15_000)
    expect(gaps.at(-1)).toBe(1_000)
  })

  it('goes by its own interval and limit', async () => {
    const { clock, asked } = follow([json({ status: 'running' })], { every: '2s', atMost: '3s' })
    await clock.advance('11s')
    expect(asked.map(({ at }) => at)).toEqual([2_000, 4_000, 7_000, 10_000])
  })

  it('reports its progress', async () => {
    const { clock, reports } = follow([
      structured({ status: 'running', n: 3, of: 10, note: 'page 3' }),
      structured({ status: 'completed' }),
    ])
    await clock.advance('1m')
    expect(reports).toEqual([{ current: 3, total: 10, message: 'page 3' }])
  })

  it('that failed fails its task, with what the server says of it', async () => {
    const own = follow([json({ status: 'failed', reason: 'no such site' })], { error: '/reason' })
    await own.clock.advance('1m')
    await expect(own.outcome).rejects.toMatchObject({ code: 'task_failed', message: 'no such site' })
    const words = follow([json({ status: 'failed' })])
    await words.clock.advance('1m')
    await expect(words.outcome).rejects.toThrow('{"status":"failed"}')
  })

  it.each([
    ['a list', '/rows', '[{"id":1}]'],
    ['a text', '/note', 'all read'],
  ])('may have its result in the last answer: %s', async (_, result, given) => {
    const { clock, outcome } = follow([json({ status: 'completed', note: 'all read', rows: [{ id: 1 }] })], {
      result,
    })
    await clock.advance('1m')
    expect(await outcome).toEqual(text(given))
  })

  it('may have its result with another tool, by what either answer said', async () => {
    const answers = [json({ status: 'completed', file: 'f1' }), text('the file')]
    const result = { tool: 'read', arguments: { file: '/file', job: '/id', as: { argument: '/format' } } }
    const { clock, outcome, asked } = follow(answers, { result }, json({ id: 'j1' }), { format: 'csv' })
    await clock.advance('1m')
    expect(await outcome).toEqual(text('the file'))
    expect(asked.at(-1)).toMatchObject({ tool: 'read', args: { file: 'f1', job: 'j1', as: 'csv' } })
  })

  it('that speaks in plain text is understood', async () => {
    const settings = {
      ask: { tool: 'status', arguments: { id: { after: 'job ID:' } } },
      done: { at: { after: 'Status:' }, is: ['completed'] },
      failed: undefined,
      progress: { current: { after: 'Progress:' }, message: { after: 'Doing:' } },
      result: { after: 'Output:' },
    }
    const { clock, outcome, asked, reports } = follow(
      [
        text('Status: running\nProgress: 3/10\nDoing: page 3 of 10'),
        text('Status: completed.\nOutput: "s3://x/y"'),
      ],
      settings,
      text('Started crawl for x with job ID: 7f-3. Use status to check it.'),
    )
    await clock.advance('1m')
    expect(asked[0]!.args).toEqual({ id: '7f-3' })
    expect(reports).toEqual([{ current: 3, message: 'page 3 of 10' }])
    expect(await outcome).toEqual(text('s3://x/y'))
  })

  it('may be done when something is there', async () => {
    const { clock, outcome } = follow([json({ result: null }), json({ result: 7 })], {
      done: { at: '/result' },
      result: '/result',
    })
    await clock.advance('1m')
    expect(await outcome).toEqual(text('7'))
  })

  it('that is none gives the first answer as it is', async () => {
    const { outcome, asked } = follow([], {}, text('Nothing to do.'))
    expect(await outcome).toEqual(text('Nothing to do.'))
    expect(asked).toEqual([])
  })
})

describe('trouble with a job', () => {
  const trouble = (count: number) => Array.from({ length: count }, () => new WorkerLost('away'))
  const refusal = (count: number) => Array.from({ length: count }, () => ({ ...text('busy'), isError: true }))

  it.each([
    ['lost', trouble(4)],
    ['refused', refusal(4)],
  ])('is outlived while it is short: %s', async (_, answers) => {
    const { clock, outcome } = follow([
      ...answers,
      json({ status: 'running' }),
      ...answers,
      json({ status: 'completed' }),
    ])
    await clock.advance('10m')
    expect(await outcome).toEqual(json({ status: 'completed' }))
  })

  it.each([
    ['lost', trouble(5), 'worker_lost'],
    ['refused', refusal(5), 'task_failed'],
  ])('that lasts fails the task: %s', async (_, answers, code) => {
    const { clock, outcome, asked } = follow(answers)
    await clock.advance('10m')
    await expect(outcome).rejects.toMatchObject({ code })
    expect(asked).toHaveLength(5)
  })

  it.each([
    ['cancelled', new TaskCancelled('x')],
    ['out of time', new HardTimeout('x')],
  ])('cancels the job when its task is %s', async (_, reason) => {
    const { clock, outcome, asked, stop } = follow([json({ status: 'running' })])
    await clock.advance('3s')
    stop.abort(reason)
    await expect(outcome).rejects.toBe(reason)
    expect(asked.at(-1)).toMatchObject({ tool: 'stop', args: { id: 'j1', why: 'not wanted' } })
  })

  it('leaves the job alone when the wrapper ends', async () => {
    const { clock, outcome, asked, stop } = follow([json({ status: 'running' })])
    await clock.advance('3s')
    stop.abort(new WorkerLost('closing'))
    await expect(outcome).rejects.toMatchObject({ code: 'worker_lost' })
    expect(asked.map(({ tool }) => tool)).not.toContain('stop')
  })
})
