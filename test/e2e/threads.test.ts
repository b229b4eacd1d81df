import { Client } from '@modelcontextprotocol/client'
import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { threadExecutor } from '../../dist/execution/threads/index.js'
import { refcacheTool } from '../../dist/fastmcp/index.js'
import {
  actor,
  type CallResponse,
  type ExecutionContext,
  memoryStore,
  RefCache,
  TaskCancelled,
} from '../../dist/index.js'
import { attachRefCache } from '../../dist/mcp/index.js'
import { ended, MB, MODULE, threads, thrown } from './thread-scene.ts'

const BROKEN = new URL('./fixtures/thread-broken.mjs', import.meta.url)
const SECRET = 'hunter2'

describe('a handler that computes without a pause', () => {
  it('keeps no poll waiting, and ends', async () => {
    const { cache, tool } = threads()
    const { refId } = await tool('spin', { asyncTimeout: 0 })({ ms: 1_500 })
    let polls = 0
    while ((await cache.get(refId)).isAsync) {
      polls++
      await new Promise(setImmediate)
    }
    expect(polls).toBeGreaterThan(20)
    expect(await cache.resolve(refId)).toMatchObject({ to: expect.any(Number) })
  })

  it('is answered with a handle at its soft timeout', async () => {
    const { tool } = threads()
    expect(await tool('spin', { asyncTimeout: '50ms' })({ ms: 2_000 })).toMatchObject({ isAsync: true })
  })

  it('runs beside another one', async () => {
    const { cache, tool } = threads()
    const spin = tool('spin', { asyncTimeout: 0 })
    const calls = await Promise.all([spin({ ms: 1_500 }), spin({ ms: 1_500 })])
    await Promise.all(calls.map(({ refId }) => ended(cache, refId)))
    type Span = { from: number; to: number }
    const [a, b] = (await Promise.all(calls.map(({ refId }) => cache.resolve(refId)))) as unknown as [
      Span,
      Span,
    ]
    expect(Math.max(a.from, b.from)).toBeLessThan(Math.min(a.to, b.to))
  })

  it('is killed when it is cancelled, and its thread makes room for others', async () => {
    const { cache, tool } = threads({ threads: 1 })
    const { refId } = await tool('spin', { asyncTimeout: 0 })({ ms: 600_000 })
    const { refId: next } = await tool('sum', { asyncTimeout: 0 })({ rows: [{ id: 7 }] })
    await cache.cancelTask(refId)
    await ended(cache, next)
    expect(await cache.resolve(next)).toBe(7)
    expect((await cache.get(refId)).status).toBe('cancelled')
  })

  it('is killed at its hard timeout', async () => {
    const { cache, tool } = threads({ threads: 1 })
    const spin = tool('spin', { hardTimeout: '200ms' })
    expect(await thrown(spin({ ms: 600_000 }))).toMatchObject({ code: 'hard_timeout' })
    expect(await tool('sum')({ rows: [{ id: 7 }] })).toMatchObject({ value: 7 })
    expect((await cache.stats()).abandonedRuns).toBe(0)
  })

  it('hears of its end where it looks at its signal: nothing is killed', async () => {
    const executor = threadExecutor({ modules: MODULE, grace: '1h' })
    const controller = new AbortController()
    const begun = new Promise<void>(resolve => {
      const run = executor.execute(
        'spinUntilAborted',
        '{}',
        context({ signal: controller.signal, progress: () => resolve() }),
      )
      void thrown(run).then(error => expect(error).toMatchObject({ code: 'task_cancelled' }))
    })
    await begun
    controller.abort(new TaskCancelled('not wanted'))
    // Resolves when the handler has ended; the grace would take an hour.
    await executor.close?.()
  })
})

