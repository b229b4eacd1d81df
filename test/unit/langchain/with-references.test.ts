import { ToolMessage } from '@langchain/core/messages'
import { type StructuredToolInterface, tool } from '@langchain/core/tools'
import { convertToOpenAITool } from '@langchain/core/utils/function_calling'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { actor } from '../../../src/access/actor.ts'
import { isReference, wholeOf, withReferences } from '../../../src/langchain/index.ts'
import { cacheScene, orders } from '../ai/scene.ts'

let calls = 0
/** Calls a tool as an agent of LangChain does. */
async function call(
  tools: StructuredToolInterface[],
  name: string,
  args: Record<string, unknown>,
  config = {},
) {
  const found = tools.find(one => one.name === name)!
  const message = (await found.invoke(
    { type: 'tool_call', id: `call-${++calls}`, name, args },
    config,
  )) as ToolMessage
  return { message, text: message.content as string, artifact: message.artifact as unknown }
}

const list = () =>
  tool(async () => orders(5_000), { name: 'list', description: 'Lists.', schema: z.object({}) })
const refIdIn = (text: string) => (JSON.parse(text) as { ref_id: string }).ref_id

describe('a tool of LangChain through the cache', () => {
  it('gives a small result as without us, and leaves no trace', async () => {
    const { cache, entries } = cacheScene()
    const small = tool(async () => ['a word', { n: 1 }], {
      name: 'small',
      schema: z.object({}),
      responseFormat: 'content_and_artifact',
    })
    const tools = await withReferences([small], cache)
    const { message } = await call(tools, 'small', {})
    const without = await call([small], 'small', {})
    expect(message).toBeInstanceOf(ToolMessage)
    expect([message.content, message.artifact]).toEqual([without.message.content, without.message.artifact])
    expect(await tools[0]!.invoke({})).toBe('a word')
    expect(await entries()).toBe(0)
  })

  it('shows a preview of a large one, which pages, is asked and goes into other tools', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async ({ rows }: { rows: unknown[] }) => `${rows.length} rows`)
    const schema = z.object({ rows: z.array(z.object({ id: z.number() })) })
    const tools = await withReferences([list(), tool(execute, { name: 'count', schema })], cache)
    const { text, artifact } = await call(tools, 'list', {})
    expect(text).toContain('"total_items":5000')
    expect(isReference(artifact)).toBe(true)
    expect(JSON.parse((await wholeOf(cache, artifact)) as string)).toHaveLength(5_000)
    const ref_id = refIdIn(text)
    expect((await call(tools, 'get_cached_result', { ref_id, page: 2, page_size: 10 })).text).toContain(
      '"total_pages":500',
    )
    expect(
      (await call(tools, 'query_cached_result', { ref_id, sql: 'select count(*) n from items' })).text,
    ).toContain('[[5000]]')
    expect((await call(tools, 'count', { rows: ref_id })).text).toBe('5000 rows')
    await expect(call(tools, 'count', { rows: 'no reference' })).rejects.toThrow('expected schema')
  })

  it('answers with a handle when the work takes longer', async () => {
    const { cache } = cacheScene()
    const slow = tool(() => new Promise<string>(() => {}), { name: 'slow', schema: z.object({}) })
    const { text } = await call(await withReferences([slow], cache, { asyncTimeout: 0 }), 'slow', {})
    expect(text).toMatch(/"status":"p(ending|rocessing)"/)
  })

  it('throws what the tool throws', async () => {
    const { cache } = cacheScene()
    const broken = tool(
      async (): Promise<string> => {
        throw new Error('away')
      },
      { name: 'broken', schema: z.object({}) },
    )
    await expect(call(await withReferences([broken], cache), 'broken', {})).rejects.toThrow('away')
  })

  it('is shown with the schema of its author, where lists may be references', async () => {
    const { cache } = cacheScene()
    const schema = z.object({ rows: z.array(z.number()).describe('Rows.') })
    const [wrapped] = await withReferences(
      [tool(async () => 1, { name: 'sum', description: 'Sums.', schema })],
      cache,
    )
    expect(convertToOpenAITool(wrapped!)).toMatchObject({
      function: {
        name: 'sum',
        description: 'Sums.',
        parameters: {
          properties: {
            rows: { type: ['array', 'string'], items: { type: 'number' }, description: 'Rows.' },
          },
        },
      },
    })
  })

  it('takes a tool with one text', async () => {
    const { cache } = cacheScene()
    const search = tool(async (input: string) => `found ${input}`, {
      name: 'search',
      description: 'Searches.',
    })
    const tools = await withReferences([search], cache)
    expect((await call(tools, 'search', { input: 'x' })).text).toBe('found x')
    expect(await tools[0]!.invoke('y')).toBe('found y')
  })

  it('passes on what a tool tells the graph', async () => {
    const { cache } = cacheScene()
    // As `Command` of LangGraph is.
    class Command {
      readonly lc_direct_tool_output = true
      readonly goto = 'end'
    }
    const command = new Command()
    const tools = await withReferences(
      [tool(async () => command, { name: 'end', schema: z.object({}) })],
      cache,
    )
    expect((await call(tools, 'end', {})).message).toBe(command)
  })

  it('is of whom the config of the run names', async () => {
    const { cache } = cacheScene()
    const tools = await withReferences([list()], cache, {
      actorOf: ({ config }) => actor.agent({ id: `${config.configurable?.user}` }),
    })
    const as = (user: string) => ({ configurable: { user } })
    const ref_id = refIdIn((await call(tools, 'list', {}, as('ada'))).text)
    expect((await call(tools, 'get_cached_result', { ref_id, page: 1 }, as('ada'))).text).toContain(
      '"page":1',
    )
    expect((await call(tools, 'get_cached_result', { ref_id, page: 1 }, as('bob'))).text).toContain(
      'not_found',
    )
  })

  it('gives its config to the tool, and a signal that outlives the call', async () => {
    const { cache } = cacheScene()
    const seen = vi.fn(async (_: unknown, _config: unknown) => 'done')
    const tools = await withReferences([tool(seen, { name: 'read', schema: z.object({}) })], cache)
    await call(tools, 'read', {}, { configurable: { user: 'ada' } })
    expect(seen.mock.calls[0]![1]).toMatchObject({
      configurable: { user: 'ada' },
      toolCall: { name: 'read' },
      signal: expect.any(AbortSignal),
    })
  })

  it('refuses the names of ours', async () => {
    const { cache } = cacheScene()
    const taken = tool(async () => 1, { name: 'retry_task', schema: z.object({}) })
    await expect(withReferences([taken], cache)).rejects.toThrow('retry_task')
  })
})
