import { jsonSchema, type Tool, tool } from 'ai'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { actor } from '../../../src/access/actor.ts'
import { wholeOf, withReferences } from '../../../src/ai/index.ts'
import { cacheScene, converse, orders } from './scene.ts'

const inputSchema = z.object({})
const OPTIONS = { toolCallId: 'one', messages: [], context: {} }
const OWN = ['get_cached_result', 'cancel_task', 'retry_task', 'query_cached_result', 'edit_cached_result']

describe('a set of tools with references', () => {
  it('has the tools that it was made of, and ours', () => {
    const { cache } = cacheScene()
    const tools = withReferences({ read: tool({ inputSchema, execute: async () => 1 }) }, cache)
    expect(Object.keys(tools)).toEqual(['read', ...OWN])
  })

  it('leaves tools alone that the program does not run', () => {
    const { cache } = cacheScene()
    const asks = tool({ inputSchema, outputSchema: z.string() })
    const search = {
      type: 'provider',
      id: 'x.search',
      args: {},
      inputSchema,
      isProviderExecuted: true,
    } as Tool
    const tools = withReferences({ asks, search }, cache)
    expect(tools.asks).toBe(asks)
    expect(tools.search).toBe(search)
  })

  it('takes a tool that the provider defines and the program runs', async () => {
    const { cache } = cacheScene()
    const shell = {
      type: 'provider',
      id: 'x.shell',
      args: { a: 1 },
      isProviderExecuted: false,
      inputSchema: jsonSchema({ type: 'object', properties: { command: { type: 'string' } } }),
      execute: async () => orders(5_000),
    } as unknown as Tool
    const { shown, model } = await converse(withReferences({ shell }, cache), [['shell', { command: 'ls' }]])
    expect(shown[0]).toMatchObject({ type: 'json', value: { total_items: 5_000 } })
    expect(model.doGenerateCalls[0]!.tools![0]).toEqual({
      type: 'provider',
      name: 'shell',
      id: 'x.shell',
      args: { a: 1 },
    })
  })

  it.each(OWN)('refuses a tool of the name %s', name => {
    const { cache } = cacheScene()
    const given = { [name]: tool({ inputSchema, execute: async () => 1 }) }
    expect(() => withReferences(given, cache)).toThrow(`has a tool '${name}' already`)
  })

  it('refuses options that there are not', () => {
    const { cache } = cacheScene()
    const given = { read: tool({ inputSchema, execute: async () => 1 }) }
    expect(() => withReferences(given, cache, { inlin: 5 } as never)).toThrow("Did you mean 'inline'?")
    expect(() => withReferences(given, cache, { perTool: { raed: {} } } as never)).toThrow(
      "Did you mean 'read'?",
    )
    expect(() => withReferences(given, cache, { perTool: { read: { tll: 1 } } } as never)).toThrow("'tll'")
    expect(() => withReferences(given, cache, { inline: -1 })).toThrow('inline')
    expect(() => withReferences(given, cache, { actor: actor.agent(), actorOf: () => undefined })).toThrow(
      'either',
    )
  })

  it('names what is listed of it for models that have no other word of references', async () => {
    const { cache } = cacheScene()
    const given = { read: tool({ description: 'Reads.', inputSchema, execute: async () => 1 }) }
    const { model } = await converse(withReferences(given, cache, { notes: true }), [])
    expect(model.doGenerateCalls[0]!.tools![0]).toMatchObject({
      description: expect.stringMatching(/^Reads\.\n\n.*ref_id/),
    })
  })
})

