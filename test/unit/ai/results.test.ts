import { convertToModelMessages, dynamicTool, streamText, tool, validateUIMessages } from 'ai'
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { isReference, taskOf, wholeOf, withReferences } from '../../../src/ai/index.ts'
import { cacheScene, converse, orders } from './scene.ts'

const inputSchema = z.object({})
const OPTIONS = { toolCallId: 'one', messages: [], context: {} }

describe('the result of a tool of the AI SDK', () => {
  it('that its author shows in few words is shown so, however large it is', async () => {
    const { cache } = cacheScene()
    const list = tool({
      inputSchema,
      execute: async () => orders(5_000),
      toModelOutput: ({ output }) => ({ type: 'text', value: `${output.length} orders` }),
    })
    const { shown, result } = await converse(withReferences({ list }, cache), [['list', {}]])
    expect(shown).toEqual([{ type: 'text', value: '5000 orders' }])
    expect(result.steps[0]!.toolResults[0]!.output).toHaveLength(5_000)
  })

  it('that its author shows at length is a preview', async () => {
    const { cache } = cacheScene()
    const list = tool({
      inputSchema,
      execute: async () => orders(5_000),
      toModelOutput: ({ output }) => ({ type: 'text', value: JSON.stringify(output) }),
    })
    const { shown } = await converse(withReferences({ list }, cache), [['list', {}]])
    expect(shown[0]).toMatchObject({ type: 'json', value: { total_items: 5_000 } })
  })

  it('that JSON cannot keep passes as without us', async () => {
    const { cache, entries } = cacheScene()
    const given = { n: 1n }
    const read = tool({
      inputSchema,
      execute: async () => given,
      toModelOutput: ({ output }) => ({ type: 'text', value: `${output.n}` }),
    })
    const { shown, result } = await converse(withReferences({ read }, cache), [['read', {}]])
    expect(shown).toEqual([{ type: 'text', value: '1' }])
    expect(result.steps[0]!.toolResults[0]!.output).toBe(given)
    expect(await entries()).toBe(0)
  })

  it('of a client of MCP passes with its blocks, an error too', async () => {
    const { cache } = cacheScene()
    const failed = { content: [{ type: 'text', text: 'no such file' }], isError: true }
    const toModelOutput = vi.fn(() => ({ type: 'text' as const, value: 'as the client says' }))
    const read = dynamicTool({ inputSchema, execute: async () => failed, toModelOutput })
    const { shown, result } = await converse(withReferences({ read }, cache), [['read', {}]])
    expect(result.steps[0]!.toolResults[0]!.output).toEqual(failed)
    expect(shown).toEqual([{ type: 'text', value: 'as the client says' }])
  })

  it('of a client of MCP can be wanted as a reference, and goes into other tools as what it says', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async (_: unknown) => 'done')
    const tools = withReferences(
      {
        read: dynamicTool({
          inputSchema,
          execute: async () => ({ content: [{ type: 'text', text: '[1,2]' }] }),
        }),
        sum: tool({ inputSchema: z.object({ list: z.array(z.number()) }), execute }),
      },
      cache,
    )
    const { shown } = await converse(tools, [
      ['read', { _as_ref: true }],
      ([seen]) => ['sum', { list: (seen as unknown as { value: { ref_id: string } }).value.ref_id }],
    ])
    expect(shown[0]).toMatchObject({ type: 'json', value: { ref_id: expect.stringMatching(/^t:/) } })
    expect(execute.mock.calls[0]![0]).toEqual({ list: [1, 2] })
  })

  it('can be edited and passed on without being written out', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async (_: unknown) => 'saved')
    const tools = withReferences(
      {
        list: tool({ inputSchema, execute: async () => orders(5_000) }),
        save: tool({ inputSchema: z.object({ rows: z.array(z.object({ id: z.number() })) }), execute }),
      },
      cache,
    )
    const refIdIn = (seen: unknown) => (seen as { value: { ref_id: string } }).value.ref_id
    const edits = [{ op: 'replace', path: '/7/id', value: -7 }]
    await converse(tools, [
      ['list', {}],
      ([seen]) => ['edit_cached_result', { ref_id: refIdIn(seen), edits }],
      ([seen]) => ['save', { rows: refIdIn(seen) }],
    ])
    const [{ rows }] = execute.mock.calls[0] as unknown as [{ rows: { id: number }[] }]
    expect([rows.length, rows[7]!.id]).toEqual([5_000, -7])
  })

  it('can be an error of its own', async () => {
    const { cache } = cacheScene()
    const error = new Error('upstream is away')
    const tools = withReferences(
      {
        read: tool({
          inputSchema,
          execute: async (): Promise<string> => {
            throw error
          },
        }),
      },
      cache,
    )
    const { shown, result } = await converse(tools, [['read', {}]])
    expect(shown).toEqual([{ type: 'error-text', value: 'Error: upstream is away' }])
    expect(result.steps[0]!.content).toContainEqual(expect.objectContaining({ type: 'tool-error', error }))
  })

  it('that failed after a handle is an error to whoever polls', async () => {
    const { cache, clock } = cacheScene()
    let fail = (_: Error) => {}
    const slow = tool({
      inputSchema,
      execute: () =>
        new Promise<string>((_, reject) => {
          fail = reject
        }),
    })
    const tools = withReferences({ slow }, cache, { asyncTimeout: 0 })
    const handle = (await tools.slow.execute({}, OPTIONS)) as { ref_id: string }
    await clock.advance(0)
    fail(new Error('upstream is away'))
    await clock.advance(0)
    const { shown } = await converse(tools, [['get_cached_result', { ref_id: handle.ref_id }]])
    expect(shown[0]).toMatchObject({
      type: 'error-json',
      value: { status: 'failed', error: 'upstream is away' },
    })
    await expect(wholeOf(cache, handle)).rejects.toMatchObject({ code: 'task_failed' })
  })

  it('of a question that cannot be understood is an error with its code', async () => {
    const { cache } = cacheScene()
    const { shown } = await converse(withReferences({}, cache), [['get_cached_result', { ref_id: 'x' }]])
    expect(shown[0]).toMatchObject({ type: 'error-json', value: { error: { code: 'not_found' } } })
  })

  it('can be memoized, and then says its age', async () => {
    const { cache, clock } = cacheScene()
    const execute = vi.fn(async () => ['a'])
    const tools = withReferences({ read: tool({ inputSchema, execute }) }, cache, {
      perTool: { read: { memoize: true, ttl: '1h' } },
    })
    await converse(tools, [['read', {}]])
    await clock.advance('1s')
    const { shown } = await converse(tools, [
      ['read', {}],
      ['read', { _fresh: true }],
    ])
    expect(shown).toEqual([
      { type: 'json', value: ['a'] },
      { type: 'json', value: ['a'] },
    ])
    expect(execute).toHaveBeenCalledTimes(2)
  })
})

