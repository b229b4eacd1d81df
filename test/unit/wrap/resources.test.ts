import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import { idIn, type Serve, Wired, type WiredOptions } from './wired.ts'

const open: Wired[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(wired => wired.close()))
})

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'c', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

interface Server {
  /** By cursor; the first page by ''. Undefined: it knows no resources. */
  pages?: Record<string, JsonObject>
}

/** A server with a tool `make` and perhaps resources, and what it was asked. */
function serverWith({ pages }: Server, asked: string[]): Serve {
  return (line, say) => {
    if (!line.includes('"id":')) return
    const { method, params = {} } = JSON.parse(line)
    asked.push(method === 'resources/list' ? `${method} ${params.cursor ?? ''}` : method)
    const give = (result: object) =>
      say(`{"jsonrpc":"2.0","id":${idIn(line)},"result":${JSON.stringify(result)}}`)
    const fail = (code: number, message: string) =>
      say(`{"jsonrpc":"2.0","id":${idIn(line)},"error":${JSON.stringify({ code, message })}}`)
    const resources = pages ? { resources: { subscribe: true } } : {}
    const about = { capabilities: { tools: {}, ...resources }, serverInfo: { name: 's', version: '1' } }
    if (method === 'initialize') return give({ protocolVersion: '2025-11-25', ...about })
    if (method === 'server/discover') return give({ supportedVersions: ['2026-07-28'], ...about })
    if (method === 'tools/list') return give({ tools: [{ name: 'make', inputSchema: { type: 'object' } }] })
    if (method === 'tools/call') return give({ content: [{ type: 'text', text: 'made' }] })
    if (!pages) return fail(-32601, 'Method not found')
    if (method === 'resources/list') return give(pages[String(params.cursor ?? '')] ?? {})
    if (method === 'resources/templates/list')
      return give({ resourceTemplates: [{ name: 'own', uriTemplate: 'own:///{x}' }] })
    if (method === 'resources/read') return give({ contents: [{ uri: params.uri, text: 'of the server' }] })
    fail(-32601, 'Method not found')
  }
}

async function connect(
  server: Server,
  { isStateless = false, ...options }: WiredOptions & { isStateless?: boolean } = {},
) {
  const asked: string[] = []
  const wired = await Wired.open(serverWith(server, asked), options)
  open.push(wired)
  let id = 0
  const ask = async (method: string, params: JsonObject = {}): Promise<JsonObject> => {
    const sent = isStateless ? { ...params, _meta: META } : params
    return JSON.parse(await wired.ask(`q${++id}`, method, JSON.stringify(sent)))
  }
  const introduction = isStateless
    ? await ask('server/discover')
    : await ask('initialize', {
        protocolVersion: '2025-11-25',
        capabilities: {},
        clientInfo: { name: 'c', version: '1' },
      })
  const { capabilities } = introduction.result as { capabilities: JsonObject }
  const make = async () => {
    const made = (await ask('tools/call', { name: 'make', arguments: { _as_ref: true } })) as {
      result: { structuredContent: { ref_id: string } }
    }
    return made.result.structuredContent.ref_id
  }
  const list = async (cursor?: string) => {
    const { result } = await ask('resources/list', cursor === undefined ? {} : { cursor })
    return result as { resources: { uri: string; name: string }[]; nextCursor?: string } & JsonObject
  }
  const read = (uri: string) => ask('resources/read', { uri })
  return { wired, ask, asked, capabilities, make, list, read }
}

const MINE = { uri: 'own:///1', name: 'one' }

