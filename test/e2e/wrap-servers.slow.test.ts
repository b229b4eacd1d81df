import type { Client } from '@modelcontextprotocol/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countTokens } from '../../src/tokens/tokenizer.ts'
import { fiveServers, writeServers } from './fixtures/five-servers.ts'
import { Workshop } from './fixtures/wrap-harness.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

/** What stands before a model: the instructions, and of each tool what clients pass on. */
async function costOf(client: Client): Promise<{ tools: number; tokens: number }> {
  const { tools } = await client.listTools()
  const shown = tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))
  const text = JSON.stringify(shown) + (client.getInstructions() ?? '')
  return { tools: tools.length, tokens: await countTokens(text) }
}

describe('five servers behind one front door', () => {
  it('cost a model less than behind five wrappers', async () => {
    const servers = fiveServers(workshop.folder)
    const each = []
    for (const { command, args } of Object.values(servers)) {
      const { client } = await workshop.client([String(command), ...(args as string[])])
      each.push(await costOf(client))
      await client.close()
    }
    const { client } = await workshop.client([], {
      wrap: ['--servers', writeServers(workshop.folder, servers)],
    })
    const one = await costOf(client)
    const bare = []
    for (const { command, args } of Object.values(servers)) {
      const { client } = await workshop.connect([String(command), ...(args as string[])])
      bare.push((await costOf(client)).tokens)
      await client.close()
    }
    const five = each.reduce((sum, { tokens }) => sum + tokens, 0)
    const tools = each.reduce((sum, one) => sum + one.tools, 0)
    const without = bare.reduce((sum, tokens) => sum + tokens, 0)
    console.log(`tokens: without a wrapper ${without}, five wrappers ${five}, one front door ${one.tokens}`)
    expect(one.tools).toBe(tools - 4 * 5)
    expect(five - one.tokens).toBeGreaterThan(2_000)
  })
})
