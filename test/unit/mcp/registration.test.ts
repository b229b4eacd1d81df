import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { refcacheTool } from '../../../src/fastmcp/index.ts'
import { attachRefCache } from '../../../src/mcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { scene } from './scene.ts'

function attached(cache = new RefCache()) {
  onTestFinished(() => cache.close())
  return attachRefCache(new McpServer({ name: 'a', version: '1' }), cache)
}

describe('registerTool', () => {
  it('refuses an option that there is not, with the one that was meant', () => {
    const { registerTool } = attached()
    expect(() => registerTool('t', { inputSchem: z.object({}) } as never, () => 1)).toThrow(
      "Tool 't' has no option 'inputSchem'. Did you mean 'inputSchema'?",
    )
    // Options of the library that the adapter makes itself.
    for (const option of ['input', 'readOnly', 'name', 'replace', 'inputJsonSchema']) {
      expect(() => registerTool('t', { [option]: true } as never, () => 1)).toThrow(/has no option/)
    }
  })

  it('refuses a missing handler, and a second tool of a name on one server', () => {
    const cache = new RefCache()
    const { registerTool } = attached(cache)
    expect(() => registerTool('none', {}, undefined as never)).toThrow("Tool 'none' needs a handler")
    registerTool('t', {}, () => 1)
    expect(() => registerTool('t', {}, () => 2)).toThrow("has a tool 't' already")
  })

  it('replaces on a fresh server', () => {
    const cache = new RefCache()
    attached(cache).registerTool('t', {}, () => 1)
    attached(cache).registerTool('t', {}, () => 2)
  })

  it('memoizes no more than its default where `memoize` is undefined', async () => {
    let runs = 0
    const { call } = await scene({
      tools: ({ registerTool }) => registerTool('count', { memoize: undefined }, () => ++runs),
    })
    await call('count')
    await call('count')
    expect(runs).toBe(2)
  })

  it('takes the fields of a zod object, as the SDK does', async () => {
    const { client, call } = await scene({
      tools: ({ registerTool }) =>
        registerTool(
          'add',
          {
            inputSchema: { a: z.number(), b: z.number().default(2) },
            outputSchema: { sum: z.number() },
          },
          ({ a, b }) => ({ sum: a + b }),
        ),
    })
    const { tools } = await client.listTools()
    const shown = tools.find(({ name }) => name === 'add')
    expect(shown?.inputSchema).toMatchObject({ properties: { a: { type: 'number' } }, required: ['a'] })
    expect((await call('add', { a: 1 })).body).toMatchObject({ value: { sum: 3 } })
    expect((await call('add', { a: 'one' })).isError).toBe(true)
  })

  it.each([
    ['a JSON Schema', { type: 'object', properties: {} }, /fromJsonSchema/],
    ['a schema of valibot', vendor('valibot'), /toStandardJsonSchema of @valibot\/to-json-schema/],
    ['a schema of zod 3', vendor('zod'), /zod\/v4/],
    ['another schema', vendor('other'), /\(other\) .* fromJsonSchema/],
  ])('names the converter for %s', (_, inputSchema, words) => {
    expect(() => attached().registerTool('t', { inputSchema } as never, () => 1)).toThrow(words)
  })
})

function vendor(name: string) {
  return { '~standard': { version: 1, vendor: name, validate: (value: unknown) => ({ value }) } }
}

describe('refcacheTool', () => {
  it('refuses unknown options and a missing handler; the same name again replaces', () => {
    const cache = new RefCache()
    expect(() => refcacheTool(cache, { name: 't', excute: () => 1 } as never)).toThrow(
      "Did you mean 'execute'?",
    )
    expect(() => refcacheTool(cache, { name: 't' } as never)).toThrow("Tool 't' needs a handler")
    refcacheTool(cache, { name: 't', execute: async () => 1 })
    refcacheTool(cache, { name: 't', execute: async () => 2 })
  })
})

it('one factory serves 100 HTTP requests', async () => {
  const cache = new RefCache({ name: 't' })
  const handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'many', version: '1' })
    const { registerTool } = attachRefCache(server, cache)
    registerTool('double', { inputSchema: { n: z.number() } }, ({ n }) => n * 2)
    return server
  })
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'auto' } })
  const transport = new StreamableHTTPClientTransport(new URL('http://localhost/mcp'), {
    fetch: (url, init) => handler.fetch(new Request(url, init)),
  })
  await client.connect(transport)
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => client.callTool({ name: 'double', arguments: { n } })),
  )
  expect(answers.map(({ isError }) => isError === true)).not.toContain(true)
  expect(answers.map(({ content }) => JSON.stringify(content))).toEqual(
    answers.map((_, n) => expect.stringContaining(String(n * 2))),
  )
  await client.close()
  await cache.close()
})
