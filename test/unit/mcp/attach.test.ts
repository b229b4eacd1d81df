import { McpServer as V1Server } from '@modelcontextprotocol/sdk/server/mcp.js'
import { McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import { AccessPolicy } from '../../../src/access/policy.ts'

import type { TaskContext } from '../../../src/core/handler.ts'
import { type AttachedRefCache, type AuthorSchema, attachRefCache } from '../../../src/mcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { deferred } from '../flow/scene.ts'
import { REVISIONS, scene } from './scene.ts'

/** A condition is waited for, never a time; this only ends a test that fails. */
const PATIENCE = { timeout: 10_000, interval: 5 }

const REPEATABLE = { readOnlyHint: true, idempotentHint: true }

/** A tool that runs until the test says so. */
function slowTool<Result = unknown>() {
  const work = deferred<Result>()
  const started = deferred<TaskContext>()
  const handler = vi.fn((_: object, task: TaskContext) => {
    started.resolve(task)
    return work.promise
  })
  return { work, started: started.promise, handler }
}

describe.each(REVISIONS)('on protocol revision %s', (revision, era) => {
  it('a client gets the whole value, and the server speaks that revision', async () => {
    const { client, call } = await scene({
      era,
      tools: ({ registerTool }) => {
        registerTool('add', { inputSchema: z.object({ a: z.number(), b: z.number() }) }, ({ a, b }) => a + b)
      },
    })
    expect(client.getNegotiatedProtocolVersion()).toBe(revision)
    const { body, isError } = await call('add', { a: 1, b: 2 })
    expect(isError).toBe(false)
    expect(body).toMatchObject({ status: 'complete', is_complete: true, is_async: false, value: 3 })
  })

  it('a slow call becomes a handle at the soft timeout, and its result is there under the same ref_id', async () => {
    const { handler, work, started } = slowTool()
    const { call, clock } = await scene({
      era,
      tools: ({ registerTool }) => void registerTool('slow', {}, handler),
    })
    const first = call('slow')
    await started
    await clock.advance('20s')
    const { body } = await first
    expect(body).toMatchObject({ status: 'processing', is_complete: false, is_async: true })

    const poll = call('get_cached_result', { ref_id: body.ref_id, wait_seconds: 5 })
    work.resolve('done')
    expect((await poll).body).toMatchObject({ ref_id: body.ref_id, status: 'complete', value: 'done' })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('progress flows to the client during the soft wait and during a poll, forward only', async () => {
    const { handler, work, started } = slowTool()
    const { client, clock } = await scene({
      era,
      tools: ({ registerTool }) => void registerTool('slow', {}, handler),
    })
    const heard: number[] = []
    const onprogress = ({ progress }: { progress: number }) => heard.push(progress)
    const first = client.callTool({ name: 'slow', arguments: {} }, { onprogress })
    const task = await started
    for (const current of [1, 2, 1, 3]) {
      task.progress(current, 10)
      await clock.advance('100ms')
    }
    await vi.waitFor(() => expect(heard).toEqual([1, 2, 3]), PATIENCE)
    await clock.advance('20s')
    const { ref_id } = (await first).structuredContent as { ref_id: string }

    const polled: object[] = []
    const poll = client.callTool(
      { name: 'get_cached_result', arguments: { ref_id, wait_seconds: 20 } },
      { onprogress: report => polled.push(report) },
    )
    await vi.waitFor(() => expect(polled).toEqual([{ progress: 3, total: 10 }]), PATIENCE)
    task.progress(7, 10, 'seven')
    await vi.waitFor(() => expect(polled).toHaveLength(2), PATIENCE)
    expect(polled[1]).toEqual({ progress: 7, total: 10, message: 'seven' })
    work.resolve(1)
    expect((await poll).structuredContent).toMatchObject({ status: 'complete' })
    expect(heard).toEqual([1, 2, 3])
  })

  it('a client that cancels its request ends the wait, never the task', async () => {
    const { handler, work, started } = slowTool()
    const { client, call, cache, clock } = await scene({
      era,
      tools: ({ registerTool }) => void registerTool('slow', { memoize: true }, handler),
    })
    const controller = new AbortController()
    const first = client.callTool({ name: 'slow', arguments: {} }, { signal: controller.signal })
    const { refId, signal } = await started
    const waiting = clock.pending
    controller.abort()
    await expect(first).rejects.toThrow()
    await vi.waitFor(() => expect(clock.pending).toBeLessThan(waiting), PATIENCE)
    const again = call('slow')
    await vi.waitFor(() => expect(clock.pending).toBe(waiting), PATIENCE)
    expect(signal.aborted).toBe(false)
    work.resolve('done')
    expect((await again).body).toMatchObject({ ref_id: refId, value: 'done' })
    expect(handler).toHaveBeenCalledTimes(1)
    expect(await cache.get(refId)).toMatchObject({ status: 'complete' })
  })

  it('a client that validates takes every answer of a tool with an output schema', async () => {
    const { handler, work, started } = slowTool<{ rows: Array<{ id: number }> }>()
    const outputSchema = z.object({ rows: z.array(z.object({ id: z.int() })) })
    const rows = (count: number) => ({ rows: Array.from({ length: count }, (_, id) => ({ id })) })
    const { client, call, clock } = await scene({
      era,
      tools: ({ registerTool }) => {
        const inputSchema = z.object({ count: z.int() })
        registerTool('rows', { inputSchema, outputSchema }, ({ count }) => rows(count))
        registerTool('slow', { outputSchema }, handler)
      },
    })
    // From now on the client holds each answer against the schema.
    const { tools } = await client.listTools()
    expect(tools.find(({ name }) => name === 'rows')?.outputSchema?.type).toBe('object')

    expect((await call('rows', { count: 2 })).body).toMatchObject({ is_complete: true, value: rows(2) })
    expect((await call('rows', { count: 9_000 })).body).toMatchObject({
      is_complete: false,
      status: 'complete',
    })
    expect((await call('rows', { count: 'many' })).isError).toBe(true)
    const handle = call('slow')
    await started
    await clock.advance('20s')
    expect((await handle).body).toMatchObject({ status: 'processing' })
    work.resolve({ rows: [] })
  })
})

describe('a tool', () => {
  it('is shown with the very words and the schema of its author', async () => {
    const inputSchema = z.strictObject({ id: z.string().describe('Which one.') })
    const { client } = await scene({
      tools: ({ registerTool }) => {
        registerTool(
          'find',
          { title: 'Find', description: 'Finds.', inputSchema, annotations: REPEATABLE, _meta: { a: 1 } },
          () => 1,
        )
        registerTool('bare', {}, () => 1)
      },
    })
    const { tools } = await client.listTools()
    const [find, bare] = tools.filter(({ name }) => ['find', 'bare'].includes(name))
    expect(find).toMatchObject({ title: 'Find', annotations: REPEATABLE, _meta: { a: 1 } })
    expect(find?.description).toBe('Finds.')
    expect(find?.inputSchema).toEqual(z.toJSONSchema(inputSchema, { io: 'input' }))
    expect(find).not.toHaveProperty('outputSchema')
    expect(bare).toMatchObject({ inputSchema: { type: 'object', properties: {} } })
  })

  it('never sees the reserved argument: not its handler, its validation or its key', async () => {
    const handler = vi.fn((args: { id: string }) => args)
    const inputSchema = z.strictObject({ id: z.string() })
    const { call } = await scene({
      tools: ({ registerTool }) => void registerTool('echo', { inputSchema, memoize: true }, handler),
    })
    const plain = await call('echo', { id: 'a' })
    const asked = await call('echo', { id: 'a', _async_response_format: 'full' })
    expect(asked.body).toEqual({ ...plain.body, cached_at: expect.any(String) })
    expect(asked.body.value).toEqual({ id: 'a' })
    expect(handler).toHaveBeenCalledTimes(1)
    expect((await call('echo', { id: 'a', _async_response_format: 'loud' })).body).toMatchObject({
      error: { code: 'invalid_argument', message: expect.stringContaining('_async_response_format') },
    })
  })

  it('answers in the detail that the caller asks for, with the author’s schema in the full one', async () => {
    const { handler, work } = slowTool<{ total: number }>()
    const outputSchema = z.object({ total: z.number() })
    const { call } = await scene({
      tools: ({ registerTool }) => {
        const config = { outputSchema, asyncTimeout: 0 }
        registerTool('slow', config, handler)
      },
    })
    const minimal = await call('slow', { _async_response_format: 'minimal' })
    expect(Object.keys(minimal.body)).toEqual(['ref_id', 'status', 'is_complete', 'is_async'])
    const full = await call('slow', { _async_response_format: 'full' })
    expect(full.body.expected_schema).toEqual(z.toJSONSchema(outputSchema, { io: 'output' }))
    work.resolve({ total: 1 })
  })

  it('refuses bad arguments with a code, and its handler does not run', async () => {
    const handler = vi.fn(() => 1)
    const { call } = await scene({
      tools: ({ registerTool }) =>
        void registerTool('find', { inputSchema: z.object({ id: z.string() }) }, handler),
    })
    const { body, isError } = await call('find', { id: 7 })
    expect(isError).toBe(true)
    expect(body).toMatchObject({
      error: { code: 'invalid_argument', message: expect.stringContaining('id') },
    })
    expect(handler).not.toHaveBeenCalled()
  })

  it('that throws while its caller waits fails with its own message and no stack', async () => {
    const { call } = await scene({
      tools: ({ registerTool }) => {
        registerTool('broken', {}, () => {
          throw new Error('upstream returned 503')
        })
      },
    })
    const { body, isError, text } = await call('broken')
    expect(isError).toBe(true)
    expect(body).toEqual({ error: { code: 'task_failed', message: 'upstream returned 503' } })
    expect(text).not.toContain('.ts')
  })

  it('that breaks its own output schema fails, and what the schema does not know is left out', async () => {
    const outputSchema = z.object({ total: z.number() })
    const { call } = await scene({
      tools: ({ registerTool }) => {
        // @ts-expect-error: nor do the types let it
        registerTool('wrong', { outputSchema }, () => ({ total: 'many' }))
        registerTool('more', { outputSchema }, () => ({ total: 1, secret: 2 }))
      },
    })
    expect((await call('wrong')).body).toMatchObject({
      error: { code: 'task_failed', message: expect.stringContaining('outputSchema') },
    })
    expect((await call('more')).body.value).toEqual({ total: 1 })
  })

  it('runs each time unless its config says that it need not, whatever its annotations hint', async () => {
    const runs = { plain: vi.fn(), readOnly: vi.fn(), repeatable: vi.fn(), told: vi.fn(), toldNot: vi.fn() }
    const { call } = await scene({
      tools: ({ registerTool }) => {
        registerTool('plain', {}, runs.plain)
        registerTool('readOnly', { annotations: { readOnlyHint: true } }, runs.readOnly)
        registerTool('repeatable', { annotations: REPEATABLE }, runs.repeatable)
        registerTool('told', { memoize: true }, runs.told)
        registerTool('toldNot', { annotations: REPEATABLE, memoize: false }, runs.toldNot)
      },
    })
    for (const name of Object.keys(runs)) {
      const [one, two] = [await call(name), await call(name)]
      expect(one.body.ref_id === two.body.ref_id).toBe(name === 'told')
    }
    const counts = Object.values(runs).map(({ mock }) => mock.calls.length)
    expect(counts).toEqual([2, 2, 2, 1, 2])
  })

  it('whose values are to be used, not seen, answers with the bare reference', async () => {
    const { call } = await scene({
      tools: ({ registerTool }) =>
        void registerTool('key', { policy: AccessPolicy.executeOnly }, () => 'hunter2'),
    })
    const { body, text } = await call('key')
    expect(body).toMatchObject({ status: 'complete', is_complete: false })
    expect(text).not.toContain('hunter2')
    expect((await call('get_cached_result', { ref_id: body.ref_id })).body).toMatchObject({
      error: { code: 'permission_denied' },
    })
  })

  it('with a schema that cannot be shown is refused when it is registered', async () => {
    const cache = new RefCache()
    onTestFinished(() => cache.close())
    const { registerTool } = attachRefCache(new McpServer({ name: 's', version: '1.0.0' }), cache)
    const shape = { type: 'object', properties: {} } as unknown as AuthorSchema
    expect(() => registerTool('raw', { inputSchema: shape }, () => 1)).toThrow(/inputSchema of 'raw'/)
    expect(() => registerTool('raw', { outputSchema: shape }, () => 1)).toThrow(/outputSchema of 'raw'/)
  })

  it('can be registered again on the same cache: a server for every request', async () => {
    const handler = vi.fn(() => 'once')
    const tools = ({ registerTool }: AttachedRefCache) =>
      void registerTool('same', { memoize: true }, handler)
    const one = await scene({ tools })
    const two = await scene({ tools, behind: one })
    for (const { call } of [one, two]) expect((await call('same')).body.value).toBe('once')
    expect(handler).toHaveBeenCalledTimes(1)
  })
})

describe('get_cached_result and cancel_task', () => {
  it.each([
    ['no ref_id', {}],
    ['a ref_id that is a number', { ref_id: 5 }],
    ['a page below 1', { page: -1 }],
    ['a page between two', { page: 1.5 }],
    ['a page in words', { page: 'two' }],
    ['a page size of 0', { page_size: 0 }],
    ['a budget of 0', { max_size: 0 }],
    ['a negative wait', { wait_seconds: -1 }],
    ['full in words', { full: 'yes' }],
    ['an argument that there is not', { pgae: 2 }],
    ['a name of an argument that has no end', { ['x'.repeat(100_000)]: 1 }],
    ['a format that there is not', { _async_response_format: 'loud' }],
  ])('refuse %s with a coded error of a few words', async (_, args) => {
    const { call, cache } = await scene({ tools: () => {} })
    const { refId } = await cache.set('list', [1, 2, 3])
    const { body, isError, text } = await call('get_cached_result', {
      ...('ref_id' in args || Object.keys(args).length === 0 ? {} : { ref_id: refId }),
      ...args,
    })
    expect(isError).toBe(true)
    expect(body).toMatchObject({ error: { code: 'invalid_argument' } })
    expect(text.length).toBeLessThan(800)
    // Nothing was lost by it.
    expect((await call('get_cached_result', { ref_id: refId })).body.value).toEqual([1, 2, 3])
  })

  it('answer one and the same not_found for all that is no reference of the caller', async () => {
    const { call, cache, clock } = await scene({ tools: () => {} })
    const expired = await cache.set('old', 1, { ttl: '1s' })
    const foreign = await cache.set('private', 1, { namespace: 'user:somebody' })
    await clock.advance('2s')
    const unknown = [
      expired.refId,
      foreign.refId,
      '',
      't:',
      't:../../etc/passwd',
      `t:${'0'.repeat(32)}`,
      'x'.repeat(1024 * 1024),
    ]
    const answers = []
    for (const tool of ['get_cached_result', 'cancel_task']) {
      for (const ref_id of unknown) answers.push((await call(tool, { ref_id })).text)
    }
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).toContain('"code":"not_found"')
    // The name alone says whose it is: nothing is looked up for that.
    const elsewhere = await call('get_cached_result', { ref_id: `other:${'0'.repeat(32)}` })
    expect(elsewhere.text).toContain('"code":"not_found"')
    expect(elsewhere.text).toContain("'other'")
  })

  it('say of a reference of another server whose it is, going by its name alone', async () => {
    const { call, cache } = await scene({ tools: () => {} })
    const { refId } = await cache.set('x', 1)
    const other = refId.replace(/^.*:/, 'other:')
    for (const tool of ['get_cached_result', 'cancel_task', 'retry_task']) {
      const { text } = await call(tool, { ref_id: other })
      expect(text).toContain('"code":"not_found"')
      expect(text).toContain("it belongs to 'other'")
    }
  })

  it('give a reference to an argument as its schema wants it', async () => {
    const { call, cache } = await scene({
      tools: ({ registerTool }) => {
        registerTool(
          'sum',
          { inputSchema: z.object({ rows: z.array(z.number()), note: z.string().optional() }) },
          ({ rows, note }) => `${note} ${rows.reduce((a, b) => a + b, 0)}`,
        )
      },
    })
    const rows = await cache.set('rows', '[1, 2, 3]')
    expect((await call('sum', { rows: rows.refId, note: rows.refId })).text).toContain('[1, 2, 3] 6')
    const prose = await cache.set('prose', 'no list')
    expect((await call('sum', { rows: prose.refId })).text).toContain('"code":"invalid_argument"')
  })

  it('hold a poll no longer than the server allows, and as long as it says by default', async () => {
    const { handler } = slowTool()
    const { call, clock } = await scene({
      attach: { maxWait: '3s', defaultWait: '1s' },
      tools: ({ registerTool }) => void registerTool('slow', { asyncTimeout: 0 }, handler),
    })
    const { ref_id } = (await call('slow')).body
    for (const [args, seconds] of [
      [{ wait_seconds: 1_000 }, 3],
      [{}, 1],
    ] as const) {
      const before = clock.now()
      const waiting = clock.pending
      const poll = call('get_cached_result', { ref_id, ...args })
      await vi.waitFor(() => expect(clock.pending).toBeGreaterThan(waiting), PATIENCE)
      await clock.advance((seconds - 0.1) * 1_000)
      let answered = false
      void poll.then(() => {
        answered = true
      })
      await clock.advance(0)
      expect(answered).toBe(false)
      await clock.advance(100)
      expect((await poll).body.status).toBe('processing')
      expect(clock.now() - before).toBe(seconds * 1_000)
    }
  })

  it('cancel: the task is told to stop, twice is safe, and what is finished stays', async () => {
    const { handler, started } = slowTool()
    const { call } = await scene({
      tools: ({ registerTool }) => {
        registerTool('slow', { asyncTimeout: 0 }, handler)
        registerTool('quick', {}, () => 1)
      },
    })
    const { ref_id } = (await call('slow')).body
    const task = await started
    for (const _ of ['once', 'twice']) {
      expect((await call('cancel_task', { ref_id })).body).toMatchObject({ ref_id, status: 'cancelled' })
    }
    expect(task.signal.aborted).toBe(true)
    expect((await call('get_cached_result', { ref_id })).body).toMatchObject({ status: 'cancelled' })

    const finished = (await call('quick')).body.ref_id
    expect((await call('cancel_task', { ref_id: finished })).body).toMatchObject({ status: 'complete' })
    expect((await call('get_cached_result', { ref_id: finished })).body).toMatchObject({ value: 1 })
  })
})

describe('what is no server of the SDK v2', () => {
  it.each([
    ['a server of v1', () => new V1Server({ name: 'v1', version: '1' })],
    ['the cache', () => new RefCache()],
    ['nothing', () => undefined],
  ])('is refused with what to do instead: %s', (_, make) => {
    expect(() => attachRefCache(make() as never, new RefCache())).toThrow(/mcp-refcache wrap/)
  })
})
