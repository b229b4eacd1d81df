import { expect, it } from 'vitest'
import { z } from 'zod'
import { lengthOfTool } from '../../../src/agent/listed.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { scene } from './scene.ts'

it('counts what stands in a list of tools because of references, each time it is listed', async () => {
  const own = {
    description: 'Adds up.',
    inputSchema: z.object({ numbers: z.array(z.number()) }),
  }
  const { client, cache } = await scene({
    tools: ({ registerTool }) => registerTool('sum', own, () => 0),
    attach: { notes: true },
  })
  expect((await cache.stats()).savings).toBeUndefined()
  const { tools } = await client.listTools()
  const listed = tools.reduce((sum, tool) => sum + lengthOfTool(tool as unknown as JsonObject), 0)
  const without = lengthOfTool({
    ...own,
    inputSchema: z.toJSONSchema(own.inputSchema) as JsonObject,
  })
  const added = (await cache.stats()).savings?.added as number
  expect(Math.abs(added - (listed - without) / 4)).toBeLessThan(10)
  await client.callTool({ name: 'sum', arguments: { numbers: [] } })
  await client.listTools()
  expect((await cache.stats()).savings?.added).toBeGreaterThan(1.9 * added)
})
