import { expect, it } from 'vitest'
import { ownTools } from '../../../src/agent/tools/own-tools.ts'
import { countTokens } from '../../../src/preview/preview.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { ADAPTERS } from '../../../src/ref-cache-adapters.ts'

const MOST = 500

it(`all of our tools together cost a model at most ${MOST} tokens, with SQL and exports`, async () => {
  const cache = new RefCache({ name: 't' })
  Object.defineProperty(cache[ADAPTERS], 'sqlUnavailable', { value: undefined })
  const costs: Record<string, number> = {}
  for (const { name, description, inputSchema } of ownTools(cache, {}, {} as never)) {
    costs[name] = await countTokens(JSON.stringify({ name, description, inputSchema }))
  }
  expect(Object.keys(costs)).toHaveLength(6)
  const sum = Object.values(costs).reduce((all, one) => all + one, 0)
  expect(sum, JSON.stringify(costs)).toBeLessThanOrEqual(MOST)
})