for (const isStateless of [false, true]) {
  describe(`resources of a wrapped server, ${isStateless ? '2026-07-28' : '2025-11-25'}`, () => {
    it('are there where the server has none', async () => {
      const { capabilities, make, list, ask, read } = await connect({}, { isStateless })
      expect(capabilities).toMatchObject({ resources: {} })
      const refId = await make()
      const { resources, ...rest } = await list()
      expect(resources).toMatchObject([
        { uri: `refcache:///${refId}`, name: expect.stringMatching(/^make.* \(just now\)$/) },
      ])
      expect(rest).toEqual(isStateless ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private' } : {})
      const { result: templates } = await ask('resources/templates/list')
      expect(templates).toMatchObject({ resourceTemplates: [{ uriTemplate: 'refcache:///{ref_id}' }] })
      const { result } = await read(`refcache:///${refId}`)
      expect(result).toMatchObject({
        contents: [{ uri: `refcache:///${refId}`, mimeType: 'text/plain', text: 'made' }],
        ...(isStateless ? { resultType: 'complete', cacheScope: 'private' } : {}),
      })
    })

    it('come after those of the server, whose pages, cursors and URIs stay its own', async () => {
      const server = {
        pages: {
          '': { resources: [MINE], nextCursor: 'refcache:2', ttlMs: 60_000, cacheScope: 'public' },
          'refcache:2': {
            resources: [{ uri: 'refcache:///other:1', name: 'two' }],
            ttlMs: 60_000,
            cacheScope: 'public',
          },
        },
      }
      const { capabilities, make, list, read, ask, asked } = await connect(server, { isStateless })
      expect(capabilities.resources).toEqual({ subscribe: true })
      const refId = await make()
      const first = await list()
      expect(first).toMatchObject({ resources: [MINE], cacheScope: 'public' })
      const second = await list(first.nextCursor)
      expect(asked).toContain('resources/list refcache:2')
      expect(second.resources.map(({ uri }) => uri)).toEqual(['refcache:///other:1', `refcache:///${refId}`])
      // What lists one caller's own is not for everybody to keep.
      if (isStateless) expect(second).toMatchObject({ ttlMs: 0, cacheScope: 'private' })
      expect(second.nextCursor).toBeUndefined()
      expect((await read('refcache:///other:1')).result).toMatchObject({
        contents: [{ text: 'of the server' }],
      })
      expect((await read('own:///1')).result).toMatchObject({ contents: [{ text: 'of the server' }] })
      const { result } = await ask('resources/templates/list')
      expect(result).toMatchObject({ resourceTemplates: [{ name: 'own' }, { name: 'cached_result' }] })
    })

    it('go on after the last page of the server', async () => {
      const { make, list, asked } = await connect({ pages: { '': { resources: [MINE] } } }, { isStateless })
      const refIds = await Promise.all(Array.from({ length: 60 }, make))
      const first = await list()
      expect(first.resources).toHaveLength(51)
      asked.length = 0
      const second = await list(first.nextCursor)
      expect(asked).toEqual([])
      const listed = [...first.resources.slice(1), ...second.resources].map(({ uri }) => uri)
      expect(listed.sort()).toEqual(refIds.map(refId => `refcache:///${refId}`).sort())
    })

    it('are for nobody else to answer, however their URI is written, and nobody else lists them', async () => {
      const listed = { uri: `refcache:///wired:${'0'.repeat(32)}`, name: 'README (read me first)' }
      const server = { pages: { '': { resources: [MINE, listed] } } }
      const { make, list, read, ask, asked } = await connect(server, { isStateless })
      const refId = await make()
      const { resources } = await list()
      expect(resources.map(({ uri }) => uri)).toEqual([MINE.uri, `refcache:///${refId}`])
      asked.length = 0
      const mangled = [
        `REFCACHE:///${refId}`,
        `refcache:/${refId}`,
        `refcache:${refId}`,
        `refcache://x/${refId}`,
        `Refcache:///${refId.replace('wired', '%77ired')}`,
      ]
      for (const uri of mangled) expect(await read(uri)).toHaveProperty('error')
      const uri = `refcache:///${refId}`
      expect(await ask('resources/subscribe', { uri })).toHaveProperty('error')
      expect(asked).toEqual([])
      expect((await read(uri.replace('wired', '%77ired'))).result).toMatchObject({
        contents: [{ text: 'made' }],
      })
    })

    it('are one error for what is unknown, whatever the server says of such URIs', async () => {
      const { read, wired } = await connect({ pages: { '': { resources: [] } } }, { isStateless })
      const other = await wired.cache.set('other', 'x', { namespace: 'user:bob' })
      const wrong = [
        other.refId,
        `wired:${'0'.repeat(32)}`,
        'wired:',
        'wired%3a',
        `wired:${'%2e%2e/'.repeat(9_000)}`,
      ]
      for (const refId of wrong) {
        const { error } = await read(`refcache:///${refId}`)
        expect(error).toMatchObject({ code: isStateless ? -32602 : -32002 })
        expect((error as { message: string }).message).toContain('No such reference')
      }
    })

    it('lists answers and copies where it lists what they were made of', async () => {
      const { make, list, ask, wired } = await connect({}, { isStateless })
      const refId = await make()
      const own = async (name: string, args: JsonObject) => {
        const { result } = await ask('tools/call', { name, arguments: { ref_id: refId, ...args } })
        return JSON.stringify(result)
      }
      await own('query_cached_result', { search: 'made' })
      await own('edit_cached_result', { edits: [{ find: 'made', replace: 'changed' }] })
      const names = (await list()).resources.map(({ name }) => name.replace(/[ (@].*/, ''))
      expect(names.sort()).toEqual(['edit_cached_result', 'make', 'query_cached_result'])
      const other = wired.cache.cached({ name: 'make@elsewhere', namespace: 'public' }, () => 'theirs')
      const theirs = await other({})
      await wired.cache.query(theirs.refId, { search: 'theirs' })
      await wired.cache.edit(theirs.refId, [{ find: 'theirs', replace: 'x' }])
      expect((await list()).resources).toHaveLength(3)
    })

    it('lists nothing that was made with other credentials', async () => {
      const { cache } = (await connect({})).wired
      const { call } = { call: cache.cached({ name: 'make@elsewhere', namespace: 'public' }, () => 'theirs') }
      await call({})
      const { list } = await connect({}, { isStateless, cache })
      expect((await list()).resources).toEqual([])
    })
  })
}