describe('a conversation that was stored', () => {
  it('is checked and shown again with its references', async () => {
    const { cache } = cacheScene()
    const outputSchema = z.array(z.object({ id: z.number() }))
    const list = tool({ inputSchema, outputSchema, execute: async () => orders(5_000) })
    const tools = withReferences({ list }, cache)
    const output = await tools.list.execute({}, OPTIONS)
    const part = {
      type: 'tool-list' as const,
      toolCallId: 'one',
      state: 'output-available' as const,
      input: {},
      output,
    }
    const kept = JSON.parse(JSON.stringify([{ id: '1', role: 'assistant', parts: [part] }]))
    const messages = await validateUIMessages({ messages: kept, tools })
    const prompt = await convertToModelMessages(messages, { tools })
    const { ref_id } = output as { ref_id: string }
    expect(prompt.at(-1)).toMatchObject({
      role: 'tool',
      content: [{ output: { type: 'json', value: { ref_id, total_items: 5_000 } } }],
    })
    const wrong = JSON.parse(JSON.stringify(kept).replace(ref_id, 'x'))
    await expect(validateUIMessages({ messages: wrong, tools })).rejects.toThrow()
  })
})

describe('a tool that streams', () => {
  const counting = (values: readonly unknown[]) =>
    tool({
      inputSchema,
      async *execute() {
        yield* values
      },
    })

  it('reports each value to the program once, and the last one is its result', async () => {
    const { cache, entries } = cacheScene()
    const tools = withReferences({ count: counting([1, 2, 3]) }, cache)
    const values = []
    for await (const value of tools.count.execute({}, OPTIONS) as AsyncIterable<unknown>) values.push(value)
    expect(values).toEqual([1, 2, 3])
    const { shown } = await converse(tools, [['count', {}]])
    expect(shown).toEqual([{ type: 'json', value: 3 }])
    expect(await entries()).toBe(0)
  })

  it('ends with a reference where the result is large', async () => {
    const { cache } = cacheScene()
    const { shown, result } = await converse(
      withReferences({ count: counting([[], orders(5_000)]) }, cache),
      [['count', {}]],
    )
    expect(shown[0]).toMatchObject({ type: 'json', value: { total_items: 5_000 } })
    expect(isReference(result.steps[0]!.toolResults[0]!.output)).toBe(true)
  })

  it('gives the last value where a plain function returns the stream', async () => {
    const { cache } = cacheScene()
    const given = tool({
      inputSchema,
      execute: () => counting([1, 2]).execute({}, OPTIONS) as AsyncIterable<number>,
    })
    const { shown } = await converse(withReferences({ given }, cache), [['given', {}]])
    expect(shown).toEqual([{ type: 'json', value: 2 }])
  })

  it('fails after what it gave', async () => {
    const { cache } = cacheScene()
    const broken = tool({
      inputSchema,
      async *execute() {
        yield 1
        throw new Error('broken off')
      },
    })
    const tools = withReferences({ broken }, cache)
    const stream = tools.broken.execute({}, OPTIONS) as AsyncIterable<unknown>
    const seen: unknown[] = []
    await expect(
      (async () => {
        for await (const value of stream) seen.push(value)
      })(),
    ).rejects.toThrow('broken off')
    expect(seen).toEqual([1])
  })

  it('is heard in streamText while it goes on', async () => {
    const { cache } = cacheScene()
    const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } }
    const model = new MockLanguageModelV4({
      doStream: async () => ({
        stream: simulateReadableStream({
          chunks: [
            { type: 'tool-call', toolCallId: 'one', toolName: 'count', input: '{}' },
            { type: 'finish', finishReason: { unified: 'tool-calls', raw: undefined }, usage },
          ] as never[],
        }),
      }),
    })
    const tools = withReferences({ count: counting([1, 2]) }, cache)
    const seen = []
    for await (const part of streamText({ model, tools, prompt: 'Go.' }).fullStream) {
      if (part.type === 'tool-result') seen.push([part.output, part.preliminary ?? false])
    }
    expect(seen).toEqual([
      [1, true],
      [2, true],
      [2, false],
    ])
  })
})

