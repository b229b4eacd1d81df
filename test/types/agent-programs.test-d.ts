/** What the types of `mcp-refcache/openai-agents` and `mcp-refcache/langchain` promise, against the installed SDKs; compiled by `npm run types`. */
import { tool as langchainTool, type StructuredToolInterface } from '@langchain/core/tools'
import { Agent, tool } from '@openai/agents-core'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import { actor, RefCache } from '../../src/index.ts'
import { withReferences as langchainReferences } from '../../src/langchain/index.ts'
import { withReferences } from '../../src/openai-agents/index.ts'

const cache = new RefCache()

export function anAgentTakesTheTools(): void {
  const parameters = z.object({ year: z.number() })
  const list = tool({ name: 'list', description: 'Lists.', parameters, execute: async ({ year }) => [year] })
  new Agent({ name: 'clerk', tools: withReferences([list], cache) })
  withReferences([list], cache, {
    actorOf: ({ context }: { context: { userId: string } }) => actor.agent({ id: context.userId }),
  })
}

export async function toolsOfLangChainStaySuch(): Promise<void> {
  const list = langchainTool(async () => [1], { name: 'list', description: 'Lists.', schema: z.object({}) })
  expectTypeOf(await langchainReferences([list], cache)).toEqualTypeOf<StructuredToolInterface[]>()
}
