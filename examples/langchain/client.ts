/**
 * Tools of LangChain that go through a cache, in the loop of an agent: a model calls tools, and is shown what they give. The model is a
 * script, so that this asserts what a model would be shown. Ends well only if all of it was really seen.
 *
 *     npm run build && node examples/langchain/client.ts     (Node 22.18 or newer runs TypeScript itself)
 */
import assert from 'node:assert/strict'
import {
  AIMessage,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  type ToolMessage,
} from '@langchain/core/messages'
import { tool } from '@langchain/core/tools'
import { RefCache } from 'mcp-refcache'
import { isReference, REFERENCE_INSTRUCTIONS, wholeOf, withReferences } from 'mcp-refcache/langchain'
import { z } from 'zod'

const orders = tool(
  async ({ year }) =>
    Array.from({ length: 5_000 }, (_, n) => ({
      id: year * 10_000 + n,
      customer: `c${n % 7}`,
      total: n * 1.5,
    })),
  { name: 'orders', description: 'All orders of a year.', schema: z.object({ year: z.number() }) },
)

/** Works with all of the rows, which the model never saw. */
const mean = tool(async ({ rows }) => String(rows.reduce((sum, { total }) => sum + total, 0) / rows.length), {
  name: 'mean',
  description: 'The mean of all totals.',
  schema: z.object({ rows: z.array(z.object({ total: z.number() })) }),
})

const forecast = tool(
  async ({ customer }) => {
    await new Promise(resolve => setTimeout(resolve, 1_000))
    return { customer, forecast: 1234.5 }
  },
  {
    name: 'forecast',
    description: 'Forecasts the orders of a customer. It takes a while.',
    schema: z.object({ customer: z.string() }),
  },
)

const cache = new RefCache({ name: 'agent' })
const tools = await withReferences([orders, mean, forecast], cache, {
  perTool: { forecast: { asyncTimeout: '300ms' } },
})

const referenceIn = (text: string) => /agent:[0-9a-f]{32}/.exec(text)![0]

/** What a model could do, knowing what it was shown: a call of a tool, or its last words. */
function model(messages: readonly BaseMessage[]): AIMessage {
  const shown = messages.filter(message => message.type === 'tool').map(({ text }) => text)
  const script: ReadonlyArray<() => readonly [name: string, args: Record<string, unknown>]> = [
    () => ['orders', { year: 2025 }],
    () => [
      'query_cached_result',
      { ref_id: referenceIn(shown[0]!), sql: 'select customer, count(*) n from items group by 1' },
    ],
    () => ['mean', { rows: referenceIn(shown[0]!) }],
    () => ['forecast', { customer: 'c3' }],
    () => ['get_cached_result', { ref_id: referenceIn(shown[3]!), wait_seconds: 10 }],
  ]
  const [name, args] = script[shown.length]?.() ?? []
  if (!name || !args) return new AIMessage('Done.')
  return new AIMessage({
    content: '',
    tool_calls: [{ type: 'tool_call', id: `call-${shown.length}`, name, args }],
  })
}

// What `createAgent` does, and a node of tools in a graph.
const messages: BaseMessage[] = [
  new SystemMessage(REFERENCE_INSTRUCTIONS),
  new HumanMessage('What do our customers order?'),
]
const results: ToolMessage[] = []
for (;;) {
  const said = model(messages)
  messages.push(said)
  const [call] = said.tool_calls ?? []
  if (!call) break
  const called = tools.find(({ name }) => name === call.name)!
  const result = (await called.invoke({ ...call, type: 'tool_call' })) as ToolMessage
  console.log(`${call.name}:`, result.text.slice(0, 160))
  results.push(result)
  messages.push(result)
}

// A preview, an answer over all rows, a mean of rows that no model copied, a handle, and the result behind it.
const [preview, answer, average, handle, result] = results.map(({ text }) => text.replaceAll('\\"', '"'))
assert.match(preview!, /"total_items":5000/)
assert.match(answer!, /\["c0",715\]/)
assert.equal(average, '3749.25')
assert.match(handle!, /"status":"(pending|processing)"/)
assert.match(result!, /"forecast":1234\.5/)

// The program has the reference as the artifact, and all that is behind it.
const reference: unknown = results[0]!.artifact
assert.ok(isReference(reference))
assert.equal((JSON.parse(String(await wholeOf(cache, reference))) as unknown[]).length, 5_000)

await cache.close()
console.log(
  'All was seen: a preview, an answer, a reference passed on, a handle, and the whole for the program.',
)
