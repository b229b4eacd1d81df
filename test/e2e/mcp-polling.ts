import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { GET_CACHED_RESULT_DESCRIPTION, SERVER_INSTRUCTIONS } from '../../src/agent/instructions.ts'
import {
  CLIENTS,
  type HttpServer,
  type ReportedProgress,
  startHttpServer,
  type TestClient,
} from './fixtures/mcp-clients.ts'
import { POLLING, type Requirement } from './fixtures/mcp-requirements.ts'

/** A condition is waited for, never a time; this only ends a test that fails. */
const PATIENCE = { timeout: 30_000, interval: 20 }

// The server is the built package, in a process of its own; its work is held by gates that a test opens through the
// `control` tool (fixtures/mcp-tools.mjs).

type Body = Record<string, unknown> & { ref_id: string; status: string; preview?: unknown; value?: unknown }

/** One of each kind, for every change. */
export const QUICK = ['stdio, SDK v1', 'HTTP, 2026-07-28', 'stdio, fastmcp']

export const SLOW = Object.keys(CLIENTS).filter(name => !QUICK.includes(name))

export function pollingRequirements(clients: readonly string[]): void {
  let http: HttpServer
  beforeAll(async () => {
    http = await startHttpServer()
  })
  afterAll(() => http.close())

  describe.each(clients)('a client by %s', name => {
    const connect = CLIENTS[name] ?? expect.fail('no such client')
    let client: TestClient
    const cited = new Set<Requirement>()

    beforeAll(async () => {
      client = await connect(http.url)
    })
    afterAll(() => client.close())

    function verifies(requirement: Requirement, test: () => Promise<void>): void {
      cited.add(requirement)
      it(POLLING[requirement], test)
    }

    async function call(name: string, args: Record<string, unknown> = {}): Promise<Body> {
      const { structuredContent, content } = await client.callTool(name, args)
      expect(content).toEqual([{ type: 'text', text: JSON.stringify(structuredContent) }])
      return structuredContent as Body
    }

    const poll = (ref_id: string, args: Record<string, unknown> = {}) =>
      call('get_cached_result', { ref_id, wait_seconds: 0, ...args })
    const codeOf = async (name: string, args: Record<string, unknown>) =>
      ((await call(name, args)).error as { code: string }).code

    /** A task that runs until the test opens its gate. */
    async function task(tool = 'handle') {
      const gate = randomUUID()
      const control = async (act: string, value?: unknown) =>
        (await client.callTool('control', { gate, act, value })).structuredContent as {
          runs: number
          aborted: boolean
        }
      const { ref_id } = await call(tool, { gate })
      return { gate, ref_id, control }
    }

    /** Polls until the answer is as the test wants it. */
    const eventually = (ref_id: string, check: (answer: Body) => void) =>
      vi.waitFor(async () => {
        const answer = await poll(ref_id)
        check(answer)
        return answer
      }, PATIENCE)

    verifies('task-first', async () => {
      const { ref_id, control } = await task()
      expect(await poll(ref_id)).toMatchObject({ ref_id, is_complete: false, is_async: true })
      expect(['pending', 'processing']).toContain((await poll(ref_id)).status)
      await control('runs')
      expect((await poll(ref_id)).status).toBe('processing')
      await control('open')
    })

    verifies('finished', async () => {
      const { ref_id, control } = await task()
      const list = Array.from({ length: 3_000 }, (_, n) => ({ n }))
      await control('open', list)
      const preview = await eventually(ref_id, ({ status }) => expect(status).toBe('complete'))
      expect(preview).toMatchObject({ ref_id, is_complete: false, is_async: false, total_items: 3_000 })
      expect(await poll(ref_id, { page: 2, page_size: 2 })).toMatchObject({
        page: 2,
        preview: [{ n: 2 }, { n: 3 }],
      })
      const small = await poll(ref_id, { max_size: 20 })
      expect(JSON.stringify(small.preview).length).toBeLessThan(JSON.stringify(preview.preview).length)
      const full = await client.callTool('get_cached_result', { ref_id, full: true })
      expect(full.content).toEqual([{ type: 'text', text: JSON.stringify(list) }])

      const joined: unknown[] = []
      for (let page = 1, pages = 1; page <= pages; page++) {
        const answer = await poll(ref_id, { page, max_size: 10_000 })
        pages = answer.total_pages as number
        joined.push(...(answer.preview as unknown[]))
      }
      expect(joined).toEqual(list)
    })

    verifies('failed', async () => {
      const { ref_id, control } = await task()
      await control('fail', 'upstream returned 503')
      const answer = await eventually(ref_id, ({ status }) => expect(status).toBe('failed'))
      expect(answer).toMatchObject({
        ref_id,
        error: 'upstream returned 503',
        error_code: 'task_failed',
        can_retry: true,
        retry_count: 0,
      })
    })

    verifies('cancelled', async () => {
      const { ref_id, control } = await task()
      await control('runs')
      expect(await call('cancel_task', { ref_id })).toMatchObject({ ref_id, status: 'cancelled' })
      expect(await poll(ref_id)).toMatchObject({ ref_id, status: 'cancelled' })
      expect(await poll(ref_id, { page: 1 })).toMatchObject({ status: 'cancelled' })
      await vi.waitFor(async () => expect((await control('runs')).aborted).toBe(true), PATIENCE)
    })

    verifies('growing', async () => {
      const { ref_id, control } = await task()
      await control('append', [
        { n: 1, of: [1, 2] },
        { n: 2, of: [3, 4] },
      ])
      await eventually(ref_id, answer => expect(answer).toMatchObject({ available: 2, is_growing: true }))
      const ask = (args: Record<string, unknown>) =>
        call('query_cached_result', { ref_id, wait_seconds: 20, ...args })
      expect(await poll(ref_id, { page: 1 })).toMatchObject({ is_growing: true, available: 2 })
      const sums = { sql: 'select sum(n) s from items' }
      expect(await ask(sums)).toEqual({
        ref_id: expect.any(String),
        columns: ['s'],
        rows: [[3]],
        available: 2,
        is_growing: true,
      })
      expect(await ask({ search: '"n":2' })).toMatchObject({ matched: 1, available: 2, is_growing: true })
      await control('fail', 'the site is down')
      await eventually(ref_id, answer => expect(answer).toMatchObject({ status: 'failed', partial: true }))
      const left = await ask(sums)
      expect(left).toMatchObject({ rows: [[3]], available: 2, partial: true })
      expect(await poll(left.ref_id)).toMatchObject({ status: 'complete', partial: true })
      expect(await call('sum', { numbers: `${ref_id}#/1/of` })).toMatchObject({ value: 7 })
      expect(await codeOf('sum', { numbers: ref_id })).toBe('task_failed')
    })

    verifies('retried', async () => {
      const { ref_id, control } = await task('flaky')
      const failed = await eventually(ref_id, ({ status }) => expect(status).toBe('failed'))
      expect(failed).toMatchObject({ error: 'first attempt', can_retry: true })
      expect(failed.message).toContain('retry_task')
      expect(['pending', 'processing']).toContain((await call('retry_task', { ref_id })).status)
      expect(await codeOf('retry_task', { ref_id })).toBe('task_not_ready')
      await control('runs')
      await call('cancel_task', { ref_id })
      expect(await poll(ref_id, { _async_response_format: 'full' })).toMatchObject({
        status: 'cancelled',
        is_cancellable: false,
        retry_history: [{ attempt: 1, error: 'first attempt', error_code: 'task_failed' }],
      })
      expect((await call('retry_task', { ref_id })).ref_id).toBe(ref_id)
      await control('open', 'at last')
      await eventually(ref_id, ({ value }) => expect(value).toBe('at last'))
      expect(await codeOf('retry_task', { ref_id })).toBe('invalid_argument')
      expect(await codeOf('retry_task', { ref_id: 'files:unknown' })).toBe('not_found')
    })

    verifies('progress', async () => {
      const { ref_id, control } = await task()
      expect(await poll(ref_id)).not.toHaveProperty('progress')
      for (const [report, shown] of [
        [{ message: 'indexing' }, { message: 'indexing' }],
        [
          { current: 15, total: 50, message: 'page 15 of 50' },
          { current: 15, total: 50, message: 'page 15 of 50', percentage: 30 },
        ],
        [{ current: 16 }, { current: 16 }],
      ]) {
        await control('report', report)
        await eventually(ref_id, ({ progress }) => expect(progress).toEqual(shown))
      }
      await control('open')
    })

    verifies('eta', async () => {
      const { ref_id, control } = await task()
      for (const [report, hasEta] of [
        [{ current: 5 }, false],
        [{ current: 0, total: 10 }, false],
        [{ current: 5, total: 10 }, true],
        [{ current: 12, total: 10 }, true],
      ] as const) {
        await control('report', report)
        const { eta_seconds } = await eventually(ref_id, ({ progress }) =>
          expect(progress).toMatchObject(report),
        )
        if (!hasEta) expect(eta_seconds).toBeUndefined()
        else {
          expect(Number.isFinite(eta_seconds)).toBe(true)
          expect(eta_seconds).toBeGreaterThanOrEqual(0)
        }
      }
      await control('open')
    })

    verifies('one-format', async () => {
      const documented = new Set(
        (
          'ref_id status is_complete is_async tool message value size preview preview_strategy total_items original_size ' +
          'original_size_is_estimate preview_size page total_pages page_unit started_at progress eta_seconds ' +
          'poll_after_seconds error error_code retry_count max_retries can_retry retry_history expected_schema eta_basis is_cancellable ' +
          'columns rows shape lines total_lines reformatted total_pages_is_estimate path expires_at'
        ).split(' '),
      )
      const [flying, failed, cancelled] = [await task(), await task(), await task()]
      await failed.control('fail', 'no')
      await call('cancel_task', { ref_id: cancelled.ref_id })
      const answers = [
        await poll(flying.ref_id, { _async_response_format: 'full' }),
        await eventually(failed.ref_id, ({ status }) => expect(status).toBe('failed')),
        await poll(cancelled.ref_id),
        await call('list', { count: 2 }),
        await call('list', { count: 5_000 }),
      ]
      expect(answers.map(({ status }) => status)).toEqual([
        expect.stringMatching(/^(pending|processing)$/),
        'failed',
        'cancelled',
        'complete',
        'complete',
      ])
      for (const answer of answers) {
        expect(Object.keys(answer).slice(0, 4)).toEqual(['ref_id', 'status', 'is_complete', 'is_async'])
        expect(Object.keys(answer).filter(key => !documented.has(key))).toEqual([])
        expect(Object.values(answer)).not.toContain(null)
        expect(answer.is_async).toBe(answer.status !== 'complete')
      }
      await flying.control('open')
    })

    verifies('long-poll', async () => {
      const { ref_id, control } = await task()
      const answer = poll(ref_id, { wait_seconds: 20 })
      await control('open', 'done')
      expect(await answer).toMatchObject({ ref_id, status: 'complete', value: 'done' })
    })

    verifies('not-found', async () => {
      const { ref_id: expired } = await call('fleeting')
      await vi.waitFor(async () => {
        expect(await codeOf('get_cached_result', { ref_id: expired })).toBe('not_found')
      }, PATIENCE)
      const answers = await Promise.all(
        [expired, `files:${'0'.repeat(32)}`, 'files:', '', 'ref\u0000id', 'x'.repeat(1024 * 1024)].map(
          async ref_id => JSON.stringify(await client.callTool('get_cached_result', { ref_id })),
        ),
      )
      expect(new Set(answers.map(withoutServerInfo)).size).toBe(1)
      expect(answers[0]).toContain('"isError":true')
    })

    verifies('many-pollers', async () => {
      const { ref_id, control } = await task()
      await control('runs')
      const inFlight = await Promise.all(
        [{}, { page: 3 }, { page: 1, page_size: 5 }, { full: true }, { max_size: 1 }].map(args =>
          poll(ref_id, args),
        ),
      )
      for (const answer of inFlight) expect(answer).toMatchObject({ ref_id, status: 'processing' })
      const pollers = Array.from({ length: 20 }, () => poll(ref_id, { wait_seconds: 20 }))
      await control('open', { all: 'agree' })
      const answers = await Promise.all(pollers)
      expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1)
      expect(answers[0]).toMatchObject({ status: 'complete', value: { all: 'agree' } })
      expect((await control('runs')).runs).toBe(1)
    })

    verifies('scenario', async () => {
      const runs = async () =>
        (
          (await client.callTool('control', { act: 'runs', value: 'scenario' })).structuredContent as {
            runs: number
          }
        ).runs
      const before = await runs()
      let answer = await call('scenario', { id: randomUUID() })
      expect(answer.status).toBe('processing')
      const { ref_id } = answer
      await vi.waitFor(async () => {
        answer = await poll(ref_id)
        expect(answer.status).toBe('complete')
      }, PATIENCE)
      expect(answer).toMatchObject({ ref_id, status: 'complete', value: { data: 'result' } })
      expect(await runs()).toBe(before + 1)
    })

    verifies('soft-progress', async () => {
      const gate = randomUUID()
      const heard: ReportedProgress[] = []
      const held = client.callTool('hold', { gate }, { onprogress: report => heard.push(report) })
      await client.callTool('control', {
        gate,
        act: 'report',
        value: { current: 1, total: 4, message: 'one' },
      })
      await vi.waitFor(() => expect(heard).toHaveLength(1), PATIENCE)
      expect(heard[0]).toMatchObject({ progress: 1, total: 4, message: 'one' })
      await client.callTool('control', { gate, act: 'report', value: { current: 2, total: 4 } })
      await vi.waitFor(() => expect(heard.at(-1)).toMatchObject({ progress: 2, total: 4 }), PATIENCE)
      await client.callTool('control', { gate, act: 'open', value: 'done' })
      expect((await held).structuredContent).toMatchObject({ status: 'complete', value: 'done' })
    })

    verifies('poll-progress', async () => {
      const { ref_id, control } = await task()
      const heard: ReportedProgress[] = []
      const polled = client.callTool(
        'get_cached_result',
        { ref_id, wait_seconds: 20 },
        { onprogress: report => heard.push(report) },
      )
      await control('report', { current: 3, total: 4, message: 'three' })
      await vi.waitFor(
        () => expect(heard.at(-1)).toMatchObject({ progress: 3, total: 4, message: 'three' }),
        PATIENCE,
      )
      await control('open', 'done')
      expect((await polled).structuredContent).toMatchObject({ status: 'complete', value: 'done' })
    })

    verifies('output-schema', async () => {
      // After this the client refuses whatever breaks the declared schema.
      const { tools } = await client.listTools()
      expect(tools.find(({ name }) => name === 'typed')?.outputSchema).toMatchObject({ type: 'object' })
      expect(await call('typed', { count: 2 })).toMatchObject({ is_complete: true })
      expect(await call('typed', { count: 5_000 })).toMatchObject({ is_complete: false, status: 'complete' })
      // What is no output of the tool carries no structured content.
      const refused = await client.callTool('typed', { count: 'many' })
      expect(refused).toMatchObject({ isError: true })
      expect(refused.structuredContent).toBeUndefined()
      expect(JSON.stringify(refused.content)).toContain('invalid_argument')
      const { control } = await task('typed_handle')
      await control('open', { rows: [] })
    })

    verifies('error-before-handle', async () => {
      const { isError, structuredContent, content } = await client.callTool('broken', {})
      expect(isError).toBe(true)
      expect(structuredContent).toEqual({ error: { code: 'task_failed', message: 'upstream returned 503' } })
      expect(JSON.stringify(content)).not.toContain('.mjs')
    })

    verifies('client-cancel', async () => {
      const gate = randomUUID()
      const controller = new AbortController()
      const held = client.callTool('hold', { gate }, { signal: controller.signal })
      const control = async (act: string, value?: unknown) =>
        (await client.callTool('control', { gate, act, value })).structuredContent
      await control('runs')
      controller.abort()
      await expect(held).rejects.toThrow()
      // An identical call joins the task: it still runs.
      const again = call('hold', { gate })
      expect(await control('runs')).toEqual({ runs: 1, aborted: false })
      await control('open', 'done')
      expect(await again).toMatchObject({ status: 'complete', value: 'done' })
      expect(await control('runs')).toMatchObject({ runs: 1 })
    })

    verifies('references', async () => {
      const numbers = await call('numbers', { count: 1_000 })
      const sum = await call('sum', { numbers: numbers.ref_id })
      expect(sum.value).toBe(499_500)
      expect(await call('sum', { numbers: [1], plus: sum.ref_id })).toMatchObject({ value: 499_501 })
      expect(await codeOf('sum', { numbers: `files:${'0'.repeat(32)}` })).toBe('not_found')
      expect(await codeOf('sum', { numbers: sum.ref_id })).toBe('invalid_argument')
      expect(await codeOf('sum', { numbers: `other:${'0'.repeat(32)}` })).toBe('invalid_argument')
    })

    verifies('bad-input', async () => {
      const { ref_id } = await call('list', { count: 2_000 })
      for (const bad of [
        { page: -1 },
        { page: 0 },
        { page: 1_000_000 },
        { page: 1.5 },
        { page: 'two' },
        { page_size: 0 },
        { max_size: 0 },
        { max_size: -5 },
        { wait_seconds: -1 },
        { wait_seconds: 'long' },
        { full: 'yes' },
        { full: true, page: 1 },
        { surprise: 1 },
        { ref_id: 7 },
        { ref_id: { $ne: null } },
      ]) {
        const { isError, structuredContent } = await client.callTool('get_cached_result', { ref_id, ...bad })
        expect({ bad, isError, structuredContent }).toMatchObject({
          isError: true,
          structuredContent: {
            error: { code: 'invalid_argument', message: expect.stringMatching(/\w{3,}/) },
          },
        })
      }
      expect(await codeOf('get_cached_result', {})).toBe('invalid_argument')
      expect(await codeOf('cancel_task', { ref_id: 7 })).toBe('invalid_argument')
      expect(await codeOf('list', {})).toBe('invalid_argument')
      expect(await poll(ref_id)).toMatchObject({ status: 'complete', total_items: 2_000 })
    })

    verifies('instructions', async () => {
      expect(client.instructions()).toBe(SERVER_INSTRUCTIONS)
      const { tools } = await client.listTools()
      const followUp = tools.find(({ name }) => name === 'get_cached_result')
      expect(followUp).toMatchObject({ description: GET_CACHED_RESULT_DESCRIPTION })
      expect(followUp?.inputSchema).toMatchObject({ required: ['ref_id'] })
    })

    it('has been held to every requirement', () => {
      expect([...cited].sort()).toEqual(Object.keys(POLLING).sort())
    })
  })
}

/** The newer revision stamps every result with the server's name. */
function withoutServerInfo(result: string): string {
  const { _meta, ...rest } = JSON.parse(result)
  return JSON.stringify(rest)
}