describe('who calls', () => {
  const list = () => tool({ inputSchema, execute: async () => orders(5_000) })
  const as = (id: string) => actor.agent({ id })

  it('is the caller that the set was made for: others see nothing', async () => {
    const { cache } = cacheScene()
    const ada = withReferences({ list: list() }, cache, { actor: as('ada') })
    const bob = withReferences({ list: list() }, cache, { actor: as('bob') })
    const output = (await ada.list.execute({}, OPTIONS)) as { ref_id: string }
    const { shown } = await converse(bob, [['get_cached_result', { ref_id: output.ref_id }]])
    expect(shown[0]).toMatchObject({ type: 'error-json', value: { error: { code: 'not_found' } } })
    const { shown: own } = await converse(ada, [['get_cached_result', { ref_id: output.ref_id, page: 1 }]])
    expect(own[0]).toMatchObject({ type: 'json', value: { page: 1 } })
    await expect(wholeOf(cache, output)).rejects.toMatchObject({ code: 'not_found' })
    expect(await wholeOf(cache, output, { actor: as('ada') })).toHaveLength(5_000)
  })

  it('can be told from the context of each call, of our tools too', async () => {
    const { cache } = cacheScene()
    const tools = withReferences({ list: list() }, cache, {
      actorOf: ({ context }: { context: { user: string } | undefined }) =>
        context ? as(context.user) : undefined,
    })
    const contextOf = (user: string) =>
      ({ toolsContext: Object.fromEntries(Object.keys(tools).map(name => [name, { user }])) }) as never
    const { result } = await converse(tools, [['list', {}]], contextOf('ada'))
    const { ref_id } = result.steps[0]!.toolResults[0]!.output as { ref_id: string }
    const ask = [['get_cached_result', { ref_id }]] as const
    expect((await converse(tools, ask, contextOf('ada'))).shown[0]).toMatchObject({ type: 'json' })
    expect((await converse(tools, ask, contextOf('bob'))).shown[0]).toMatchObject({ type: 'error-json' })
    expect((await converse(tools, ask)).shown[0]).toMatchObject({ type: 'error-json' })
  })

  it('has a place for results that the program names', async () => {
    const { cache } = cacheScene()
    const tools = withReferences({ list: list() }, cache, {
      actor: actor.agent({ id: 'ada', sessionId: 'work' }),
      namespaceTemplate: 'user:{user_id}:session:work',
    })
    await tools.list.execute({}, OPTIONS)
    expect((await cache.list()).entries[0]!.namespace).toMatch(/^user:ada:session:/)
  })
})

describe('a failed call', () => {
  const failing = () => {
    const execute = vi.fn(async (): Promise<string> => {
      throw new Error('away')
    })
    return { execute, given: { read: tool({ inputSchema, execute }) } }
  }
  const failedIn = async (
    tools: { read: { execute: unknown } },
    clock: { advance(ms: number): Promise<void> },
  ) => {
    const execute = tools.read.execute as (input: unknown, options: unknown) => Promise<{ ref_id: string }>
    const { ref_id } = await execute({}, OPTIONS)
    await clock.advance(0)
    return ref_id
  }

  it('runs again by its reference', async () => {
    const { cache, clock } = cacheScene()
    const { execute, given } = failing()
    const tools = withReferences(given, cache, { asyncTimeout: 0 })
    const ref_id = await failedIn(tools, clock)
    execute.mockResolvedValueOnce('there')
    const { shown } = await converse(tools, [
      ['retry_task', { ref_id }],
      ['get_cached_result', { ref_id }],
    ])
    expect(shown[1]).toEqual(
      expect.objectContaining({ type: 'json', value: expect.objectContaining({ value: 'there' }) }),
    )
  })

  it('of a set for one caller does not: another set may have its name by now', async () => {
    const { cache, clock } = cacheScene()
    const mine = failing()
    const tools = withReferences(mine.given, cache, { asyncTimeout: 0, actor: actor.agent({ id: 'ada' }) })
    const ref_id = await failedIn(tools, clock)
    const others = failing()
    withReferences(others.given, cache, { actor: actor.agent({ id: 'bob' }) })
    const { shown } = await converse(tools, [
      ['retry_task', { ref_id }],
      ['get_cached_result', { ref_id }],
    ])
    expect(shown[1]).toMatchObject({
      type: 'error-json',
      value: { error: expect.stringContaining('Call the tool again') },
    })
    expect(others.execute).not.toHaveBeenCalled()
  })
})