function context(own: Partial<ExecutionContext>): ExecutionContext {
  return {
    refId: 'cache:00000000000000000000000000000000',
    attempt: 1,
    startedBy: actor.user({ id: 'ada' }),
    signal: new AbortController().signal,
    encoding: { maxBytes: MB, compress: false },
    progress: () => {},
    append: async () => {},
    ask: async () => ({}),
    ...own,
  }
}

describe('a thread that dies', () => {
  it('of too much memory fails its task with a code of its own, and the process lives', async () => {
    const { cache, tool, lines } = threads({ memoryLimit: 48 * MB })
    const { refId } = await tool('hog', { asyncTimeout: 0 })({ secret: SECRET })
    const failed = await ended(cache, refId)
    expect(failed).toMatchObject({ status: 'failed', errorCode: 'worker_out_of_memory', canRetry: true })
    expect(JSON.stringify(failed) + lines.join()).not.toContain(SECRET)
    expect(await tool('sum')({ rows: [{ id: 7 }] })).toMatchObject({ value: 7 })
  })

  it.each(['exit', 'stray'])(
    'by itself (%s) fails its task with worker_lost, without words of the tool',
    async name => {
      const { cache, tool, lines } = threads()
      const { refId } = await tool(name, { asyncTimeout: 0 })({ secret: SECRET })
      const failed = await ended(cache, refId)
      expect(failed).toMatchObject({ status: 'failed', errorCode: 'worker_lost', canRetry: true })
      expect(JSON.stringify(failed) + lines.join()).not.toContain(SECRET)
      expect(await tool('sum')({ rows: [{ id: 7 }] })).toMatchObject({ value: 7 })
    },
  )
})

describe('what a handler in a thread says', () => {
  it('reports without a pause: throttled, in its order, the last one always', async () => {
    const reports: number[] = []
    const executor = threadExecutor({ modules: MODULE })
    const progress = ({ current = -1 }) => reports.push(current)
    const { bytes } = (await executor.execute('report', '{"ms":500}', context({ progress }))) as {
      bytes: Uint8Array
    }
    await executor.close?.()
    const last = Number(Buffer.from(bytes.subarray(1)).toString())
    expect(reports).toEqual([...reports].sort((a, b) => a - b))
    expect(reports.at(-1)).toBe(last)
    expect(reports.length).toBeLessThan(last / 10)
  })

  it('asks the user and the model', async () => {
    const { cache, tool } = threads()
    for (const [name, answer, said] of [
      ['ask', { action: 'accept', content: { name: 'Ada' } }, 'Hello Ada'],
      ['sample', { model: 'm', role: 'assistant', content: { type: 'text', text: '' } }, 'm'],
    ] as const) {
      const { refId } = await tool(name, { asyncTimeout: 0 })({}, { interactive: true })
      let asked: CallResponse & { inputRequests?: object }
      do asked = await cache.get(refId, { wait: '200ms' })
      while (!asked.inputRequests)
      const [key = ''] = Object.keys(asked.inputRequests)
      await cache.answerTask(refId, { [key]: answer })
      await ended(cache, refId)
      expect(await cache.resolve(refId)).toBe(said)
    }
  })

  it('appends: a killed thread leaves what was there', async () => {
    const { cache, tool } = threads()
    const { refId } = await tool('rows', { asyncTimeout: 0 })({ count: 1_000_000, pause: 1 })
    await expect
      .poll(async () => (await cache.get(refId)) as { available?: number })
      .toHaveProperty('available')
    await cache.cancelTask(refId)
    const kept = (await cache.resolve(refId, { partial: true })) as Array<{ id: number }>
    expect(kept.map(({ id }) => id)).toEqual([...kept.keys()])
    expect(kept.length).toBeGreaterThan(0)
  })

  it('fails with its code and cause', async () => {
    const { tool } = threads()
    const error = await thrown(tool('fail')({}))
    expect(error).toMatchObject({ name: 'RangeError', message: 'the disk failed', code: 'EDISK' })
    expect(error.cause).toMatchObject({ message: 'a cable' })
  })
})

