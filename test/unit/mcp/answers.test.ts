import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { boundedError } from '../../../src/agent/error-limit.ts'
import { SERVER_INSTRUCTIONS } from '../../../src/agent/instructions.ts'
import { toErrorResult, toToolResult } from '../../../src/agent/wire.ts'
import { ProtocolFailure } from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { JsonValue } from '../../../src/core/json.ts'
import { paced } from '../../../src/core/steps.ts'
import { toProtocolError } from '../../../src/mcp/tasks/errors.ts'
import { rulerFor } from '../../../src/preview/measure.ts'
import { deferred } from '../flow/scene.ts'
import { scene } from './scene.ts'

const FULL = { _async_response_format: 'full' }

/** A handle of a tool that ends when the test says so. */
async function handed(maxRetries = 0) {
  const work = deferred()
  const opened = await scene({
    tools: ({ registerTool }) => {
      const handler = (_: object, task: TaskContext) => {
        task.progress(1, 4)
        return work.promise
      }
      registerTool('crawl', { asyncTimeout: 0, maxRetries }, handler)
      registerTool('index', { asyncTimeout: 0 }, () => deferred().promise)
    },
  })
  const { body: handle } = await opened.call('crawl')
  return { ...opened, work, handle, refId: String(handle.ref_id) }
}

describe('a handle', () => {
  it('names its tool, and so does every answer about the task until it has a value', async () => {
    const { call, handle, work, refId } = await handed()
    expect(handle).toMatchObject({ tool: 'crawl', is_async: true })
    expect((await call('index')).body).toMatchObject({ tool: 'index' })
    expect((await call('get_cached_result', { ref_id: refId, wait_seconds: 0 })).body.tool).toBe('crawl')
    work.reject(new Error('no'))
    expect((await call('get_cached_result', { ref_id: refId })).body.tool).toBe('crawl')
  })

  it('in full always says how often it was tried, and whether it can be tried again', async () => {
    const { call, work, refId } = await handed()
    const running = await call('get_cached_result', { ref_id: refId, wait_seconds: 0, ...FULL })
    expect(running.body).toMatchObject({ retry_count: 0, can_retry: false, is_cancellable: true })
    work.reject(new Error('no'))
    const failed = await call('get_cached_result', { ref_id: refId, ...FULL })
    expect(failed.body).toMatchObject({ retry_count: 0, can_retry: true, is_cancellable: false })
  })
})

describe('a failed task', () => {
  it('is an error to whoever polls it', async () => {
    const { call, work, refId } = await handed()
    work.reject(new Error('upstream returned 503'))
    for (const args of [{}, { page: 1 }, FULL, { _async_response_format: 'minimal' }]) {
      const { body, isError } = await call('get_cached_result', { ref_id: refId, ...args })
      expect(body.status).toBe('failed')
      expect(isError).toBe(true)
    }
  })

  it('is none to whoever cancels it, and a cancelled one is none', async () => {
    const { call, work, refId } = await handed()
    const { body: other } = await call('index')
    work.reject(new Error('no'))
    await call('get_cached_result', { ref_id: refId })
    const cancelled = await call('cancel_task', { ref_id: refId })
    expect(cancelled).toMatchObject({ isError: false, body: { status: 'failed', is_complete: false } })
    await call('cancel_task', { ref_id: other.ref_id })
    expect(await call('get_cached_result', { ref_id: other.ref_id })).toMatchObject({
      isError: false,
      body: { status: 'cancelled' },
    })
  })
})

it('cancel_task on finished work says that it has finished, and nothing of a value', async () => {
  const { call, work, refId } = await handed()
  work.resolve([1, 2, 3])
  await call('get_cached_result', { ref_id: refId })
  const { body, isError } = await call('cancel_task', { ref_id: refId })
  expect(isError).toBe(false)
  expect(body).toMatchObject({ ref_id: refId, status: 'complete', is_async: false })
  expect(body).not.toHaveProperty('is_complete')
  expect(body.message).toMatch(/finished/)
})

it('the instructions say how to get a whole value', () => {
  expect(SERVER_INSTRUCTIONS.split('\n\n')[0]).toContain('full: true')
})

it('an error of a tool with an output schema has its text alone', async () => {
  const { client } = await scene({
    tools: ({ registerTool }) => {
      const outputSchema = z.object({ n: z.number() })
      registerTool('strict', { inputSchema: z.object({ n: z.number() }), outputSchema }, ({ n }) => ({ n }))
      registerTool('loose', { inputSchema: z.object({ n: z.number() }) }, ({ n }) => ({ n }))
    },
  })
  const wrong = { arguments: { n: 'one' } }
  const strict = await client.callTool({ name: 'strict', ...wrong })
  expect(strict).toMatchObject({
    isError: true,
    content: [{ text: expect.stringContaining('invalid_argument') }],
  })
  expect(strict).not.toHaveProperty('structuredContent')
  const loose = await client.callTool({ name: 'loose', ...wrong })
  expect(loose).toMatchObject({ isError: true, structuredContent: { error: { code: 'invalid_argument' } } })
})

