import { Agent, type AgentInputItem, type Model, type ModelRequest, Runner, tool } from '@openai/agents-core'
import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { actor } from '../../../src/access/actor.ts'
import { isReference, wholeOf, withReferences } from '../../../src/openai-agents/index.ts'
import { cacheScene, orders } from '../ai/scene.ts'

type Step = readonly [tool: string, input: unknown]

/** A model that does what the test says, knowing the text that it was shown last. */
class ScriptedModel implements Model {
  readonly shown: string[] = []
  readonly requests: ModelRequest[] = []

  constructor(private readonly steps: ReadonlyArray<Step | ((seen: string) => Step)>) {}

  async getResponse(request: ModelRequest): ReturnType<Model['getResponse']> {
    this.requests.push(request)
    const last = (request.input as AgentInputItem[]).at(-1)
    if (last?.type === 'function_call_result') this.shown.push(textOf(last.output))
    const step = this.steps[this.shown.length]
    const [name, input] = (typeof step === 'function' ? step(this.shown.at(-1) ?? '') : step) ?? []
    const usage = { requests: 1, inputTokens: 1, outputTokens: 1, totalTokens: 2 } as never
    const output = name
      ? {
          type: 'function_call',
          callId: `call-${this.shown.length}`,
          name,
          arguments: JSON.stringify(input),
          status: 'completed',
        }
      : {
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'Done.' }],
        }
    return { usage, output: [output as never] }
  }

  // biome-ignore lint/correctness/useYield: no test streams
  async *getStreamedResponse(): ReturnType<Model['getStreamedResponse']> {
    throw new Error('not used')
  }
}

function textOf(output: unknown): string {
  return typeof output === 'string' ? output : (output as { text: string }).text
}

async function run(
  tools: ReturnType<typeof withReferences>,
  steps: ReadonlyArray<Step | ((seen: string) => Step)>,
  context?: unknown,
) {
  const model = new ScriptedModel(steps)
  const agent = new Agent({ name: 'clerk', model, tools: tools as never })
  const result = await new Runner({ tracingDisabled: true }).run(agent, 'Go.', { context, maxTurns: 20 })
  return { result, model, shown: model.shown }
}

const refIdIn = (text: string) => (JSON.parse(text) as { ref_id: string }).ref_id

describe('a tool of @openai/agents through the cache', () => {
  const list = () =>
    tool({
      name: 'list',
      description: 'Lists.',
      parameters: z.object({}),
      execute: async () => orders(5_000),
    })

  it('gives a small result as without us, and leaves no trace', async () => {
    const { cache, entries } = cacheScene()
    const small = tool({
      name: 'small',
      description: 'Small.',
      parameters: z.object({}),
      execute: async () => ({ n: 1 }),
    })
    const without = await run([small] as never, [['small', {}]])
    const { shown } = await run(withReferences([small], cache), [['small', {}]])
    expect(shown).toEqual(without.shown)
    expect(await entries()).toBe(0)
  })

  it('shows a preview of a large one, which pages, is asked and goes into other tools', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async ({ rows }: { rows: unknown[] }) => `${rows.length} rows`)
    const parameters = z.object({ rows: z.array(z.object({ id: z.number() })) })
    const count = tool({ name: 'count', description: 'Counts.', parameters, execute })
    let refId = ''
    const { shown, result } = await run(withReferences([list(), count], cache), [
      ['list', {}],
      (seen: string) => {
        refId = refIdIn(seen)
        return ['get_cached_result', { ref_id: refId, page: 2, page_size: 10 }]
      },
      () => ['query_cached_result', { ref_id: refId, sql: 'select count(*) n from items' }],
      () => ['count', { rows: refId }],
    ])
    expect(shown[0]).toContain('"total_items":5000')
    expect(shown[1]).toContain('"total_pages":500')
    expect(shown[2]).toContain('[[5000]]')
    expect(shown[3]).toBe('5000 rows')
    const [item] = result.newItems.filter(({ type }) => type === 'tool_call_output_item') as {
      output: unknown
    }[]
    expect(isReference(item!.output)).toBe(true)
    expect(await wholeOf(cache, item!.output)).toHaveLength(5_000)
  })

  it('answers with a handle when the work takes longer', async () => {
    const { cache } = cacheScene()
    const slow = tool({
      name: 'slow',
      description: 'Slow.',
      parameters: z.object({}),
      execute: () => new Promise<string>(() => {}),
    })
    const { shown } = await run(withReferences([slow], cache, { asyncTimeout: 0 }), [['slow', {}]])
    expect(shown[0]).toMatch(/"status":"p(ending|rocessing)"/)
  })

  it('fails as without us', async () => {
    const { cache } = cacheScene()
    const broken = tool({
      name: 'broken',
      description: 'Broken.',
      parameters: z.object({ n: z.number() }),
      execute: async () => {
        throw new Error('away')
      },
    })
    const steps = [
      ['broken', { n: 1 }],
      ['broken', { n: 'x' }],
    ] as const
    const without = await run([broken] as never, steps)
    const { shown } = await run(withReferences([broken], cache), steps)
    expect(shown).toEqual(without.shown)
  })

  it('is approved by the values behind references', async () => {
    const { cache } = cacheScene()
    const execute = vi.fn(async () => 'removed')
    const parameters = z.object({ paths: z.array(z.string()) })
    const needsApproval = async (_: unknown, { paths }: { paths: string[] }) => paths.includes('/etc')
    const remove = tool({ name: 'remove', description: 'Removes.', parameters, needsApproval, execute })
    const tools = withReferences([remove], cache)
    for (const [paths, needed] of [
      [['a'], false],
      [['/etc'], true],
    ] as const) {
      const { refId } = await cache.set('paths', paths)
      const { result } = await run(tools, [['remove', { paths: refId }]])
      expect(result.interruptions).toHaveLength(needed ? 1 : 0)
    }
    expect(execute).toHaveBeenCalledTimes(1)
  })

  it('is of whom the context of the run names', async () => {
    const { cache } = cacheScene()
    const tools = withReferences([list()], cache, {
      actorOf: ({ context }: { context: { user: string } }) => actor.agent({ id: context.user }),
    })
    const { shown } = await run(tools, [['list', {}]], { user: 'ada' })
    const ask = [['get_cached_result', { ref_id: refIdIn(shown[0]!), page: 1 }]] as const
    expect((await run(tools, ask, { user: 'ada' })).shown[0]).toContain('"page":1')
    expect((await run(tools, ask, { user: 'bob' })).shown[0]).toContain('not_found')
  })

  it('keeps other tools, and refuses the names of ours', () => {
    const { cache } = cacheScene()
    const hosted = { type: 'hosted_tool', name: 'web_search' }
    expect(withReferences([hosted], cache)[0]).toBe(hosted)
    expect(() => withReferences([{ type: 'function', name: 'cancel_task' }], cache)).toThrow('cancel_task')
  })
})
