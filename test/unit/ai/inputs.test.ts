import { asSchema, tool } from 'ai'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { z as previousZod } from 'zod/v3'
import { withReferences } from '../../../src/ai/index.ts'
import { cacheScene, converse, orders } from './scene.ts'

async function stored(cache: ReturnType<typeof cacheScene>['cache'], value: unknown) {
  return (await cache.set('value', value)).refId
}

describe('the input of a tool of the AI SDK', () => {
  it('is read by its own schema, as without us', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async (_: unknown) => 'done')
    const inputSchema = z.object({
      day: z.string().transform(day => new Date(day)),
      limit: z.number().default(10),
      n: z.string().transform(Number),
    })
    const { result } = await converse(withReferences({ read: tool({ inputSchema, execute }) }, cache), [
      ['read', { day: '2026-01-02', n: '7' }],
    ])
    const read = { day: new Date('2026-01-02'), limit: 10, n: 7 }
    expect(execute.mock.calls[0]![0]).toEqual(read)
    expect(result.steps[0]!.toolCalls[0]!.input).toEqual(read)
  })

  it('that does not fit is refused before the tool, as without us', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async () => 'done')
    const tools = withReferences({ read: tool({ inputSchema: z.object({ n: z.number() }), execute }) }, cache)
    const { result, shown } = await converse(tools, [['read', { n: 'seven' }]])
    const [error] = result.steps[0]!.content.filter(part => part.type === 'tool-error')
    expect(String(error?.error)).toContain('InvalidToolInputError')
    expect(shown[0]).toMatchObject({ type: 'error-text' })
    expect(execute).not.toHaveBeenCalled()
  })

  it('may be references: to a list, a text, a number, and to a part', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async (_: unknown) => 'done')
    const inputSchema = z.object({
      rows: z.array(z.object({ id: z.number() })),
      text: z.string(),
      n: z.number(),
    })
    const tools = withReferences({ read: tool({ inputSchema, execute }) }, cache)
    const list = await stored(cache, orders(3))
    const { shown } = await converse(tools, [
      ['read', { rows: list, text: await stored(cache, 'a text'), n: `${list}#/2/id` }],
    ])
    expect(shown).toEqual([{ type: 'text', value: 'done' }])
    expect(execute.mock.calls[0]![0]).toEqual({
      rows: [{ id: 0 }, { id: 1 }, { id: 2 }],
      text: 'a text',
      n: 2,
    })
  })

  it('whose reference leads to what does not fit says so to the model', async () => {
    const { cache } = cacheScene()
    const inputSchema = z.object({ rows: z.array(z.number()) })
    const execute = vi.fn(async () => 'done')
    const { shown } = await converse(withReferences({ read: tool({ inputSchema, execute }) }, cache), [
      ['read', { rows: await stored(cache, ['no', 'numbers']) }],
      ['read', { rows: `t:${'0'.repeat(32)}` }],
    ])
    expect(shown[0]).toMatchObject({
      type: 'error-text',
      value: expect.stringContaining('does not fit the tool'),
    })
    expect(shown[1]).toMatchObject({
      type: 'error-text',
      value: expect.stringContaining('No such reference'),
    })
    expect(execute).not.toHaveBeenCalled()
  })

  it('stays as it is where the program wants no references', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async (_: unknown) => 'done')
    const inputSchema = z.object({ text: z.string() })
    const tools = withReferences({ read: tool({ inputSchema, execute }) }, cache, {
      perTool: { read: { resolveRefs: false } },
    })
    const text = await stored(cache, 'a text')
    await converse(tools, [['read', { text }]])
    expect(execute.mock.calls[0]![0]).toEqual({ text })
  })

  it('is listed as its author wrote it, with references where lists and objects stand', async () => {
    const { cache } = cacheScene()
    const inputSchema = z.object({ rows: z.array(z.number()).describe('Rows.'), name: z.string() })
    const given = { read: tool({ inputSchema, execute: async () => 'done' }) }
    const { model } = await converse(withReferences(given, cache), [])
    const [listed] = model.doGenerateCalls[0]!.tools!
    const own = (await asSchema(inputSchema).jsonSchema) as { properties: { rows: object } }
    expect(listed).toMatchObject({
      inputSchema: {
        ...own,
        properties: { ...own.properties, rows: { ...own.properties.rows, type: ['array', 'string'] } },
      },
    })
  })

  it.each([
    ['zod 3', previousZod.object({ n: previousZod.number() })],
    ['a schema of the SDK', asSchema(z.object({ n: z.number() }))],
  ])('may be declared with %s', async (_, inputSchema) => {
    const { cache } = cacheScene()
    const given = { read: tool({ inputSchema, execute: async ({ n }: { n: number }) => n + 1 }) }
    const { shown } = await converse(withReferences(given, cache), [
      ['read', { n: 1 }],
      ['read', { n: await stored(cache, 2) }],
      ['read', { n: 'x' }],
    ])
    expect(shown.slice(0, 2)).toEqual([
      { type: 'json', value: 2 },
      { type: 'json', value: 3 },
    ])
    expect(shown[2]).toMatchObject({ type: 'error-text' })
  })

  it('may have our reserved arguments, which never reach the tool', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async (_: unknown) => ({ rows: [1] }))
    const tools = withReferences({ read: tool({ inputSchema: z.strictObject({}), execute }) }, cache, {
      listReserved: true,
    })
    const { shown, model } = await converse(tools, [
      ['read', { _as_ref: true }],
      ['read', { _fresh: true }],
    ])
    expect(execute.mock.calls.map(([input]) => input)).toEqual([{}, {}])
    expect(shown[0]).toMatchObject({
      type: 'json',
      value: { ref_id: expect.stringMatching(/^t:/), status: 'complete' },
    })
    expect(shown[1]).toEqual({ type: 'json', value: { rows: [1] } })
    expect(model.doGenerateCalls[0]!.tools![0]).toMatchObject({
      inputSchema: { properties: { _as_ref: {}, _fresh: {} } },
    })
  })
})

