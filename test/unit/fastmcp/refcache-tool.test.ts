import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { z as previousZod } from 'zod/v3'
import { TOOL_NOTE } from '../../../src/agent/instructions.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import {
  addPollingTools,
  type RefcacheToolConfig,
  type RequestContext,
  refcacheTool,
} from '../../../src/fastmcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { type Session, scene } from './scene.ts'

type Config = Partial<RefcacheToolConfig<Session>>

/** A scene with one tool, `t`. */
const withTool = (config: Config) =>
  scene((server, cache) =>
    server.addTool(
      refcacheTool<Session>(cache, {
        name: 't',
        execute: () => 'done',
        envelope: 'always',
        ...config,
      } as never),
    ),
  )

async function listed(config: Config) {
  const { client } = await withTool(config).connect()
  return (await client.listTools()).tools.find(({ name }) => name === 't')
}

describe('what clients see of a tool', () => {
  const year = {
    type: 'object',
    properties: { year: { type: 'number' } },
    required: ['year'],
    additionalProperties: false,
  }

  it.each([
    ['zod', z.object({ year: z.number() })],
    ['a library that cannot say itself in JSON Schema', previousZod.object({ year: previousZod.number() })],
  ])('is its schema as fastmcp shows it, by %s', async (_, parameters) => {
    expect((await listed({ parameters }))?.inputSchema).toMatchObject(year)
  })

  it('is a tool without arguments where it has none', async () => {
    const none = { type: 'object', properties: {}, additionalProperties: false }
    expect((await listed({}))?.inputSchema).toEqual(none)
  })

  it('is its own words, and how to follow its references where that is wanted', async () => {
    const annotations = { title: 'Title', readOnlyHint: true }
    const shown = await listed({ description: 'Says it.', annotations, _meta: { own: 1 } })
    expect(shown).toMatchObject({ description: 'Says it.', annotations, _meta: { own: 1 } })
    const noted = await listed({ description: 'Says it.', notes: true })
    expect(noted).toMatchObject({ description: `Says it.\n\n${TOOL_NOTE}` })
  })

  it('is nothing where it may not be used', async () => {
    const { connect } = withTool({ canAccess: session => session?.role === 'admin' })
    const names = async (session: Session) =>
      (await (await connect(session)).client.listTools()).tools.map(({ name }) => name)
    expect(await names({ role: 'guest' })).not.toContain('t')
    expect(await names({ role: 'admin' })).toContain('t')
  })
})

describe('arguments', () => {
  it('are checked behind fastmcp, so that a bad one gets a coded error', async () => {
    const execute = vi.fn(() => 'done')
    const parameters = z.object({ year: z.number(), month: z.number().default(1) })
    const { call } = await withTool({ parameters, execute }).connect()
    const { body, isError } = await call('t', { year: 'when?' })
    expect(isError).toBe(true)
    expect(body).toMatchObject({
      error: { code: 'invalid_argument', message: expect.stringMatching(/year/) },
    })
    expect(execute).not.toHaveBeenCalled()
    await call('t', { year: 2025 })
    expect(execute).toHaveBeenCalledWith({ year: 2025, month: 1 }, expect.anything(), expect.anything())
  })

  it('are none for a tool without parameters, but the reserved one works', async () => {
    const execute = vi.fn(() => new Promise(() => {}))
    const { call } = await withTool({ execute, asyncTimeout: 0 }).connect()
    const { body } = await call('t', { surprise: 1, _async_response_format: 'minimal' })
    expect(Object.keys(body)).toEqual(['ref_id', 'status', 'is_complete', 'is_async'])
    await vi.waitFor(() => expect(execute).toHaveBeenCalledWith({}, expect.anything(), expect.anything()))
  })
})

describe('identical calls', () => {
  it.each([
    [{ readOnlyHint: true, idempotentHint: true }, {}, 2],
    [{ readOnlyHint: true }, {}, 2],
    [undefined, {}, 2],
    [undefined, { memoize: true }, 1],
  ])('with the annotations %j and %j run %i times', async (annotations, own, runs) => {
    const execute = vi.fn(() => 'done')
    const { call } = await withTool({ ...(annotations ? { annotations } : {}), ...own, execute }).connect()
    await call('t')
    await call('t')
    expect(execute).toHaveBeenCalledTimes(runs)
  })

  it('of two users are two, unless the tool says where its results belong', async () => {
    for (const [own, runs] of [
      [{}, 2],
      [{ namespace: 'public' }, 1],
    ] as const) {
      const execute = vi.fn(() => 'done')
      const { connect } = withTool({ memoize: true, execute, ...own })
      for (const sub of ['alice', 'bob', 'alice']) await (await connect({ sub })).call('t')
      expect(execute).toHaveBeenCalledTimes(runs)
    }
  })

  it('are told apart by whom actorOf says', async () => {
    const execute = vi.fn(() => 'done')
    const actorOf = (session: Session) => ({ type: 'agent', id: `${session?.tenant}` }) as const
    const { connect } = withTool({ memoize: true, execute, actorOf })
    for (const tenant of ['a', 'b', 'a']) await (await connect({ sub: 'same', tenant })).call('t')
    expect(execute).toHaveBeenCalledTimes(2)
  })
})

