import type { Client } from '@modelcontextprotocol/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { countTokens } from '../../src/tokens/tokenizer.ts'
import {
  type Entry,
  entryOf,
  everythingOverHttp,
  fiveServers,
  writeServers,
} from './fixtures/five-servers.ts'
import { PLAIN, until, Workshop } from './fixtures/wrap-harness.ts'

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

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

describe('a server of several', () => {
  const textOf = (answer: Answer): string => answer.content[0].text
  const call = (client: Client, name: string, args: Answer = {}): Promise<Answer> =>
    client.callTool({ name, arguments: args })

  async function frontOf(servers: Record<string, Entry>, ...options: string[]): Promise<Client> {
    const file = writeServers(workshop.folder, servers)
    return (await workshop.client([], { wrap: ['--servers', file, ...options] })).client
  }

  it('that never says who it is leaves the others usable, and is said to be away', async () => {
    const mute = entryOf([process.execPath, '-e', 'process.stdin.resume()'])
    const began = performance.now()
    const client = await frontOf({ mute, plain: entryOf(PLAIN) }, '--async-timeout', '500ms')
    const names = (await client.listTools()).tools.map(({ name }) => name)
    // It is waited for for 10 s; the rest is for a busy machine to start the wrapper. A client would give up after 60 s.
    expect(performance.now() - began).toBeLessThan(45_000)
    expect(names).toContain('plain_count')
    expect(textOf(await call(client, 'plain_count'))).toBe('call 1')
    const { ref_id } = JSON.parse(textOf(await call(client, 'mute_anything')))
    const failed = await until(async () => {
      const polled = JSON.parse(textOf(await call(client, 'get_cached_result', { ref_id })))
      return polled.status === 'failed' ? polled : undefined
    }, 'the call to fail')
    expect(failed.error).toContain("The server 'mute' is away")
  })

  it('over HTTP that is killed is said to be away, and used again when it is back', async () => {
    const { entry, start, kill } = await everythingOverHttp(workshop)
    const client = await frontOf({ everything: entry, plain: entryOf(PLAIN) })
    const echo = () => call(client, 'everything_echo', { message: 'hi' })
    const echoes = async () => textOf(await echo()) === 'Echo: hi'
    await until(echoes, 'the server')
    kill()
    await until(async () => (await echo()).isError, 'the server to be gone')
    expect(textOf(await echo())).toContain("The server 'everything' is away")
    expect(textOf(await call(client, 'plain_count'))).toBe('call 1')
    start()
    await until(echoes, 'the server to be back')
    // It need not be called while it is gone.
    kill()
    start()
    await until(echoes, 'the server to be back once more')
  })
})