describe('approval', () => {
  const inputSchema = z.object({ paths: z.array(z.string()) })

  it.each([
    [['a'], false],
    [['a', '/etc'], true],
  ])('judges the values behind references: %j', async (paths, needed) => {
    const { cache } = cacheScene()
    const needsApproval = vi.fn(async ({ paths }: { paths: string[] }) => paths.includes('/etc'))
    const execute = vi.fn(async () => 'removed')
    const tools = withReferences({ remove: tool({ inputSchema, needsApproval, execute }) }, cache)
    for (const given of [paths, await stored(cache, paths)]) {
      execute.mockClear()
      const { result } = await converse(tools, [['remove', { paths: given }]])
      expect(needsApproval.mock.lastCall![0]).toEqual({ paths })
      expect(result.steps[0]!.content.some(({ type }) => type === 'tool-approval-request')).toBe(needed)
      expect(execute).toHaveBeenCalledTimes(needed ? 0 : 1)
    }
  })

  it('is needed for what cannot be judged', async () => {
    const { cache } = cacheScene()
    const needsApproval = vi.fn(async () => false)
    const tools = withReferences(
      { remove: tool({ inputSchema, needsApproval, execute: async () => 'removed' }) },
      cache,
    )
    const { result } = await converse(tools, [['remove', { paths: `t:${'0'.repeat(32)}` }]])
    expect(result.steps[0]!.content.some(({ type }) => type === 'tool-approval-request')).toBe(true)
    expect(needsApproval).not.toHaveBeenCalled()
  })

  it('that every call needs stays so', async () => {
    const { cache } = cacheScene()
    const tools = withReferences(
      { remove: tool({ inputSchema, needsApproval: true, execute: async () => 'removed' }) },
      cache,
    )
    const { result } = await converse(tools, [['remove', { paths: [] }]])
    expect(result.steps[0]!.content.some(({ type }) => type === 'tool-approval-request')).toBe(true)
  })
})
