import { expect, it } from 'vitest'
import { runExample } from './fixtures/example.ts'

it.each(['tasks-2026', 'tasks-2025'])(
  'the example %s ends well: its client saw all that it asserts',
  async name => {
    const said = await runExample(name)
    expect(said).toContain('asked: Delete all orders of 2024?')
    expect(said).toContain('All was seen')
  },
)
