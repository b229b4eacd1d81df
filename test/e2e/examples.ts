import { expect, it } from 'vitest'
import { redisIsInstalled } from '../redis-server.ts'
import { runExample } from './fixtures/example.ts'

type Example = readonly [name: string, said: string, node?: string]

/** The AI SDK needs a newer Node than this package does. */
const NODE_OF_AI_SDK = 22
const ownIsEnough = Number(process.versions.node.split('.')[0]) >= NODE_OF_AI_SDK
const newerNode = ownIsEnough ? process.execPath : process.env.SMOKE_NODE_22
if (!newerNode) {
  console.warn(
    `SKIPPED: the example ai-sdk needs Node ${NODE_OF_AI_SDK}. Set SMOKE_NODE_22 to its executable.`,
  )
}

/** One at the library, one with tasks of MCP. */
export const QUICK: readonly Example[] = [
  ['private-computation', 'mean_salary'],
  ['tasks-2026', 'asked: Delete all orders of 2024?'],
]

export const SLOW: readonly Example[] = [
  ...(redisIsInstalled
    ? [
        ['workers', 'none was computed here'] as const,
        ['redis-two-servers', 'work that outlived its process'] as const,
      ]
    : []),
  ['server-author', 'progress: month'],
  ['plain-client-polling', 'retry_task:'],
  ['front-door', "The server 'gone' is away"],
  ['growing-result', 'Page 3'],
  ['ask', 'orders of Lisbon above 500'],
  ['threads', 'ran longer than its limit'],
  ['tracing', 'spans of one trace'],
  ['tasks-2025', 'asked: Delete all orders of 2024?'],
  ['fastmcp', 'export_orders'],
  ['calculator', 'ten thousand numbers'],
  ['cross-server', 'the rights that they came with'],
  ['openai-agents', 'a reference passed on'],
  ['langchain', 'a reference passed on'],
  ...(newerNode ? [['ai-sdk', 'The model was shown', newerNode] as const] : []),
]

/** Each example is a client that asserts what it sees, and ends well only then. */
export function examplesEndWell(examples: readonly Example[]): void {
  const rows = examples.map(([name, seen, node = process.execPath]) => [name, seen, node] as const)
  it.each(rows)('the example %s ends well: its client saw all that it asserts', async (name, seen, node) => {
    const said = await runExample(name, node)
    expect(said).toContain(seen)
    expect(said).toContain('All was seen')
  })
}
