import type { CallToolResult } from '@modelcontextprotocol/client'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { JsonObject } from '../../../src/core/json.ts'
import type { AttachedRefCache, AttachOptions } from '../../../src/mcp/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { countingStore } from '../../counting-store.ts'
import { recordsIn } from '../../records.ts'
import { REVISIONS, scene } from './scene.ts'

const REF = 'mcp-refcache/ref_id'

const IMAGE = { type: 'image', data: 'aGVsbG8=', mimeType: 'image/png', annotations: { priority: 1 } }

const RESULT = {
  content: [
    { type: 'text', text: 'two things', annotations: { audience: ['user'] } },
    IMAGE,
    { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
    { type: 'resource_link', uri: 'file:///a.txt', name: 'a', mimeType: 'text/plain' },
    { type: 'resource', resource: { uri: 'file:///b.txt', text: 'inside', _meta: { page: 2 } } },
  ],
  structuredContent: { things: 2 },
  _meta: { 'example.org/trace': 'x' },
} as unknown as CallToolResult

const FAILED: CallToolResult = { content: [{ type: 'text', text: 'no such thing' }], isError: true }

const ROWS = Array.from({ length: 1_500 }, (_, id) => ({ id, name: `user ${id}` }))

function attached(
  tools: (attached: AttachedRefCache) => void,
  { era, attach }: { era?: 'legacy' | 'auto'; attach?: AttachOptions } = {},
) {
  const { store, during } = countingStore(memoryStore())
  const made = scene({
    ...(era ? { era } : {}),
    cache: { store },
    attach: { envelope: 'when-needed', ...attach },
    tools,
  })
  return made.then(({ client, ...rest }) => ({
    ...rest,
    client,
    during,
    ask: async (name: string, args: JsonObject = {}) =>
      (await client.callTool({ name, arguments: args })) as CallToolResult & {
        structuredContent?: JsonObject
      },
  }))
}

/** What the tool gave, without what the cache and the protocol add to its metadata. */
function own({ _meta, ...result }: CallToolResult) {
  const meta = Object.entries(_meta ?? {}).filter(([name]) => name.startsWith('example.org/'))
  return meta.length === 0 ? result : { ...result, _meta: Object.fromEntries(meta) }
}

describe.each(REVISIONS)('at %s, a handler that returns content blocks', (_, era) => {
  it('is answered with exactly these, and nothing is stored', async () => {
    const { ask, during } = await attached(({ registerTool }) => registerTool('t', {}, () => RESULT), { era })
    const { outcome, operations } = await during(() => ask('t'))
    expect(own(outcome)).toEqual(RESULT)
    expect(outcome._meta?.[REF]).toBeUndefined()
    expect(operations).toEqual([])
  })

  it('fails where it says isError, which passes as it is', async () => {
    const settled: unknown[] = []
    const { ask, cache } = await attached(
      ({ registerTool }) => registerTool('t', { memoize: true }, () => FAILED),
      { era },
    )
    cache.on('task:settled', ({ type, ...event }) => settled.push(event))
    const answer = await ask('t')
    expect(own(answer)).toEqual(FAILED)
    expect(answer._meta).toMatchObject({ [REF]: expect.any(String), 'mcp-refcache/can_retry': true })
    const refId = String(answer._meta?.[REF])
    expect(await cache.get(refId)).toMatchObject({ status: 'failed', error: 'no such thing' })
    expect(own(await ask('get_cached_result', { ref_id: refId }))).toEqual(FAILED)
    expect(settled).toMatchObject([{ status: 'failed' }])
  })

  it('whose work is slow: a handle, then exactly the content', async () => {
    let finish = (_: CallToolResult) => {}
    const { ask } = await attached(
      ({ registerTool }) =>
        registerTool(
          't',
          { asyncTimeout: 0, taskSupport: 'none' },
          () =>
            new Promise<CallToolResult>(done => {
              finish = done
            }),
        ),
      { era },
    )
    const { structuredContent: handle } = await ask('t')
    expect(handle).toMatchObject({ is_async: true, ref_id: expect.any(String) })
    finish(RESULT)
    const answer = await ask('get_cached_result', { ref_id: String(handle?.ref_id) })
    expect(own(answer)).toEqual(RESULT)
    expect(answer._meta?.[REF]).toBe(handle?.ref_id)
  })
})

describe('a large result', () => {
  const text = JSON.stringify(ROWS)
  const large = {
    content: [{ type: 'text', text }, IMAGE],
    structuredContent: { rows: ROWS },
    _meta: { 'example.org/trace': 'x' },
  } as unknown as CallToolResult

  async function previewed() {
    const got: unknown[] = []
    const { ask, ...rest } = await attached(({ registerTool }) => {
      registerTool('t', {}, () => large)
      registerTool(
        'use',
        { inputSchema: z.object({ users: z.array(z.unknown()).or(z.unknown()) }) },
        ({ users }) => {
          got.push(users)
          return 'used'
        },
      )
    })
    const preview = await ask('t')
    const refId = String(preview.structuredContent?.ref_id)
    return { ...rest, ask, preview, refId, got }
  }

  it('is previewed by its value, its media described and its metadata beside', async () => {
    const { preview } = await previewed()
    expect(preview.structuredContent).toMatchObject({
      status: 'complete',
      is_complete: false,
      media: [{ type: 'image', mime_type: 'image/png', bytes: 5 }],
    })
    expect(JSON.stringify(preview)).not.toContain(IMAGE.data)
    expect(preview._meta).toMatchObject({ 'example.org/trace': 'x' })
  })

  it('pages as the list that it is about', async () => {
    const { ask, refId } = await previewed()
    const { structuredContent } = await ask('get_cached_result', { ref_id: refId, page: 2, page_size: 10 })
    expect(structuredContent).toMatchObject({ path: '/rows' })
    expect(recordsIn(structuredContent)).toEqual(ROWS.slice(10, 20))
  })

  it('comes whole with `full`, as the tool gave it', async () => {
    const { ask, refId } = await previewed()
    expect(own(await ask('get_cached_result', { ref_id: refId, full: true }))).toEqual(large)
  })

  it('is passed on by reference as its value, without the blocks', async () => {
    const { ask, refId, got } = await previewed()
    expect((await ask('use', { users: refId })).content).toEqual([{ type: 'text', text: 'used' }])
    expect(got).toEqual([{ rows: ROWS }])
  })

  it.each([
    ['', {}],
    [' of a tool with an output schema', { outputSchema: z.object({ rows: z.array(z.unknown()) }) }],
  ])('with isError%s is a failure, shown like a value', async (_, config) => {
    const failed = { content: [{ type: 'text', text }], isError: true } as unknown as CallToolResult
    const { ask, client } = await attached(({ registerTool }) => registerTool('t', config, () => failed))
    // From now on the client checks what it is given.
    await client.listTools()
    const answer = await ask('t')
    expect(answer).toMatchObject({
      isError: true,
      structuredContent: {
        status: 'failed',
        is_complete: false,
        columns: expect.anything(),
        rows: expect.anything(),
        can_retry: true,
      },
    })
    const ref_id = String(answer.structuredContent?.ref_id)
    expect(own(await ask('get_cached_result', { ref_id, full: true }))).toEqual(failed)
  })

  it('with an image of megabytes is still one image for `full`', async () => {
    const picture = { content: [{ ...IMAGE, data: 'A'.repeat(3_000_000) }] } as unknown as CallToolResult
    const { ask } = await attached(({ registerTool }) =>
      registerTool('t', { asyncTimeout: 0, taskSupport: 'none' }, () => picture),
    )
    const ref_id = String((await ask('t')).structuredContent?.ref_id)
    expect(own(await ask('get_cached_result', { ref_id, full: true }))).toEqual(picture)
  })
})

describe('a memoized result', () => {
  it('comes again as it is, and says its age', async () => {
    let runs = 0
    const { ask, clock } = await attached(({ registerTool }) =>
      registerTool('t', { memoize: true }, () => {
        runs++
        return RESULT
      }),
    )
    const first = await ask('t')
    expect(own(first)).toEqual(RESULT)
    await clock.advance(1_000)
    const again = await ask('t')
    expect(again._meta).toMatchObject({
      [REF]: first._meta?.[REF],
      'mcp-refcache/cached_at': expect.any(String),
    })
    expect(again.content.slice(0, RESULT.content.length)).toEqual(RESULT.content)
    expect(runs).toBe(1)
  })
})

describe('with an output schema', () => {
  const outputSchema = z.object({ things: z.number() })

  it('the structured content passes with its blocks', async () => {
    const { ask } = await attached(({ registerTool }) => registerTool('t', { outputSchema }, () => RESULT))
    expect(own(await ask('t'))).toEqual(RESULT)
  })

  it.each<[string, CallToolResult]>([
    ['is missing', { content: [{ type: 'text', text: '2' }] }],
    ['breaks it', { content: [], structuredContent: { things: 'two' } }],
  ])('structured content that %s is a failure of the tool', async (_, result) => {
    const { ask } = await attached(({ registerTool }) => registerTool('t', { outputSchema }, () => result))
    const answer = await ask('t')
    expect(answer.isError).toBe(true)
    expect(JSON.stringify(answer.content)).toContain('outputSchema')
  })

  it('an error needs no structured content', async () => {
    const { ask } = await attached(({ registerTool }) => registerTool('t', { outputSchema }, () => FAILED))
    expect(own(await ask('t'))).toEqual(FAILED)
  })
})

describe('what only looks like it is a value', () => {
  it.each<[string, JsonObject]>([
    ['for a key that no result has', { content: [{ type: 'text', text: 'a' }], page: 1 }],
    ['for an invalid block', { content: [{ type: 'text' }] }],
    ['for content that is no list', { content: 'a text' }],
    ['for isError in data', { isError: true, rows: [] }],
  ])('%s', async (_, value) => {
    const { ask } = await attached(({ registerTool }) => registerTool('t', {}, () => value))
    expect(own(await ask('t'))).toEqual({ content: [{ type: 'text', text: JSON.stringify(value) }] })
  })

  it('and pages as the object that it is', async () => {
    const value = { content: ROWS.map(({ name }) => ({ type: 'text', text: name })), total: ROWS.length }
    const { ask } = await attached(({ registerTool }) => registerTool('t', {}, () => value))
    const { structuredContent } = await ask('t')
    expect(structuredContent?.preview).toMatchObject({ content: expect.anything(), total: ROWS.length })
    const ref_id = String(structuredContent?.ref_id)
    const full = await ask('get_cached_result', { ref_id, full: true })
    expect(full.content).toEqual([{ type: 'text', text: JSON.stringify(value) }])
  })
})

describe('with the envelope always', () => {
  it('content stands in our shape as a value', async () => {
    const { ask } = await attached(({ registerTool }) =>
      registerTool('t', { envelope: 'always' }, () => RESULT),
    )
    const { structuredContent } = await ask('t')
    expect(structuredContent).toMatchObject({ is_complete: true, value: RESULT })
    const again = await ask('get_cached_result', { ref_id: String(structuredContent?.ref_id) })
    expect(again.structuredContent).toMatchObject({ is_complete: true, value: RESULT })
  })

  it('isError is a failure all the same', async () => {
    const { ask } = await attached(({ registerTool }) =>
      registerTool('t', { envelope: 'always' }, () => FAILED),
    )
    expect(await ask('t')).toMatchObject({
      isError: true,
      structuredContent: { status: 'failed', value: FAILED },
    })
  })
})
