import { expect, it } from 'vitest'
import { runExample } from './fixtures/example.ts'

/** Each example is a client that asserts what it sees, and ends well only then. */
it.each([
  ['server-author', 'progress: month'],
  ['private-computation', 'mean_salary'],
  ['plain-client-polling', 'retry_task:'],
  ['growing-result', 'Page 3'],
  ['ask', 'orders of Lisbon above 500'],
  ['tasks-2026', 'asked: Delete all orders of 2024?'],
  ['tasks-2025', 'asked: Delete all orders of 2024?'],
  ['fastmcp', 'export_orders'],
])('the example %s ends well: its client saw all that it asserts', async (example, seen) => {
  const said = await runExample(example)
  expect(said).toContain(seen)
  expect(said).toContain('All was seen')
})