describe('what goes in and comes out', () => {
  it('runs the schema of the module, else that of the main thread', async () => {
    const { tool } = threads()
    expect(await tool('declared by name')({ at: '2030-01-01' })).toMatchObject({ value: true })
    const validate = (value: unknown) => {
      const at = new Date((value as { at: string }).at)
      return Number.isNaN(at.getTime())
        ? { issues: [{ message: 'is no date', path: ['at'] }] }
        : { value: { at } }
    }
    const dated = { '~standard': { version: 1, vendor: 'test', validate } } as const
    const year = tool('year', { input: dated })
    expect(await year({ at: '2030-06-01' })).toMatchObject({ value: 2030 })
    expect(await thrown(year({ at: 'soon' }))).toMatchObject({
      message: 'The input is not valid: at: is no date.',
    })
  })

  it('says what to do where a schema of the main thread makes what no thread can get', async () => {
    const { tool } = threads()
    const schema = {
      '~standard': { version: 1, vendor: 'test', validate: () => ({ value: { at: () => 1 } }) },
    } as const
    const error = await thrown(tool('year', { input: schema })({}))
    expect(error).toMatchObject({ code: 'invalid_argument' })
    expect(error.message).toContain('Export the schema beside the handler')
  })
})

describe('where a thread finds a handler', () => {
  it('is told by `run`', async () => {
    const { tool } = threads({ modules: [] })
    const named = tool('any name', { run: { module: MODULE, export: 'sum' } })
    expect(await named({ rows: [{ id: 7 }] })).toMatchObject({ value: 7 })
  })

  it('is looked for by the handler itself, whatever the tool is called', async () => {
    const { cache } = threads()
    const { sum } = await import(MODULE.href)
    const total = cache.cached<object, unknown>({ name: 'total', executor: 'threads' }, sum)
    expect(await total({ rows: [{ id: 7 }] })).toMatchObject({ value: 7 })
  })

  it.each([
    ['a module that does not load', { module: BROKEN, export: 'sum' }, "'thread-broken.mjs' does not load"],
    [
      'a module that is missing',
      { module: new URL('./none.mjs', MODULE), export: 'sum' },
      'file or package is missing',
    ],
    ['an export that is missing', { module: MODULE, export: 'sums' }, "no export 'sums'"],
    ['an export that is no handler', { module: MODULE, export: 'notATool' }, 'is no handler'],
  ])('says what is wrong with %s', async (_, run, words) => {
    const { tool } = threads()
    const error = await thrown(tool('sum', { run })({}))
    expect(error).toMatchObject({ code: 'invalid_argument' })
    expect(error.message).toContain(words)
    expect(error.message).not.toMatch(/hunter2|fixtures/)
  })

  it('says which tools there are where none has the name', async () => {
    const { tool } = threads()
    expect((await thrown(tool('som')({}))).message).toContain("'sum'")
  })
})

describe('tools of the adapters in a thread', () => {
  async function served() {
    const { cache } = threads()
    const server = new McpServer({ name: 'threads', version: '1.0.0' })
    const { registerTool } = attachRefCache(server, cache)
    const client = new Client({ name: 'agent', version: '1.0.0' })
    const [there, here] = InMemoryTransport.createLinkedPair()
    await Promise.all([server.connect(there), client.connect(here)])
    return { client, cache, registerTool, handlers: await import(MODULE.href) }
  }

  it.each(['complain', 'structured', 'refuse'])('answer as in this process (%s)', async name => {
    const { client, registerTool, handlers } = await served()
    const config = name === 'structured' ? { outputSchema: { n: z.number() } } : {}
    registerTool('here', config, handlers[name])
    registerTool('found', { ...config, executor: 'threads' }, handlers[name])
    const run = { module: MODULE, export: name }
    registerTool('told', { ...config, executor: 'threads', run }, (): never => expect.fail('not this one'))
    const answer = async (of: string) => {
      // A thread that starts slowly gives the call an entry, which `_meta` names.
      const { _meta, ...said } = await client.callTool({ name: of })
      return said
    }
    const here = await answer('here')
    expect(here.isError).toBe(true)
    for (const there of ['found', 'told']) expect(await answer(there)).toEqual(here)
    await client.close()
  })

  it('run where refcacheTool found them', async () => {
    const { cache } = threads()
    const { sum } = await import(MODULE.href)
    const tool = refcacheTool(cache, { name: 'total', executor: 'threads', execute: sum, parameters: ROWS })
    const { signal } = new AbortController()
    const request = { client: { version: undefined }, sessionId: 'one', signal } as never
    expect(JSON.stringify(await tool.execute({ rows: [{ id: 7 }] }, request))).toContain('7')
  })
})

