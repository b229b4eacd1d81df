import { afterEach, describe, expect, it } from 'vitest'
import type { CallSettings } from '../../../src/wrap/settings.ts'
import { idIn, type Serve, serverOf, Wired } from './wired.ts'

const opened: Wired[] = []
afterEach(async () => {
  for (const wired of opened.splice(0)) await wired.close()
})

const MIME_TYPE = 'text/html;profile=mcp-app'
const URI = 'ui://mcp-refcache/wired/card'
const SHOWS_CARDS = { extensions: { 'io.modelcontextprotocol/ui': { mimeTypes: [MIME_TYPE] } } }

const OWN_VIEW = { ui: { resourceUri: 'ui://theirs/view', visibility: ['app'] } }
const TOOLS = [
  { name: 'crawl', inputSchema: { type: 'object' }, _meta: { theirs: 1 } },
  { name: 'viewed', inputSchema: { type: 'object' }, _meta: OWN_VIEW },
  { name: 'older', inputSchema: { type: 'object' }, _meta: { 'ui/resourceUri': 'ui://theirs/view' } },
  { name: 'direct', inputSchema: { type: 'object' } },
]

/** A server with apps of its own. */
function served(tools: readonly object[] = TOOLS): Serve {
  const others = serverOf(() => '{"content":[]}')
  return (line, say) => {
    const answer = (result: object) =>
      say(`{"jsonrpc":"2.0","id":${idIn(line)},"result":${JSON.stringify(result)}}`)
    if (line.includes('"tools/list"')) answer({ tools })
    else if (line.includes('"resources/list"'))
      answer({ resources: [{ uri: 'ui://theirs/view', name: 'v' }] })
    else if (line.includes('"resources/read"'))
      answer({ contents: [{ uri: 'ui://theirs/view', text: 'theirs' }] })
    else others(line, say)
  }
}

const CARDS: CallSettings = { defaults: { card: true }, tools: { direct: { cache: false } } }

interface Said {
  readonly tools: ReadonlyArray<{ name: string; _meta?: object }>
  readonly contents: ReadonlyArray<{ uri: string; mimeType: string; text: string }>
}

async function session(settings: CallSettings, capabilities: object, serve = served()) {
  const wired = await Wired.open(serve, { settings })
  opened.push(wired)
  const introduction = await wired.ask(
    'i',
    'initialize',
    JSON.stringify({
      protocolVersion: '2025-11-25',
      capabilities,
      clientInfo: { name: 'test', version: '1' },
    }),
  )
  wired.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  const ask = async (id: string, method: string, params: object = {}) =>
    JSON.parse(await wired.ask(id, method, JSON.stringify(params))).result as Said
  return { wired, introduction, ask }
}

describe('the progress card of a wrapped server', () => {
  it('stands beside tools that go through the cache and have no view of their own', async () => {
    const { ask } = await session(CARDS, SHOWS_CARDS)
    const { tools } = await ask('l', 'tools/list')
    const metaOf = (name: string) => tools.find(tool => tool.name === name)?._meta
    expect(metaOf('crawl')).toEqual({ theirs: 1, ui: { resourceUri: URI } })
    expect(metaOf('viewed')).toEqual(OWN_VIEW)
    expect(metaOf('older')).toEqual({ 'ui/resourceUri': 'ui://theirs/view' })
    expect(metaOf('direct')).toBeUndefined()
    expect(metaOf('get_cached_result')).toBeUndefined()
  })

  it("leaves the server's own views to the server", async () => {
    const { ask } = await session(CARDS, SHOWS_CARDS)
    expect((await ask('r', 'resources/read', { uri: 'ui://theirs/view' })).contents).toMatchObject([
      { text: 'theirs' },
    ])
  })

  it('calls our tools by the names that they have here', async () => {
    const { ask } = await session(
      CARDS,
      SHOWS_CARDS,
      served([...TOOLS, { name: 'cancel_task', inputSchema: { type: 'object' } }]),
    )
    await ask('l', 'tools/list')
    const { contents } = await ask('r', 'resources/read', { uri: URI })
    expect(contents).toMatchObject([{ uri: URI, mimeType: MIME_TYPE }])
    const [, names = ''] = /id="tools">([^<]*)</.exec(contents[0]!.text) ?? []
    expect(JSON.parse(names)).toEqual({
      get: 'get_cached_result',
      cancel: 'refcache_cancel_task',
      retry: 'retry_task',
    })
  })

  it('is for a client of 2026-07-28 by what it declares with each request', async () => {
    const { wired } = await session(CARDS, {})
    const list = async (id: string, capabilities: object) =>
      wired.ask(
        id,
        'tools/list',
        JSON.stringify({
          _meta: {
            'io.modelcontextprotocol/protocolVersion': '2026-07-28',
            'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
            'io.modelcontextprotocol/clientCapabilities': capabilities,
          },
        }),
      )
    expect(await list('shows', SHOWS_CARDS)).toContain(URI)
    expect(await list('plain', {})).not.toContain(URI)
  })

  it('is nothing that any other client sees, to the last byte', async () => {
    const seen = async (settings: CallSettings, capabilities: object) => {
      const { wired, introduction } = await session(settings, capabilities)
      const answers = [introduction]
      for (const method of ['tools/list', 'resources/list', 'resources/templates/list', 'prompts/list'])
        answers.push(await wired.ask(method, method))
      answers.push(await wired.ask('c', 'tools/call', '{"name":"crawl","arguments":{}}'))
      return answers
    }
    const none: CallSettings = { ...CARDS, defaults: {} }
    expect(await seen(CARDS, {})).toEqual(await seen(none, {}))
    expect(await seen(none, SHOWS_CARDS)).toEqual(await seen(none, {}))
  })
})
