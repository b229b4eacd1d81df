import { tool } from 'ai'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { isReference, wholeOf, withReferences } from '../../../src/ai/index.ts'
import { cacheScene, converse, orders } from './scene.ts'

const NO_INPUT = z.object({})

describe('a tool of the AI SDK through the cache', () => {
  it('gives a small result as the tool gave it, and leaves no trace', async () => {
    const { cache, entries } = cacheScene()
    const given = { at: new Date(0), rows: [1, 2] }
    const tools = withReferences({ small: tool({ inputSchema: NO_INPUT, execute: () => given }) }, cache)
    const { result, shown } = await converse(tools, [['small', {}]])
    expect(result.steps[0]!.toolResults[0]!.output).toBe(given)
    expect(shown).toEqual([{ type: 'json', value: { at: '1970-01-01T00:00:00.000Z', rows: [1, 2] } }])
    expect(await entries()).toBe(0)
  })

  it.each([
    ['text', 'text', { type: 'text', value: 'text' }],
    ['nothing', undefined, { type: 'json', value: null }],
    ['null', null, { type: 'json', value: null }],
    ['a number', 7, { type: 'json', value: 7 }],
  ])('gives %s as without us', async (_, given, seen) => {
    const { cache, entries } = cacheScene()
    const tools = withReferences({ small: tool({ inputSchema: NO_INPUT, execute: () => given }) }, cache)
    const { result, shown } = await converse(tools, [['small', {}]])
    expect(result.steps[0]!.toolResults[0]!.output).toBe(given)
    expect(shown).toEqual([seen])
    expect(await entries()).toBe(0)
  })

  it('gives the model a preview of a large result, and the program all of it', async () => {
    const { cache } = cacheScene()
    const list = tool({ inputSchema: NO_INPUT, execute: async () => orders(5_000) })
    const tools = withReferences({ list }, cache)
    const { result, shown } = await converse(tools, [['list', {}]])
    const output = result.steps[0]!.toolResults[0]!.output
    expect(isReference(output)).toBe(true)
    expect(shown[0]).toMatchObject({
      type: 'json',
      value: { status: 'complete', is_complete: false, total_items: 5_000 },
    })
    expect(JSON.stringify(shown[0]).length).toBeLessThan(20_000)
    expect(await wholeOf(cache, output)).toEqual(orders(5_000))
  })

  it('goes by the inline limit', async () => {
    const { cache } = cacheScene()
    const list = tool({ inputSchema: NO_INPUT, execute: async () => orders(50) })
    const small = await converse(withReferences({ list }, cache), [['list', {}]])
    expect(small.result.steps[0]!.toolResults[0]!.output).toHaveLength(50)
    const large = await converse(withReferences({ list }, cache, { inline: 100 }), [['list', {}]])
    expect(isReference(large.result.steps[0]!.toolResults[0]!.output)).toBe(true)
  })

  it('lets the model page, ask and pass a reference on', async () => {
    const { cache } = cacheScene()
    const sum = vi.fn(async ({ rows }: { rows: { total: number }[] }) =>
      rows.reduce((all, { total }) => all + total, 0),
    )
    const tools = withReferences(
      {
        list: tool({ inputSchema: NO_INPUT, execute: async () => orders(5_000) }),
        sum: tool({
          inputSchema: z.object({ rows: z.array(z.object({ total: z.number() })) }),
          execute: sum,
        }),
      },
      cache,
    )
    let refId = ''
    const { shown } = await converse(tools, [
      ['list', {}],
      ([seen]) => {
        refId = (seen as unknown as { value: { ref_id: string } }).value.ref_id
        return ['get_cached_result', { ref_id: refId, page: 2, page_size: 10 }]
      },
      () => [
        'query_cached_result',
        { ref_id: refId, sql: 'select count(*) n from items where total > 3000' },
      ],
      () => ['sum', { rows: refId }],
    ])
    expect(shown[1]).toMatchObject({ type: 'json', value: { page: 2, total_pages: 500 } })
    expect(shown[2]).toMatchObject({ type: 'json', value: { columns: ['n'], rows: [[2_999]] } })
    expect(shown[3]).toEqual({ type: 'json', value: 18_746_250 })
    expect(sum.mock.calls[0]![0].rows).toHaveLength(5_000)
  })

  it('answers with a handle when the work takes longer, and with the result to whoever waits', async () => {
    const { cache, clock } = cacheScene()
    let finish = (_: string) => {}
    const slow = tool({
      inputSchema: NO_INPUT,
      execute: () =>
        new Promise<string>(resolve => {
          finish = resolve
        }),
    })
    const tools = withReferences({ slow }, cache, { asyncTimeout: '5s' })
    const options = { toolCallId: 'one', messages: [], context: {} }
    const answer = tools.slow.execute({}, options)
    await clock.advance('6s')
    const handle = await answer
    expect(handle).toMatchObject({ status: 'processing', is_async: true, tool: 'slow' })
    const whole = wholeOf(cache, handle)
    finish('done')
    await clock.advance(0)
    expect(await whole).toBe('done')
  })

  it('gives the program the whole value where that asks for it', async () => {
    const { cache, clock } = cacheScene()
    const slow = tool({
      inputSchema: NO_INPUT,
      execute: () =>
        new Promise<{ id: number }[]>(resolve => clock.schedule(60_000, () => resolve(orders(5_000)))),
    })
    const tools = withReferences({ slow }, cache, { asyncTimeout: '5s' })
    const value = tools.slow.execute({}, { toolCallId: 'one', messages: [], context: {}, whole: true })
    await clock.advance('2m')
    expect(await value).toHaveLength(5_000)
  })
})
