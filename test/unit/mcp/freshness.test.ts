import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { deferred } from '../flow/scene.ts'
import { scene } from './scene.ts'

const READ_ONLY = { readOnlyHint: true, idempotentHint: true } as const

/** A knowledge graph: a tool that reads it, one that adds to it, and one beside the cache that does. */
async function graphScene(era: 'auto' | 'legacy' = 'auto') {
  const graph: string[] = []
  const readGraph = vi.fn()
  let gate: Promise<unknown> = Promise.resolve()
  let written: Promise<unknown> = Promise.resolve()
  const { call, client, clock, cache } = await scene({
    era,
    attach: { asyncTimeout: '1s' },
    tools: ({ registerTool }, _, server) => {
      registerTool('read_graph', { annotations: READ_ONLY }, async () => {
        readGraph()
        const seen = [...graph]
        await gate
        return seen
      })
      registerTool('create', { inputSchema: z.object({ name: z.string() }) }, async ({ name }) => {
        await written
        graph.push(name)
        return 'created'
      })
      server.registerTool('raw_create', {}, () => {
        graph.push('raw')
        return { content: [] }
      })
    },
  })
  const handle = async () => {
    const answer = call('read_graph')
    await vi.waitFor(() => expect(readGraph).toHaveBeenCalled())
    await clock.advance('1s')
    const { body } = await answer
    expect(body.status).toBe('processing')
    return `${body.ref_id}`
  }
  return {
    call,
    client,
    clock,
    cache,
    readGraph,
    handle,
    hold: () => {
      const held = deferred<void>()
      gate = held.promise
      return async () => {
        held.resolve()
        gate = Promise.resolve()
        await clock.advance(0)
      }
    },
    holdWrites: () => {
      const held = deferred<void>()
      written = held.promise
      return async () => {
        held.resolve()
        await clock.advance(0)
      }
    },
  }
}

describe.each(['legacy', 'auto'] as const)('a tool that hints to be read-only and idempotent, %s', era => {
  it('reads anew after a write, when the first read was fast', async () => {
    const { call } = await graphScene(era)
    expect((await call('read_graph')).body.value).toEqual([])
    await call('create', { name: 'a' })
    expect((await call('read_graph')).body.value).toEqual(['a'])
  })

  it('reads anew after a write, when the first read is in flight, or done and not fetched', async () => {
    const { call, hold, handle } = await graphScene(era)
    const release = hold()
    const first = await handle()
    await call('create', { name: 'a' })
    const second = await handle()
    expect(second).not.toBe(first)
    await release()
    await call('create', { name: 'b' })
    expect((await call('read_graph')).body).toMatchObject({ value: ['a', 'b'] })
  })

  it('gives the result that nobody has fetched to the same call, once, and says how old it is', async () => {
    const { call, hold, handle, clock, readGraph } = await graphScene(era)
    const release = hold()
    const first = await handle()
    await release()
    const cachedAt = new Date(clock.now()).toISOString()
    await clock.advance('2m')
    expect((await call('read_graph')).body).toMatchObject({ ref_id: first, cached_at: cachedAt, value: [] })
    const again = await call('read_graph')
    expect(again.body.ref_id).not.toBe(first)
    expect('cached_at' in again.body).toBe(false)
    expect(readGraph).toHaveBeenCalledTimes(2)
  })

  it('runs anew where a poll has fetched the result', async () => {
    const { call, hold, handle } = await graphScene(era)
    const release = hold()
    const first = await handle()
    await release()
    const polled = await call('get_cached_result', { ref_id: first })
    expect(polled.body).toMatchObject({ status: 'complete', value: [] })
    expect('cached_at' in polled.body).toBe(false)
    expect((await call('read_graph')).body.ref_id).not.toBe(first)
  })

  it('reads anew after a write that began before it and ended after it', async () => {
    const { call, hold, handle, holdWrites } = await graphScene(era)
    const finishWrite = holdWrites()
    const writing = call('create', { name: 'late' })
    const release = hold()
    const first = await handle()
    await release()
    await finishWrite()
    await writing
    const after = await call('read_graph')
    expect(after.body.ref_id).not.toBe(first)
    expect(after.body.value).toEqual(['late'])
  })

  it('reads anew after a call of a tool that does not go through the cache', async () => {
    const { call, client, hold, handle } = await graphScene(era)
    const release = hold()
    const first = await handle()
    await release()
    await client.callTool({ name: 'raw_create', arguments: {} })
    const after = await call('read_graph')
    expect(after.body.ref_id).not.toBe(first)
    expect(after.body.value).toEqual(['raw'])
  })
})

describe('_fresh', () => {
  const memoized = async (inputSchema?: z.ZodType) => {
    const handler = vi.fn((args: unknown) => args ?? null)
    const { call } = await scene({
      tools: ({ registerTool }) =>
        void registerTool(
          'tool',
          { memoize: true, ...(inputSchema ? { inputSchema } : {}) } as never,
          handler,
        ),
    })
    return { call, handler }
  }

  it('runs a memoized tool anew, and the new result takes its place; the tool never sees it', async () => {
    const { call, handler } = await memoized(z.strictObject({ id: z.string() }))
    const first = (await call('tool', { id: 'a' })).body
    const fresh = (await call('tool', { id: 'a', _fresh: true })).body
    expect(fresh.ref_id).not.toBe(first.ref_id)
    expect(fresh.value).toEqual({ id: 'a' })
    expect((await call('tool', { id: 'a' })).body).toMatchObject({
      ref_id: fresh.ref_id,
      cached_at: expect.any(String),
    })
    expect((await call('tool', { id: 'a', _fresh: false })).body.ref_id).toBe(fresh.ref_id)
    expect((await call('tool', { id: 'a', _fresh: null })).body.ref_id).toBe(fresh.ref_id)
    expect((await call('tool', { id: 'a', _fresh: 'true' })).body.ref_id).not.toBe(fresh.ref_id)
    expect(handler).toHaveBeenCalledTimes(3)
  })

  it('of a tool without arguments', async () => {
    const { call, handler } = await memoized()
    await call('tool')
    await call('tool', { _fresh: true })
    await call('tool')
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('that is no truth is refused, and the tool does not run', async () => {
    const { call, handler } = await memoized()
    expect((await call('tool', { _fresh: 'now' })).body).toMatchObject({
      error: { code: 'invalid_argument', message: expect.stringContaining('_fresh') },
    })
    expect(handler).not.toHaveBeenCalled()
  })

  it.each([
    ['at the top of its schema', z.object({ _fresh: z.string() })],
    [
      'in a part of its schema',
      z.object({ id: z.string().optional() }).and(z.object({ _fresh: z.string() })),
    ],
  ])('is the tool’s own where it has such an argument %s', async (_, inputSchema) => {
    const { call, handler } = await memoized(inputSchema)
    const first = (await call('tool', { _fresh: 'fish' })).body
    expect(first.value).toEqual({ _fresh: 'fish' })
    expect((await call('tool', { _fresh: 'fish' })).body.ref_id).toBe(first.ref_id)
    expect(handler).toHaveBeenCalledTimes(1)
  })
})