describe('no error is longer than 2,000 tokens', () => {
  const LONG: [string, string][] = [
    ['words', 'the file is not there '.repeat(50_000)],
    ['one letter', 'x'.repeat(1_000_000)],
    [
      'hexadecimal digits',
      Array.from({ length: 50_000 }, (_, n) => (n * 2_654_435_761).toString(16)).join(''),
    ],
    ['capital letters', 'QZXJKVBWY'.repeat(10_000)],
    ['line feeds and quotes', '\n"\\\t'.repeat(50_000)],
    ['control characters', '\u0001\u001b'.repeat(50_000)],
    ['another script', '龘靐齉爩'.repeat(20_000)],
    ['emoji', '🧑‍🚀🦑'.repeat(20_000)],
    ['halves of pairs', '\ud83e'.repeat(50_000)],
  ]

  async function tokensOf(value: unknown): Promise<number> {
    const ruler = await rulerFor('token')
    return paced(ruler.size(JSON.stringify(value)))
  }

  it.each(LONG)('%s', async (_, text) => {
    const { structuredContent } = toErrorResult(new Error(text))
    expect(await tokensOf(structuredContent)).toBeLessThanOrEqual(2_000)
    expect(JSON.stringify(structuredContent)).toMatch(/…\(\+\d+ characters\)/)
  })

  it.each(LONG)('of a failed task with a history: %s', async (_, error) => {
    const retryHistory = Array.from({ length: 20 }, (_, n) => ({
      attempt: n + 1,
      error: { code: 'task_failed' as const, message: error },
      at: 0,
    }))
    const answer = toToolResult({
      refId: 't:0',
      status: 'failed',
      isComplete: false,
      isAsync: false,
      tool: error,
      error,
      errorCode: 'task_failed',
      canRetry: true,
      progress: { message: error },
      retryHistory,
    })
    expect(await tokensOf(answer.structuredContent)).toBeLessThanOrEqual(2_000)
    expect(answer.structuredContent).toMatchObject({ ref_id: 't:0', status: 'failed' })
    expect(answer.structuredContent?.retry_history).toHaveLength(10)
  })

  it.each(LONG)('of JSON-RPC, with data: %s', async (_, text) => {
    const data = { detail: text, list: Array.from({ length: 1_000 }, () => text.slice(0, 100)) }
    const { code, message, data: sent } = toProtocolError(new ProtocolFailure(text, { code: -32_000, data }))
    expect(code).toBe(-32_000)
    expect(await tokensOf({ code, message, data: sent })).toBeLessThanOrEqual(2_000)
  })

  it('whatever its data is', async () => {
    let deep: JsonValue = 1
    for (let level = 0; level < 50_000; level++) deep = [deep]
    for (const data of [deep, Array.from({ length: 100_000 }, (_, n) => n)]) {
      const bounded = boundedError({ code: -32_000, message: 'no', data })
      expect(bounded).toMatchObject({ code: -32_000, message: 'no' })
      expect(await tokensOf(bounded)).toBeLessThanOrEqual(2_000)
    }
  })

  it('however deep its data is: as deep as the engine can write it, and not cut it, too', async () => {
    for (let levels = 500; levels <= 4_000; levels += 500) {
      let data: JsonValue = {}
      for (let level = 0; level < levels; level++) data = { properties: { a: data }, type: 'object' }
      const bounded = boundedError({ code: -32_000, message: 'no', data })
      expect(bounded).toMatchObject({ code: -32_000, message: 'no' })
      expect(await tokensOf(bounded)).toBeLessThanOrEqual(2_000)
    }
  })

  it('what is short stays as it is', () => {
    const error = { code: -32_042, message: 'Sign in first.', data: { url: 'https://example.org/x' } }
    expect(boundedError(error)).toBe(error)
  })
})

describe('what a handler says', () => {
  it('reaches a failed answer cut, with a mark', async () => {
    const { call, work, refId } = await handed()
    work.reject(new Error(`boom ${'x'.repeat(100_000)}`))
    const { body } = await call('get_cached_result', { ref_id: refId })
    expect(body.error).toMatch(/^boom x+…\(\+\d+ characters\)$/)
  })

  it('reaches a client that waits cut, with a mark', async () => {
    const { client } = await scene({
      tools: ({ registerTool }) => {
        registerTool('talk', {}, (_, task) => {
          task.progress(1, 2, 'word '.repeat(10_000))
          return 'done'
        })
      },
    })
    const heard: string[] = []
    await client.callTool(
      { name: 'talk', arguments: {} },
      { onprogress: ({ message }) => heard.push(String(message)) },
    )
    expect(heard).toEqual([expect.stringMatching(/^word .*…\(\+\d+ characters\)$/)])
  })
})