const ROWS = z.object({ rows: z.array(z.object({ id: z.number() })) })

describe('close', () => {
  it('lets threads end within the drain', async () => {
    const { cache, tool } = threads({}, { store: memoryStore() })
    const call = tool('slow')({ ms: 300 })
    await new Promise(setImmediate)
    await cache.close({ drain: '30s' })
    expect(await call).toMatchObject({ value: 'done' })
  })

  it('kills what spins, and leaves nothing running', async () => {
    const { cache, tool, executor } = threads()
    const call = thrown(tool('spin')({ ms: 600_000 }))
    await new Promise(resolve => process.once('worker', resolve))
    await cache.close()
    expect(await call).toMatchObject({ code: 'worker_lost' })
    expect(await thrown(executor.execute('sum', '{"rows":[]}', context({})))).toMatchObject({
      code: 'worker_lost',
    })
  })
})

describe('a large value of the main thread', () => {
  const large = Array.from({ length: 60_000 }, (_, id) => ({ id, name: `row ${id}` }))

  /** The executor, and what its threads made of each value. */
  function encoding(options: Parameters<typeof threads>[0] = {}) {
    const scene = threads(options)
    const made: unknown[] = []
    const encode = scene.executor.encode!.bind(scene.executor)
    scene.executor.encode = async (source, how) => {
      const encoded = await encode(source, how)
      made.push(encoded?.segments?.length)
      return encoded
    }
    const { executor } = scene
    const cache = new RefCache({ executors: { threads: executor } })
    return { ...scene, cache, made }
  }

  it('is encoded in a thread, whether it was set or returned', async () => {
    const { cache, made } = encoding()
    const { refId } = await cache.set('large', large)
    const returned = await cache.cached({ name: 'returned' }, () => large)({})
    expect(made).toEqual([expect.any(Number), expect.any(Number)])
    expect(await cache.resolve(refId)).toEqual(large)
    expect(await cache.resolve(returned.refId)).toEqual(large)
    await cache.close()
  })

  it('is encoded here when a thread runs out of memory', async () => {
    const { cache, made } = encoding({ memoryLimit: 16 * MB })
    const values = Array.from({ length: 8 }, () => large).flat()
    const { refId } = await cache.set('larger', values)
    expect(made).toEqual([undefined])
    expect(await cache.resolve(refId)).toHaveLength(values.length)
    await cache.close()
  })

  it('waits for no thread: where all encode, the next one is encoded here', async () => {
    const { cache, made } = encoding({ threads: 1 })
    const references = await Promise.all([cache.set('a', large), cache.set('b', large)])
    expect(made.filter(count => count === undefined)).toHaveLength(1)
    for (const { refId } of references) expect(await cache.resolve(refId)).toHaveLength(large.length)
    await cache.close()
  })

  it('that is no JSON says where, and leaves the thread to others', async () => {
    const { cache, made } = encoding({ threads: 1 })
    await expect(cache.set('bad', [...large, { id: 1n }])).rejects.toMatchObject({ code: 'not_serializable' })
    await cache.set('good', large)
    expect(made).toEqual([expect.any(Number)])
    await cache.close()
  })
})
