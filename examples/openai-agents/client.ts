/**
 * An agent on @openai/agents whose tools go through a cache. The model is a script, so that this asserts what a model would be shown. Ends
 * well only if all of it was really seen. Write `@openai/agents` where this has its core.
 *
 *     npm run build && node examples/openai-agents/client.ts     (Node 22.18 or newer runs TypeScript itself)
 */
import assert from 'node:assert/strict'
import { Agent, type AgentInputItem, type Model, type ModelRequest, Runner, tool } from '@openai/agents-core'
import { RefCache } from 'mcp-refcache'
import { REFERENCE_INSTRUCTIONS, wholeOf, withReferences } from 'mcp-refcache/openai-agents'
import { z } from 'zod'

const orders = tool({
  name: 'orders',
  description: 'All orders of a year.',
  parameters: z.object({ year: z.number() }),
  execute: async ({ year }) =>
    Array.from({ length: 5_000 }, (_, n) => ({
      id: year * 10_000 + n,
      customer: `c${n % 7}`,
      total: n * 1.5,
    })),
})

/** Works with all of the rows, which the model never saw. */
const mean = tool({
  name: 'mean',
  description: 'The mean of all totals.',
  parameters: z.object({ rows: z.array(z.object({ total: z.number() })) }),
  execute: async ({ rows }) => rows.reduce((sum, { total }) => sum + total, 0) / rows.length,
})

const forecast = tool({
  name: 'forecast',
  description: 'Forecasts the orders of a customer. It takes a while.',
  parameters: z.object({ customer: z.string() }),
  execute: async ({ customer }) => {
    await new Promise(resolve => setTimeout(resolve, 1_000))
    return { customer, forecast: 1234.5 }
  },
})

/** What the model was shown of each call, as text. */
const shown: string[] = []
const referenceIn = (text: string) => /agent:[0-9a-f]{32}/.exec(text)![0]

/** What a model could do, step by step. */
const script: ReadonlyArray<() => readonly [tool: string, input: unknown]> = [
  () => ['orders', { year: 2025 }],
  () => [
    'query_cached_result',
    { ref_id: referenceIn(shown[0]!), sql: 'select customer, count(*) n from items group by 1' },
  ],
  () => ['mean', { rows: referenceIn(shown[0]!) }],
  () => ['forecast', { customer: 'c3' }],
  () => ['get_cached_result', { ref_id: referenceIn(shown[3]!), wait_seconds: 10 }],
]

class ScriptedModel implements Model {
  async getResponse({ input }: ModelRequest): ReturnType<Model['getResponse']> {
    const last = (input as AgentInputItem[]).at(-1)
    if (last?.type === 'function_call_result') shown.push(JSON.stringify(last.output))
    const [name, args] = script[shown.length]?.() ?? []
    const call = { callId: `call-${shown.length}`, name, arguments: JSON.stringify(args) }
    const words = { role: 'assistant', content: [{ type: 'output_text', text: 'Done.' }] }
    const output = name ? { type: 'function_call', ...call } : { type: 'message', ...words }
    const usage = { requests: 1, inputTokens: 0, outputTokens: 0, totalTokens: 0 }
    return { usage, output: [{ status: 'completed', ...output }] } as unknown as ReturnType<
      Model['getResponse']
    >
  }

  // biome-ignore lint/correctness/useYield: nothing here streams
  async *getStreamedResponse(): ReturnType<Model['getStreamedResponse']> {
    throw new Error('This model does not stream.')
  }
}

const cache = new RefCache({ name: 'agent' })
const clerk = new Agent({
  name: 'clerk',
  instructions: `You answer questions about orders.\n\n${REFERENCE_INSTRUCTIONS}`,
  model: new ScriptedModel(),
  tools: withReferences([orders, mean, forecast], cache, {
    perTool: { forecast: { asyncTimeout: '300ms' } },
  }),
})
const { newItems } = await new Runner({ tracingDisabled: true }).run(clerk, 'What do our customers order?')
shown.forEach((text, n) => {
  console.log(`${script[n]!()[0]}:`, text.slice(0, 160))
})

// A preview, an answer over all rows, a mean of rows that no model copied, a handle, and the result behind it.
const [preview, answer, average, handle, result] = shown.map(text => text.replaceAll('\\"', '"'))
assert.match(preview!, /"total_items":5000/)
assert.match(answer!, /\["c0",715\]/)
assert.match(average!, /3749\.25/)
assert.match(handle!, /"status":"(pending|processing)"/)
assert.match(result!, /"forecast":1234\.5/)

// The program has all of what a tool gave.
const outputs = newItems.flatMap(item => (item.type === 'tool_call_output_item' ? [item.output] : []))
assert.equal(((await wholeOf(cache, outputs[0])) as unknown[]).length, 5_000)

await cache.close()
console.log(
  'All was seen: a preview, an answer, a reference passed on, a handle, and the whole for the program.',
)
