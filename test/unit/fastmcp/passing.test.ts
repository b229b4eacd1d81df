import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type RefcacheToolConfig, refcacheTool } from '../../../src/fastmcp/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { countingStore } from '../../counting-store.ts'
import { type Session, scene } from './scene.ts'

const REF = 'mcp-refcache/ref_id'

const TOOLS: Record<string, Partial<RefcacheToolConfig<Session>>> = {
  text: { execute: () => 'a\n"b"' },
  rows: { execute: () => [1, { b: 2 }] },
  shaped: { outputSchema: z.object({ n: z.number() }), execute: () => ({ n: 1 }) },
  memo: { memoize: true, execute: () => ({ n: 2 }) },
  large: { execute: () => [...Array(5_000).keys()] },
  slow: { asyncTimeout: 0, execute: () => 'later' },
  wrapped: { envelope: 'always', execute: () => 'x' },
  fails: {
    execute() {
      throw new Error('no luck')
    },
  },
}

/** A server whose tools say nothing of how their answers look, but for `wrapped`. */
async function served() {
  const { store, during } = countingStore(memoryStore())
  const { connect } = scene(
    (server, cache) => {
      for (const [name, config] of Object.entries(TOOLS)) {
        server.addTool(refcacheTool<Session>(cache, { name, ...config } as never))
      }
    },
    { store },
  )
  const { client } = await connect({ sub: 'ada' })
  return { during, call: (name: string) => client.callTool({ name, arguments: {} }) }
}

describe('by default a small result passes as execute gave it, and nothing is stored', () => {
  it.each([
    ['text', { content: [{ type: 'text', text: 'a\n"b"' }] }],
    ['rows', { content: [{ type: 'text', text: '[1,{"b":2}]' }] }],
    ['shaped', { content: [{ type: 'text', text: '{"n":1}' }], structuredContent: { n: 1 } }],
  ])('%s', async (name, expected) => {
    const { call, during } = await served()
    const { outcome, operations } = await during(() => call(name))
    expect(outcome).toEqual(expected)
    expect(operations).toEqual([])
  })
})

describe('there is a reference where there is an entry', () => {
  it('beside a memoized result, which says its age when it comes again', async () => {
    const { call } = await served()
    const first = await call('memo')
    expect(first.content).toEqual([{ type: 'text', text: '{"n":2}' }])
    const again = await call('memo')
    expect(again._meta).toMatchObject({
      [REF]: first._meta?.[REF],
      'mcp-refcache/cached_at': expect.any(String),
    })
  })

  it.each([
    ['in a preview of what is too large', 'large', { status: 'complete', is_complete: false }],
    ['in a handle of what is slow', 'slow', { status: 'pending', is_complete: false }],
    ["in every answer of a tool with `envelope: 'always'`", 'wrapped', { is_complete: true, value: 'x' }],
  ])('%s', async (_, name, expected) => {
    const { call, during } = await served()
    const { outcome, operations } = await during(() => call(name))
    expect(outcome.structuredContent).toMatchObject({ ref_id: expect.stringMatching(/^t:/), ...expected })
    expect(operations).not.toEqual([])
  })
})

it('a tool that throws is answered with the error', async () => {
  const { call } = await served()
  expect(await call('fails')).toMatchObject({ isError: true })
})
