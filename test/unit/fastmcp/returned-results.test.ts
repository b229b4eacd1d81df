import type { ToolParameters } from 'fastmcp'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type RefcacheToolConfig, refcacheTool } from '../../../src/fastmcp/index.ts'
import { recordsIn } from '../../records.ts'
import { type Session, scene } from './scene.ts'

const REF = 'mcp-refcache/ref_id'

const BLOCKS = [
  { type: 'text', text: 'two things' },
  { type: 'image', data: 'aGVsbG8=', mimeType: 'image/png' },
  { type: 'resource_link', uri: 'file:///a.txt', name: 'a' },
  { type: 'resource', resource: { uri: 'file:///b.txt', text: 'inside' } },
]

const ROWS = Array.from({ length: 1_500 }, (_, id) => ({ id, name: `user ${id}` }))

type Config = Pick<RefcacheToolConfig<Session>, 'asyncTimeout' | 'memoize' | 'outputSchema'>

async function called(result: unknown, config: Partial<Config> = {}) {
  const { connect } = scene((server, cache) =>
    server.addTool(
      refcacheTool<Session, undefined, ToolParameters | undefined>(cache, {
        name: 't',
        ...config,
        execute: () => result,
      }),
    ),
  )
  const { client } = await connect()
  const ask = (name: string, args = {}) => client.callTool({ name, arguments: args })
  return { ask, answer: await ask('t') }
}

describe('a tool of fastmcp that returns content blocks', () => {
  it('is answered with these', async () => {
    const result = { content: BLOCKS, structuredContent: { things: 2 }, _meta: { 'example.org/trace': 'x' } }
    expect((await called(result)).answer).toEqual(result)
  })

  it('is answered without what fastmcp refuses', async () => {
    const noted = BLOCKS.map(block => ({ ...block, annotations: { priority: 1 }, _meta: { a: 1 } }))
    const { answer } = await called({ content: noted, structuredContent: [1, 2] })
    expect(answer).toEqual({ content: [...BLOCKS, { type: 'text', text: '[1,2]' }] })
  })

  it('fails where it says isError, which passes as it is', async () => {
    const failed = { content: [{ type: 'text', text: 'no such thing' }], isError: true }
    const { answer } = await called(failed, { memoize: true })
    expect(answer).toMatchObject({ ...failed, _meta: { 'mcp-refcache/can_retry': true } })
  })

  it('that is slow: a handle, then the content', async () => {
    const { ask, answer } = await called({ content: BLOCKS }, { asyncTimeout: 0 })
    const { ref_id } = answer.structuredContent as { ref_id: string }
    expect(await ask('get_cached_result', { ref_id })).toEqual({ content: BLOCKS, _meta: { [REF]: ref_id } })
  })

  it('that is large: a preview, its pages, and all of it', async () => {
    const large = {
      content: [{ type: 'text', text: JSON.stringify(ROWS) }],
      structuredContent: { rows: ROWS },
    }
    const { ask, answer } = await called(large)
    expect(answer.structuredContent).toMatchObject({ is_complete: false })
    const { ref_id } = answer.structuredContent as { ref_id: string }
    const page = await ask('get_cached_result', { ref_id, page: 1, page_size: 2 })
    expect(page.structuredContent).toMatchObject({ path: '/rows' })
    expect(recordsIn(page.structuredContent)).toEqual(ROWS.slice(0, 2))
    expect(await ask('get_cached_result', { ref_id, full: true })).toMatchObject(large)
  })

  it('is held against its output schema', async () => {
    const outputSchema = z.object({ things: z.number() })
    const good = { content: BLOCKS, structuredContent: { things: 2 } }
    expect((await called(good, { outputSchema })).answer).toEqual(good)
    expect((await called({ content: BLOCKS }, { outputSchema })).answer).toMatchObject({ isError: true })
  })

  it('with a key that no result has gives a value', async () => {
    const value = { content: BLOCKS, page: 1 }
    const { answer } = await called(value)
    expect(answer).toEqual({ content: [{ type: 'text', text: JSON.stringify(value) }] })
  })
})
