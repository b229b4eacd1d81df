import { expect, it } from 'vitest'
import { runExample } from './fixtures/example.ts'

it('the example of a server author’s server ends well: its client saw all that it asserts', async () => {
  const said = await runExample('server-author')
  expect(said).toContain('progress: month')
  expect(said).toContain('All was seen')
})
