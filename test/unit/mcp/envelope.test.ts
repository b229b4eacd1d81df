import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { countingStore } from '../../counting-store.ts'
import { scene } from './scene.ts'

const REF = 'mcp-refcache/ref_id'

/** A server whose answers pass as they are where they can. */
async function attached() {
  const { store, during } = countingStore(memoryStore())
  const { client, ...rest } = await scene({
    cache: { store },
    attach: { envelope: 'when-needed' },
    tools: ({ registerTool }) => {
      registerTool('text', {}, () => 'a\n"b"')
      registerTool('rows', {}, () => [1, { b: 2 }])
      registerTool('shaped', { outputSchema: z.object({ n: z.number() }) }, () => ({ n: 1 }))
      registerTool('memo', { memoize: true }, () => ({ n: 2 }))
      registerTool('large', {}, () => [...Array(5_000).keys()])
      registerTool('wrapped', { envelope: 'always' }, () => 'x')
      registerTool('fails', {}, () => {
        throw new Error('no luck')
      })
    },
  })
  const call = async (name: string) => client.callTool({ name, arguments: {} })
  return { ...rest, call, during }
}

describe('a small result of a handler passes as it gave it, and nothing is stored', () => {
  it.each([
    ['text', { content: [{ type: 'text', text: 'a\n"b"' }] }],
    ['rows', { content: [{ type: 'text', text: '[1,{"b":2}]' }] }],
    ['shaped', { content: [{ type: 'text', text: '{"n":1}' }], structuredContent: { n: 1 } }],
  ])('%s', async (name, expected) => {
    const { call, during } = await attached()
    const { outcome, operations } = await during(() => call(name))
    const { _meta, ...seen } = outcome
    expect(seen).toEqual(expected)
    expect(_meta?.[REF]).toBeUndefined()
    expect(operations).toEqual([])
  })
})

describe('there is a reference where there is an entry', () => {
  it('beside a memoized result, which says its age when it comes again', async () => {
    const { call } = await attached()
    const first = await call('memo')
    expect(first.content).toEqual([{ type: 'text', text: '{"n":2}' }])
    const again = await call('memo')
    expect(again._meta).toMatchObject({
      [REF]: first._meta?.[REF],
      'mcp-refcache/cached_at': expect.any(String),
    })
  })

  it('in a preview of what is too large', async () => {
    const { call } = await attached()
    expect((await call('large')).structuredContent).toMatchObject({
      ref_id: expect.any(String),
      is_complete: false,
    })
  })

  it('in every answer of a tool that wants the envelope', async () => {
    const { call } = await attached()
    expect((await call('wrapped')).structuredContent).toMatchObject({
      ref_id: expect.any(String),
      value: 'x',
    })
  })
})

it('a tool that throws is answered with the error', async () => {
  const { call } = await attached()
  expect(await call('fails')).toMatchObject({ isError: true })
})

describe('an answer that names no reference holds against the declared schema', () => {
  const outputSchema = z.array(z.number())

  /** The client checks what it is given once it has seen the tools. */
  async function checked(store: Store) {
    const { client } = await scene({
      cache: { store },
      attach: { envelope: 'when-needed' },
      tools: ({ registerTool }) => {
        registerTool('few', { outputSchema }, () => [1, 2])
        registerTool('many', { outputSchema }, () => [...Array(5_000).keys()])
      },
    })
    await client.listTools()
    return (name: string) => client.callTool({ name, arguments: {} })
  }

  it('a small value that is no object', async () => {
    const call = await checked(memoryStore())
    expect((await call('few')).structuredContent).toEqual({
      status: 'complete',
      is_complete: true,
      is_async: false,
      value: [1, 2],
      size: 5,
      total_items: 2,
    })
  })

  it('a preview while the store is away', async () => {
    const store = memoryStore()
    store.claim = async () => {
      throw new StoreUnavailable('The store is away.')
    }
    const { structuredContent } = await (await checked(store))('many')
    expect(structuredContent).toMatchObject({ is_complete: false, error_code: 'store_unavailable' })
    expect(structuredContent).not.toHaveProperty('ref_id')
  })
})