describe('a call of the AI SDK', () => {
  it('is told to the tool: its id, messages and context', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async (_input: unknown, _options: object) => 'done')
    const contextSchema = z.object({ user: z.string() })
    const tools = withReferences({ read: tool({ inputSchema, contextSchema, execute }) }, cache)
    await converse(tools, [['read', {}]], { toolsContext: { read: { user: 'ada' } } } as never)
    expect(execute.mock.calls[0]![1]).toMatchObject({ toolCallId: 'call-1', context: { user: 'ada' } })
    expect(execute.mock.calls[0]![1]).toHaveProperty('messages.0.role', 'user')
  })

  it('ends its work when the program gives it up', async () => {
    const { cache } = cacheScene()
    const stop = new AbortController()
    const stopped = vi.fn()
    const slow = tool({
      inputSchema,
      execute: (_, { abortSignal }) =>
        new Promise<string>((_resolve, reject) => {
          abortSignal!.addEventListener('abort', () => {
            stopped()
            reject(abortSignal!.reason)
          })
        }),
    })
    const tools = withReferences({ slow }, cache)
    const answer = tools.slow.execute({}, { ...OPTIONS, abortSignal: stop.signal })
    await vi.waitFor(async () => expect(cache.unfinishedTasks('public')).toBe(1))
    stop.abort()
    await expect(answer).rejects.toThrow(/abort/i)
    await vi.waitFor(() => expect(stopped).toHaveBeenCalled())
  })

  it('lets the work go on after a handle, whatever becomes of the request', async () => {
    const { cache, clock } = cacheScene()
    const stop = new AbortController()
    let signal: AbortSignal | undefined
    let finish = (_: string) => {}
    const slow = tool({
      inputSchema,
      execute: (_, options) => {
        signal = options.abortSignal
        taskOf(options)!.progress(3, 12, 'month 3')
        return new Promise<string>(resolve => {
          finish = resolve
        })
      },
    })
    const tools = withReferences({ slow }, cache, { asyncTimeout: '1s' })
    const answer = tools.slow.execute({}, { ...OPTIONS, abortSignal: stop.signal })
    await clock.advance('2s')
    const handle = await answer
    expect(handle).toMatchObject({
      status: 'processing',
      progress: { current: 3, total: 12, message: 'month 3' },
    })
    stop.abort()
    await clock.advance('1s')
    expect(signal!.aborted).toBe(false)
    finish('done')
    await clock.advance(0)
    expect(await wholeOf(cache, handle)).toBe('done')
  })
})