describe('what the work knows of the request that had it run', () => {
  it('is its own, also when it had to wait for its turn', async () => {
    const finish: Array<() => void> = []
    const execute = (_: unknown, __: TaskContext, context?: RequestContext<Session>) =>
      new Promise(resolve => finish.push(() => resolve(context?.session?.sub)))
    const { connect } = withTool({ execute, maxConcurrentTasks: 1 })
    const users = ['alice', 'bob', 'carol']
    const answers = []
    for (const sub of users) answers.push((await connect({ sub })).call('t'))
    for (const turn of users.keys()) {
      await vi.waitFor(() => expect(finish).toHaveLength(turn + 1))
      finish[turn]?.()
    }
    expect((await Promise.all(answers)).map(({ body }) => body.value)).toEqual(users)
  })

  it('is nothing of the call itself, which the task outlives', async () => {
    const execute = vi.fn((_: unknown, __: TaskContext, context?: RequestContext<Session>) =>
      Object.keys(context ?? {}).sort(),
    )
    const { call } = await withTool({ execute }).connect()
    expect((await call('t')).body.value).toEqual([
      'client',
      'elicit',
      'log',
      'requestId',
      'session',
      'sessionId',
    ])
  })

  it('is nothing when it begins after its request was answered; who started it stays known', async () => {
    const seen: unknown[] = []
    const finish: Array<() => void> = []
    const execute = (_: unknown, task: TaskContext, context?: RequestContext<Session>) => {
      seen.push([context?.session?.sub, task.actor.id])
      return new Promise<void>(resolve => finish.push(resolve))
    }
    const { connect } = withTool({ execute, asyncTimeout: 0, maxConcurrentTasks: 1 })
    for (const sub of ['alice', 'bob']) await (await connect({ sub })).call('t')
    await vi.waitFor(() => expect(finish).toHaveLength(1))
    finish[0]!()
    await vi.waitFor(() => expect(seen).toHaveLength(2))
    expect(seen).toEqual([
      ['alice', 'alice'],
      [undefined, 'bob'],
    ])
  })

  it('is nothing when no request had it run', async () => {
    const execute = vi.fn((_: unknown, { attempt }: TaskContext, context?: RequestContext<Session>) => {
      if (attempt === 1) throw new Error('not yet')
      return context === undefined
    })
    const { connect, cache } = withTool({ execute, asyncTimeout: 0 })
    const { call } = await connect({ sub: 'alice' })
    const { ref_id } = (await call('t')).body
    expect((await call('get_cached_result', { ref_id })).body).toMatchObject({ status: 'failed' })
    await call('retry_task', { ref_id })
    expect((await call('get_cached_result', { ref_id })).body).toMatchObject({ value: true })
    expect(await cache.exists(`${ref_id}`)).toBe(false)
  })
})

describe('results', () => {
  const outputSchema = z.object({ rows: z.array(z.number()) })

  it('that break the declared schema are the failure of the tool', async () => {
    const { client, call } = await withTool({ outputSchema, execute: () => ({ rows: 'none' }) }).connect()
    await client.listTools() // after this the client refuses what breaks the schema
    const { body, isError } = await call('t')
    expect(isError).toBe(true)
    expect(body).toMatchObject({ error: { code: 'task_failed', message: expect.stringMatching(/rows/) } })
  })

  it('that keep to it are checked and given', async () => {
    const { client, call } = await withTool({ outputSchema, execute: () => ({ rows: [1] }) }).connect()
    await client.listTools()
    expect((await call('t')).body).toMatchObject({ is_complete: true, value: { rows: [1] } })
  })
})

describe('what cannot work is said at once', () => {
  const cache = new RefCache()

  it('by refcacheTool, of parameters in plain JSON Schema', () => {
    const parameters = { type: 'object' } as never
    expect(() => refcacheTool(cache, { name: 't', parameters, execute: () => 1 })).toThrow(
      /parameters of 't'.*jsonSchemaAdapter/,
    )
  })

  it('by refcacheTool, of an outputSchema that nobody can show', () => {
    const outputSchema = previousZod.object({})
    expect(() => refcacheTool(cache, { name: 't', outputSchema, execute: () => ({}) })).toThrow(
      /outputSchema of 't'.*jsonSchemaAdapter/,
    )
  })

  it('by addPollingTools, of a server of another framework', () => {
    expect(() => addPollingTools({} as never, cache)).toThrow(/FastMCP/)
  })
})

it('adds the polling tools, as fastmcp has them', async () => {
  const { client } = await scene(() => {}).connect()
  const { tools } = await client.listTools()
  expect(tools.map(({ name, annotations }) => [name, annotations?.title])).toEqual([
    ['get_cached_result', 'Get cached result'],
    ['cancel_task', 'Cancel task'],
    ['retry_task', 'Retry task'],
    ['query_cached_result', 'Query cached result'],
    ['edit_cached_result', 'Edit cached result'],
  ])
})
