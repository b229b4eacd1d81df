import { expect, it } from 'vitest'
import { redisIsInstalled } from '../redis-server.ts'
import { runExample } from './fixtures/example.ts'

type Example = readonly [name: string, said: string]

/** One at the library, one with tasks of MCP. */
export const QUICK: readonly Example[] = [
  ['private-computation', 'mean_salary'],
  ['tasks-2026', 'asked: Delete all orders of 2024?'],
]

export const SLOW: readonly Example[] = [
  ...(redisIsInstalled ? [['workers', 'none was computed here'] as const] : []),
  ['server-author', 'progress: month'],
  ['plain-client-polling', 'retry_task:'],
  ['growing-result', 'Page 3'],
  ['ask', 'orders of Lisbon above 500'],
  ['threads', 'ran longer than its limit'],
  ['tasks-2025', 'asked: Delete all orders of 2024?'],
  ['fastmcp', 'export_orders'],
]

/** Each example is a client that asserts what it sees, and ends well only then. */
export function examplesEndWell(examples: readonly Example[]): void {
  it.each(examples)('the example %s ends well: its client saw all that it asserts', async (example, seen) => {
    const said = await runExample(example)
    expect(said).toContain(seen)
    expect(said).toContain('All was seen')
  })
}
