import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { z as previousZod } from 'zod/v3'
import { refcacheTool } from '../../../src/fastmcp/index.ts'
import { deferred } from '../flow/scene.ts'
import { type Session, scene } from './scene.ts'

function graphScene() {
  const graph: string[] = []
  const readGraph = vi.fn()
  let gate: Promise<unknown> = Promise.resolve()
  const { connect, clock } = scene((server, cache) => {
    server.addTool(
      refcacheTool<Session>(cache, {
        envelope: 'always',
        name: 'read_graph',
        annotations: { readOnlyHint: true, idempotentHint: true },
        asyncTimeout: '1s',
        execute: async () => {
          readGraph()
          const seen = [...graph]
          await gate
          return seen
        },
      }),
    )
    server.addTool(
      refcacheTool<Session>(cache, {
        envelope: 'always',
        name: 'create',
        execute: () => {
          graph.push('created')
          return 'created'
        },
      }),
    )
  })
  const hold = () => {
    const held = deferred<void>()
    gate = held.promise
    return async () => {
      held.resolve()
      gate = Promise.resolve()
      await clock.advance(0)
    }
  }
  type Call = Awaited<ReturnType<typeof connect>>['call']
  const handle = async (call: Call) => {
    const runs = readGraph.mock.calls.length
    const answer = call('read_graph')
    await vi.waitFor(() => expect(readGraph.mock.calls.length).toBeGreaterThan(runs))
    await clock.advance('1s')
    return `${(await answer).body.ref_id}`
  }
  return { connect, clock, readGraph, hold, handle }
}

describe('a fastmcp tool that hints to be read-only and idempotent', () => {
  it('reads anew after a write: fast, in flight, done and not fetched', async () => {
    const { connect, hold, handle } = graphScene()
    const { call } = await connect()
    expect((await call('read_graph')).body.value).toEqual([])
    await call('create')
    expect((await call('read_graph')).body.value).toEqual(['created'])

    const release = hold()
    const first = await handle(call)
    await call('create')
    const second = await handle(call)
    expect(second).not.toBe(first)
    await release()
    await call('create')
    expect((await call('read_graph')).body.value).toHaveLength(3)
  })

  it('gives the result that nobody has fetched to the same call of the same user', async () => {
    const { connect, hold, handle, readGraph } = graphScene()
    const alice = await connect({ sub: 'alice' })
    const release = hold()
    const first = await handle(alice.call)
    await release()
    const bob = await connect({ sub: 'bob' })
    expect((await bob.call('read_graph')).body.ref_id).not.toBe(first)
    const again = await connect({ sub: 'alice' })
    expect((await again.call('read_graph')).body).toMatchObject({
      ref_id: first,
      cached_at: expect.any(String),
    })
    expect((await again.call('read_graph')).body.ref_id).not.toBe(first)
    expect(readGraph).toHaveBeenCalledTimes(3)
  })
})

describe('_fresh', () => {
  it.each([
    ['zod', z.object({ id: z.string() }), z.object({ _fresh: z.string() })],
    [
      'a library that cannot say itself in JSON Schema',
      previousZod.object({ id: previousZod.string() }),
      previousZod.object({ _fresh: previousZod.string() }),
    ],
  ])('runs anew, and is the tool’s own where it has such an argument, by %s', async (_, parameters, own) => {
    const execute = vi.fn((args: unknown) => args)
    const { connect } = scene((server, cache) => {
      server.addTool(
        refcacheTool<Session>(cache, {
          name: 't',
          envelope: 'always',
          memoize: true,
          parameters,
          execute,
        } as never),
      )
      server.addTool(
        refcacheTool<Session>(cache, {
          name: 'own',
          envelope: 'always',
          memoize: true,
          parameters: own,
          execute,
        } as never),
      )
    })
    const { call } = await connect()
    const first = (await call('t', { id: 'a' })).body
    const fresh = (await call('t', { id: 'a', _fresh: true })).body
    expect(fresh).toMatchObject({ value: { id: 'a' } })
    expect(fresh.ref_id).not.toBe(first.ref_id)
    expect((await call('t', { id: 'a' })).body.ref_id).toBe(fresh.ref_id)
    expect((await call('own', { _fresh: 'fish' })).body.value).toEqual({ _fresh: 'fish' })
    await call('own', { _fresh: 'fish' })
    expect(execute).toHaveBeenCalledTimes(3)
  })
})
