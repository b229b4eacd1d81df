/**
 * An agent's own program on the AI SDK: its tools, and those of a server of MCP that nobody here wrote, through one cache. The model is a
 * script, so that this asserts what a model would be shown. Ends well only if all of it was really seen.
 *
 *     npm run build && node examples/ai-sdk/client.ts     (Node 22.18 or newer runs TypeScript itself)
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMCPClient } from '@ai-sdk/mcp'
import { Experimental_StdioMCPTransport as StdioTransport } from '@ai-sdk/mcp/mcp-stdio'
import { generateText, isStepCount, tool } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { RefCache } from 'mcp-refcache'
import { REFERENCE_INSTRUCTIONS, taskOf, wholeOf, withReferences } from 'mcp-refcache/ai'
import { z } from 'zod'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ai-sdk-')))
const orders = Array.from({ length: 5_000 }, (_, id) => ({
  id,
  customer: `customer ${id % 7}`,
  total: id * 1.5,
}))
const file = JSON.stringify(orders)
writeFileSync(join(folder, 'orders.json'), file)

const server = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/dist/index.js')
const files = await createMCPClient({
  transport: new StdioTransport({ command: process.execPath, args: [server, folder], stderr: 'ignore' }),
})

/** Takes seconds, and says how far it is. */
const forecast = tool({
  description: 'Forecasts the orders of a customer.',
  inputSchema: z.object({ customer: z.string() }),
  execute: async ({ customer }, options) => {
    for (let month = 1; month <= 6; month++) {
      await new Promise(resolve => setTimeout(resolve, 200))
      taskOf(options)?.progress(month, 6, `month ${month} of 6`)
    }
    return { customer, forecast: 1234.5 }
  },
})

/** Works with all of the rows, which the model never saw. */
const mean = tool({
  description: 'The mean of all totals.',
  inputSchema: z.object({ rows: z.array(z.object({ total: z.number() })) }),
  execute: async ({ rows }) => rows.reduce((sum, { total }) => sum + total, 0) / rows.length,
})

const cache = new RefCache({ name: 'agent' })
const tools = withReferences({ forecast, mean, ...(await files.tools()) }, cache, {
  perTool: { forecast: { asyncTimeout: '500ms' } },
})

/** What the model was shown of each call, as text. */
const shown: string[] = []
const referenceIn = (text: string) => /agent:[0-9a-f]{32}/.exec(text)![0]

/** What a model could do, step by step. */
const script: ReadonlyArray<(seen: string) => readonly [tool: string, input: unknown]> = [
  () => ['read_text_file', { path: join(folder, 'orders.json') }],
  seen => [
    'query_cached_result',
    { ref_id: referenceIn(seen), sql: 'select customer, count(*) n from items group by 1' },
  ],
  () => ['mean', { rows: referenceIn(shown[0]!) }],
  () => ['get_cached_result', { ref_id: referenceIn(shown[0]!), page: 3, page_size: 20 }],
  () => ['write_file', { path: join(folder, 'copy.json'), content: referenceIn(shown[0]!) }],
  () => ['forecast', { customer: 'customer 3' }],
  seen => ['get_cached_result', { ref_id: referenceIn(seen), wait_seconds: 10 }],
]

const model = new MockLanguageModelV4({
  doGenerate: async ({ prompt }) => {
    const last = prompt.at(-1)
    const part = last?.role === 'tool' ? last.content[0] : undefined
    if (part?.type === 'tool-result') shown.push(JSON.stringify(part.output))
    const step = script[shown.length]?.(shown.at(-1) ?? '')
    const usage = {
      inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 0, text: 0, reasoning: 0 },
    }
    if (!step) {
      const finishReason = { unified: 'stop' as const, raw: undefined }
      return { content: [{ type: 'text', text: 'Done.' }], finishReason, usage, warnings: [] }
    }
    const [toolName, input] = step
    const call = { toolCallId: `call-${shown.length}`, toolName, input: JSON.stringify(input) }
    const finishReason = { unified: 'tool-calls' as const, raw: undefined }
    return { content: [{ type: 'tool-call', ...call }], finishReason, usage, warnings: [] }
  },
})

const { steps } = await generateText({
  model,
  tools,
  instructions: REFERENCE_INSTRUCTIONS,
  prompt: 'What do our customers order?',
  stopWhen: isStepCount(script.length + 1),
})
shown.forEach((text, n) => {
  console.log(`${script[n]!(shown[n - 1] ?? '')[0]}:`, text.slice(0, 160))
})

// A preview of the file, an answer over all of it, and a page.
const [preview, answer, average, page, written, handle, result] = shown
assert.match(preview!, /"total_items":5000/)
assert.match(answer!, /\["customer 0",715\]/)
assert.match(average!, /3749.25/)
assert.match(page!, /"page":3,"total_pages":250/)

// The reference was passed on, and the server wrote what the first tool gave, to the last byte.
assert.match(written!, /Successfully wrote/)
assert.equal(readFileSync(join(folder, 'copy.json'), 'utf8'), file)

// After half a second the call answered with a handle; the poll waited for the result.
assert.match(handle!, /"status":"processing"/)
assert.match(result!, /"forecast":1234.5/)

// The program has all of what a tool gave, by type.
const forecasts = steps.flatMap(({ staticToolResults }) => staticToolResults)
for (const { toolName, output } of forecasts) {
  if (toolName === 'forecast') assert.equal((await wholeOf(cache, output)).forecast, 1234.5)
}
assert.equal(forecasts.filter(({ toolName }) => toolName === 'forecast').length, 1)

await files.close()
await cache.close()
rmSync(folder, { recursive: true })
const characters = shown.reduce((sum, text) => sum + text.length, 0)
console.log(`The model was shown ${characters} characters; one look at the file alone has ${file.length}.`)
console.log(
  'All was seen: a preview, an answer, a page, a reference passed on, a handle, and values for the program.',
)
