import { describe, expect, it } from 'vitest'
import { toErrorResult, toToolResult } from '../../../src/agent/wire.ts'
import { readAnswer } from '../../../src/card/answer.ts'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const QUESTION = { message: 'Which?', requestedSchema: { type: 'object' as const, properties: {} } }
const REF = `t:${'0123456789abcdef'.repeat(2)}`

describe('what the card reads', () => {
  it('is how a task stands, as the cache says it', async () => {
    const clock = new FakeClock()
    const cache = new RefCache({ name: 't', clock })
    const crawl = cache.cached({ name: 'crawl', asyncTimeout: '1s' }, async (_, task) => {
      task.progress(15, 50, 'page 15 of 50')
      return new Promise<never>(() => {})
    })
    const called = crawl({})
    await clock.advance(20_000)
    const response = await called
    const { refId } = response
    await clock.advance(10_000)
    const answer = readAnswer(toToolResult(await cache.get(refId)))
    expect(answer).toMatchObject({ kind: 'running', refId, percent: 30, words: 'page 15 of 50', attempt: 1 })
    expect(readAnswer(toToolResult(await cache.cancelTask(refId)))).toMatchObject({
      kind: 'ended',
      status: 'cancelled',
      refId,
      words: '',
      canRetry: true,
    })
    await cache.close()
  })

  it('is that a task has asked something, in the words that the cache has for it', async () => {
    const cache = new RefCache({ name: 't', clock: new FakeClock() })
    const ask = cache.cached({ name: 'ask', asyncTimeout: 0, memoize: false }, (_, task) =>
      task.elicit(QUESTION),
    )
    const { refId } = await ask({}, { interactive: true })
    const answer = async () => readAnswer(toToolResult(await cache.get(refId, { wait: 0 })))
    await expect.poll(answer).toMatchObject({ kind: 'running', isAsking: true })
    await cache.close({ drain: 0 })
  })

  it('is the same where a client hands on the text alone', () => {
    const body = { ref_id: REF, status: 'processing', retry_count: 1, max_retries: 3 }
    const text = JSON.stringify(body)
    expect(readAnswer({ content: [{ type: 'text', text }] })).toEqual(readAnswer({ structuredContent: body }))
    expect(readAnswer({ structuredContent: body })).toMatchObject({ attempt: 2, attempts: 4 })
  })

  it.runIf('rawJSON' in JSON)(
    'has all digits of a number that the text has, where the host has rounded it',
    () => {
      const text = `{"ref_id":"${REF}","status":"complete","value":[{"id":1234567890123456789,"n":1.5}]}`
      const read = readAnswer({ structuredContent: JSON.parse(text), content: [{ type: 'text', text }] })
      expect(JSON.stringify(read)).toContain('"id":1234567890123456789,"n":1.5')
      const own = '{"id":1234567890123456789}'
      const ofTool = readAnswer({
        structuredContent: JSON.parse(own),
        content: [{ type: 'text', text: own }],
      })
      expect(JSON.stringify(ofTool)).toContain('1234567890123456789')
    },
  )

  it('is the structured content where the text says something else', () => {
    const content = [{ type: 'text', text: '{"a":2}' }]
    expect(readAnswer({ structuredContent: { a: 1 }, content })).toMatchObject({ value: { a: 1 } })
    expect(readAnswer({ structuredContent: null, content })).toMatchObject({ value: { a: 2 } })
  })

  it('is a table where there is one, a preview, or the value', () => {
    const done = (fields: object) =>
      readAnswer({ structuredContent: { ref_id: REF, status: 'complete', ...fields } })
    expect(done({ columns: ['a'], rows: [[1]], total_items: 9, page: 1, total_pages: 9 })).toEqual({
      kind: 'done',
      refId: REF,
      value: { columns: ['a'], rows: [[1]] },
      isWhole: false,
      totalItems: 9,
      page: 1,
      totalPages: 9,
    })
    expect(done({ preview: [1] })).toMatchObject({ value: [1], isWhole: false })
    expect(done({ is_complete: true, value: 0 })).toMatchObject({ value: 0, isWhole: true })
    expect(done({ is_complete: true, value: null })).toMatchObject({ value: null })
  })

  it("is the tool's own result, where that is no answer about a reference", () => {
    const own = (structuredContent: object) => readAnswer({ content: [], structuredContent })
    for (const value of [
      { ref_id: 'T-1', status: 'complete' },
      { ref_id: REF, status: 'shipped' },
      { error: 'none' },
    ])
      expect(own(value)).toEqual({ kind: 'done', value, isWhole: true })
    expect(readAnswer({ content: [{ type: 'text', text: '[1,2]' }] })).toMatchObject({ value: [1, 2] })
    expect(readAnswer({ content: [{ type: 'text', text: '12 pages' }] })).toMatchObject({ value: '12 pages' })
  })

  it('tells a refusal from the end of a task, and one that may pass from one that will not', () => {
    const away = new StoreUnavailable('The store is away.')
    expect(readAnswer(toErrorResult(away))).toMatchObject({ kind: 'refused', isTemporary: true })
    expect(readAnswer(toErrorResult(new Error('503')))).toEqual({
      kind: 'refused',
      words: '503',
      isTemporary: false,
    })
    expect(readAnswer({ isError: true, content: [{ type: 'text', text: 'no such site' }] })).toMatchObject({
      kind: 'refused',
      words: 'no such site',
    })
  })

  it('holds what it is told to what can be true', () => {
    const running = (progress: object) =>
      readAnswer({ structuredContent: { ref_id: REF, status: 'pending', progress, eta_seconds: '3' } })
    expect(running({ percentage: 130 })).toMatchObject({ percent: 100, isWaiting: true })
    expect(running({ percentage: -4 })).toMatchObject({ percent: 0 })
    expect(running({ percentage: 'half', message: 5 })).not.toHaveProperty('percent')
    expect(running([])).not.toHaveProperty('etaSeconds')
    for (const nothing of [undefined, null, 'text', 7, [], { content: 'x' }])
      expect(readAnswer(nothing)).toMatchObject({ kind: 'done' })
  })
})
