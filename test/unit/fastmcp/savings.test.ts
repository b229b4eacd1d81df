import { expect, it } from 'vitest'
import { lengthOfTool } from '../../../src/agent/listed.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { scene } from './scene.ts'

it('counts what stands in a list of tools because of references', async () => {
  const { cache, connect } = scene(() => {})
  const { client } = await connect()
  const { tools } = await client.listTools()
  const listed = tools.reduce((sum, tool) => sum + lengthOfTool(tool as unknown as JsonObject), 0)
  expect(Math.abs(((await cache.stats()).savings?.added as number) - listed / 4)).toBeLessThan(listed / 20)
})
