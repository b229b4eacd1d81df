/** What the types of `mcp-refcache/ai` promise, against the installed AI SDK; compiled by `npm run types`. */
import type { MCPClient } from '@ai-sdk/mcp'
import {
  generateText,
  type InferToolInput,
  type InferToolOutput,
  type LanguageModel,
  stepCountIs,
  tool,
} from 'ai'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { isReference, type Reference, wholeOf, withReferences } from '../../src/ai/index.ts'
import { type Actor, actor, RefCache } from '../../src/index.ts'

type Order = { id: number; total: number }

const cache = new RefCache()
declare const model: LanguageModel
declare const client: MCPClient

const exportOrders = tool({
  inputSchema: z.object({ year: z.number() }),
  execute: async ({ year }): Promise<Order[]> => [{ id: year, total: 1 }],
})
const OPTIONS = { toolCallId: 'one', messages: [], context: {} }

export async function whatAToolGivesIsItsResultOrAReferenceToIt(): Promise<void> {
  const tools = withReferences({ exportOrders }, cache, { asyncTimeout: '10s', inline: 2_000 })
  expectTypeOf<InferToolInput<typeof tools.exportOrders>>().toEqualTypeOf<{ year: number }>()
  expectTypeOf<InferToolOutput<typeof tools.exportOrders>>().toEqualTypeOf<Order[] | Reference<Order[]>>()
  const { toolResults } = await generateText({ model, tools, prompt: 'Go.', stopWhen: stepCountIs(3) })
  for (const result of toolResults) {
    if (result.dynamic || result.toolName !== 'exportOrders') continue
    expectTypeOf(await wholeOf(cache, result.output)).toEqualTypeOf<Order[]>()
    if (isReference(result.output)) expectTypeOf(result.output).toEqualTypeOf<Reference<Order[]>>()
    else expectTypeOf(result.output).toEqualTypeOf<Order[]>()
  }
}

export function aProgramGetsAllOfTheResultWhereItAsksForIt(): void {
  const tools = withReferences({ exportOrders }, cache)
  expectTypeOf(tools.exportOrders.execute({ year: 1 }, { ...OPTIONS, whole: true })).toEqualTypeOf<
    Promise<Order[]>
  >()
  // @ts-expect-error the tool wants a year
  tools.exportOrders.execute({}, OPTIONS)
}

export async function toolsOfAServerAndToolsWithoutExecuteGoIn(): Promise<void> {
  const asks = tool({ inputSchema: z.object({ question: z.string() }), outputSchema: z.string() })
  const tools = withReferences({ asks, exportOrders, ...(await client.tools()) }, cache)
  expectTypeOf(tools.asks).toEqualTypeOf(asks)
  await generateText({ model, tools, prompt: 'Go.' })
}

export async function theContextIsTyped(): Promise<void> {
  const tools = withReferences({ exportOrders }, cache, {
    actorOf: ({ context }: { context: { userId: string } }): Actor => actor.agent({ id: context.userId }),
  })
  const context = { userId: 'ada' }
  const toolsContext = {
    get_cached_result: context,
    cancel_task: context,
    retry_task: context,
    query_cached_result: context,
    edit_cached_result: context,
  }
  await generateText({ model, tools, prompt: 'Go.', toolsContext })
  // @ts-expect-error our tools would not know who calls
  await generateText({ model, tools, prompt: 'Go.' })
}

export function optionsAreThoseOfTheTools(): void {
  withReferences({ exportOrders }, cache, { perTool: { exportOrders: { ttl: '1h', memoize: true } } })
  // @ts-expect-error there is no such tool
  withReferences({ exportOrders }, cache, { perTool: { importOrders: {} } })
}
