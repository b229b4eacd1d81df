import { InMemoryTransport, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import { type AttachedRefCache, type AttachOptions, attachRefCache } from '../../../src/mcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const SHOWS_CARDS = {
  extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html;profile=mcp-app'] } },
}
const URI = 'ui://mcp-refcache/t/card'

const OWN_VIEW = { ui: { resourceUri: 'ui://mine/view' } }

function tools({ registerTool }: AttachedRefCache): void {
  registerTool('list', {}, () => [1, 2])
  registerTool('never', { card: false }, () => 'no')
  registerTool('mine', { _meta: OWN_VIEW }, () => 'own')
}

interface Options {
  readonly attach?: AttachOptions
  readonly capabilities?: JsonObject
  readonly revision: '2025-11-25' | '2026-07-28'
  readonly register?: (attached: AttachedRefCache) => void
  readonly before?: (server: McpServer) => void
}

/** A server and its client, down to the very messages: what is asked with a method, and the text of each answer. */
async function conversation({ attach, capabilities = {}, revision, register = tools, before }: Options) {
  const cache = new RefCache({ name: 't', clock: new FakeClock() })
  const [client, serverSide] = InMemoryTransport.createLinkedPair()
  const serving = serveStdio(
    () => {
      const server = new McpServer({ name: 'scene', version: '1.0.0' })
      before?.(server)
      register(attachRefCache(server, cache, attach))
      return server
    },
    { transport: serverSide },
  )
  onTestFinished(async () => {
    await serving.close()
    await cache.close()
  })
  const answers = new Map<unknown, (answer: JsonObject) => void>()
  client.onmessage = message =>
    answers.get((message as { id?: unknown }).id)?.(message as unknown as JsonObject)
  await client.start()
  const clientInfo = { name: 'test', version: '1.0.0' }
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
  }
  const ask = (method: string, params: JsonObject = {}) =>
    new Promise<JsonObject>(resolve => {
      const id = answers.size + 1
      answers.set(id, resolve)
      const asked = revision === '2026-07-28' ? { _meta, ...params } : params
      void client.send({ jsonrpc: '2.0', id, method, params: asked })
    })
  const introduction =
    revision === '2026-07-28'
      ? await ask('server/discover')
      : await ask('initialize', { protocolVersion: revision, capabilities, clientInfo })
  if (revision === '2025-11-25') await client.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  const listed = (await ask('tools/list')).result as { tools: Array<{ name: string; _meta?: JsonObject }> }
  const metaOf = (name: string) => listed.tools.find(tool => tool.name === name)?._meta
  return { ask, introduction, listed, metaOf }
}

describe.each(['2025-11-25', '2026-07-28'] as const)('the progress card, %s', revision => {
  it('stands beside the tools that go through the cache, for a client that shows apps', async () => {
    const { listed, metaOf } = await conversation({
      revision,
      attach: { card: true },
      capabilities: SHOWS_CARDS,
    })
    const shown = listed.tools.filter(({ _meta }) => _meta?.ui).map(({ name }) => name)
    expect(shown).toEqual(['list', 'mine'])
    expect(metaOf('list')).toEqual({ ui: { resourceUri: URI } })
    // A tool's own view wins.
    expect(metaOf('mine')).toEqual(OWN_VIEW)
  })

  it('is one page with no domains, and the names of the tools that it calls', async () => {
    const { ask } = await conversation({ revision, attach: { card: true }, capabilities: SHOWS_CARDS })
    const { contents } = (await ask('resources/read', { uri: URI })).result as {
      contents: Array<{ uri: string; mimeType: string; text: string; _meta: { ui: JsonObject } }>
    }
    const [{ uri, mimeType, text, _meta }] = contents as [(typeof contents)[0]]
    expect({ uri, mimeType }).toEqual({ uri: URI, mimeType: 'text/html;profile=mcp-app' })
    const none: string[] = []
    expect(_meta.ui).toEqual({
      csp: { connectDomains: none, resourceDomains: none, frameDomains: none, baseUriDomains: none },
      prefersBorder: false,
    })
    expect(text).toMatch(/^<!doctype html>/)
    const [, names] = /id="tools">([^<]*)</.exec(text) ?? []
    expect(JSON.parse(names ?? '')).toEqual({
      get: 'get_cached_result',
      cancel: 'cancel_task',
      retry: 'retry_task',
    })
    expect(text).not.toMatch(/(src|href)=|@import|https?:\/\/(?!www\.w3\.org)/)
  })

  it('is nothing that a client sees which does not show apps, to the last byte', async () => {
    const seen = async (attach: AttachOptions, capabilities: JsonObject) => {
      const { ask, introduction } = await conversation({ revision, attach, capabilities })
      const answers = [introduction]
      for (const method of ['tools/list', 'resources/list', 'resources/templates/list'])
        answers.push(await ask(method))
      answers.push(await ask('tools/call', { name: 'list', arguments: {} }))
      return JSON.stringify(answers)
    }
    const others: JsonObject[] = [
      {},
      { extensions: {} },
      { extensions: { 'io.modelcontextprotocol/ui': {} } },
      { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: ['text/html'] } } },
    ]
    for (const capabilities of others)
      expect(await seen({ card: true }, capabilities)).toBe(await seen({}, capabilities))
    // And where nobody asked for cards, clients that show them see none either.
    expect(await seen({}, SHOWS_CARDS)).not.toContain('ui://mcp-refcache')
  })

  it('is no resource in any list, and changes no answer', async () => {
    const { ask } = await conversation({ revision, attach: { card: true }, capabilities: SHOWS_CARDS })
    expect(JSON.stringify(await ask('resources/list'))).not.toContain('ui://')
    const call = { name: 'list', arguments: {} }
    const plain = await conversation({ revision, attach: { card: true } })
    expect((await ask('tools/call', call)).result).toEqual((await plain.ask('tools/call', call)).result)
  })

  it('can be for one tool alone, and for a server without other resources', async () => {
    const { ask, metaOf } = await conversation({
      revision,
      attach: { resources: false },
      capabilities: SHOWS_CARDS,
      register({ registerTool }) {
        registerTool('slow', { card: true }, () => 'done')
        registerTool('quick', {}, () => 'done')
      },
    })
    expect([metaOf('slow')?.ui, metaOf('quick')]).toEqual([{ resourceUri: URI }, undefined])
    expect((await ask('resources/read', { uri: URI })).result).toMatchObject({ contents: [{ uri: URI }] })
    expect((await ask('resources/list')).result).toMatchObject({ resources: [] })
  })
})

it('says what to do where the server has tools already', () => {
  const cache = new RefCache({ name: 't' })
  const server = new McpServer({ name: 'scene', version: '1.0.0' })
  server.registerTool('first', {}, () => ({ content: [] }))
  const { registerTool } = attachRefCache(server, cache, { tasks: false })
  registerTool('plain', {}, () => 1)
  expect(() => registerTool('late', { card: true }, () => 1)).toThrow(
    /before the server's first registerTool/,
  )
})
