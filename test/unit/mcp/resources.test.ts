import { ProtocolError, ResourceNotFoundError } from '@modelcontextprotocol/client'
import { describe, expect, it } from 'vitest'
import { Permission } from '../../../src/access/permission.ts'
import type { AttachedRefCache } from '../../../src/mcp/index.ts'
import { type Call, REVISIONS, scene } from './scene.ts'

const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=='
const uriOf = (refId: string) => `refcache:///${refId}`

/** What a request is refused with. */
async function refusal(work: Promise<unknown>): Promise<ProtocolError> {
  const error = await work.then(
    () => undefined,
    thrown => thrown,
  )
  expect(error).toBeInstanceOf(ProtocolError)
  return error
}

const makes = ({ registerTool }: AttachedRefCache) => void registerTool('make', {}, () => [1])

async function made(call: Call): Promise<string> {
  return String((await call('make')).body.ref_id)
}

for (const [revision, era] of REVISIONS) {
  describe(`entries as resources, ${revision}`, () => {
    it('gives texts, JSON and bytes with their types', async () => {
      const { cache, client } = await scene({
        era,
        tools: ({ registerTool }) => {
          registerTool('shot', {}, () => ({
            content: [
              { type: 'text', text: 'a pixel' },
              { type: 'image', data: PIXEL, mimeType: 'image/png' },
            ],
          }))
        },
        attach: { envelope: 'when-needed' },
      })
      const read = async (refId: string) => (await client.readResource({ uri: uriOf(refId) })).contents
      const text = await cache.set('text', 'one\ntwo')
      expect(await read(text.refId)).toEqual([
        { uri: uriOf(text.refId), mimeType: 'text/plain', text: 'one\ntwo' },
      ])
      const json = await cache.set('json', { items: [{ name: 'a b' }] })
      expect(await read(json.refId)).toEqual([
        { uri: uriOf(json.refId), mimeType: 'application/json', text: '{"items":[{"name":"a b"}]}' },
      ])
      const own = await cache.set('own', '[ 1,\n 2.50 ]')
      expect(await read(own.refId)).toMatchObject([{ mimeType: 'application/json', text: '[ 1,\n 2.50 ]' }])
      const called = await client.callTool({ name: 'shot', arguments: { _as_ref: true } })
      const { ref_id } = called.structuredContent as { ref_id: string }
      expect(await read(ref_id)).toEqual([
        { uri: uriOf(ref_id), mimeType: 'text/plain', text: 'a pixel' },
        { uri: `${uriOf(ref_id)}#/content/1`, mimeType: 'image/png', blob: PIXEL },
      ])
      // A part, as its URI says it.
      expect(await read(`${ref_id}#/content/1`)).toMatchObject([{ mimeType: 'image/png', blob: PIXEL }])
      expect(await read(`${text.refId}#L2`)).toMatchObject([{ text: 'two' }])
      expect(await read(`${json.refId}#/items/0/name`)).toMatchObject([
        { mimeType: 'text/plain', text: 'a b' },
      ])
    })

    it('lists what the caller had made, the newest first, page by page', async () => {
      const { cache, client, clock, call } = await scene({ era, tools: makes })
      const refIds: string[] = []
      for (let n = 0; n < 120; n++) {
        refIds.unshift(await made(call))
        if (n % 3 === 0) await clock.advance(1_000)
      }
      // Somebody else's, though everybody may read it.
      await cache.set('other', 1)
      const listed: string[] = []
      let cursor: string | undefined
      let pages = 0
      do {
        const page = await client.request({ method: 'resources/list', params: cursor ? { cursor } : {} })
        listed.push(...page.resources.map(({ uri }) => uri))
        cursor = page.nextCursor
        pages++
      } while (cursor !== undefined)
      expect(pages).toBe(3)
      expect([...listed].sort()).toEqual(refIds.map(uriOf).sort())
      expect(listed.slice(-1)).toEqual([uriOf(refIds.at(-1) as string)])
      const { resources } = await client.request({ method: 'resources/list', params: {} })
      expect(resources[0]).toMatchObject({ name: expect.stringMatching(/^make \(/), size: 3 })
      const wrong = await refusal(
        client.request({ method: 'resources/list', params: { cursor: 'refcache:xyz' } }),
      )
      expect(wrong.message).toContain('no cursor')
    })

    it('stands beside the resources of the server itself, however they come', async () => {
      for (const first of [true, false]) {
        const { client, call } = await scene({
          era,
          tools: (attached, _, server) => {
            makes(attached)
            if (first) return
            server.registerResource('readme', 'docs:///readme', {}, async uri => ({
              contents: [{ uri: uri.href, text: 'read me' }],
            }))
          },
          before: server => {
            if (!first) return
            server.registerResource('readme', 'docs:///readme', {}, async uri => ({
              contents: [{ uri: uri.href, text: 'read me' }],
            }))
          },
        })
        const refId = await made(call)
        const { resources } = await client.listResources()
        expect(resources.map(({ uri }) => uri)).toEqual(['docs:///readme', uriOf(refId)])
        expect((await client.readResource({ uri: 'docs:///readme' })).contents).toMatchObject([
          { text: 'read me' },
        ])
        const { resourceTemplates } = await client.listResourceTemplates()
        expect(resourceTemplates).toMatchObject([{ uriTemplate: 'refcache:///{ref_id}' }])
      }
    })

    it('reads a URI that was made from the template, and no other spelling of a path', async () => {
      const { cache, client } = await scene({ era, tools: () => {} })
      const { refId } = await cache.set('list', { items: [7] })
      const read = (after: string) => client.readResource({ uri: `refcache:///${after}` })
      expect((await read(encodeURIComponent(refId))).contents).toMatchObject([{ text: '{"items":[7]}' }])
      expect((await read(encodeURIComponent(`${refId}#/items/0`))).contents).toMatchObject([{ text: '7' }])
      for (const wrong of [
        encodeURIComponent(encodeURIComponent(refId)),
        `${refId}/`,
        `%2e%2e/${refId}x`,
        `${refId}%00`,
        '',
        'x'.repeat(200_000),
        `${refId.slice(0, -1)}${refId.endsWith('0') ? '1' : '0'}`,
      ]) {
        expect(await refusal(read(wrong))).toBeInstanceOf(ResourceNotFoundError)
      }
    })

    it('refuses as polls do', async () => {
      const { cache, client, clock } = await scene({ era, tools: () => {}, cache: { name: 't' } })
      const read = (refId: string) => refusal(client.readResource({ uri: uriOf(refId) }))
      const policy = { agent: Permission.EXECUTE, user: Permission.FULL }
      const hidden = await cache.set('hidden', 'secret', { policy })
      const denied = await read(hidden.refId)
      expect(denied.data).toMatchObject({ error_code: 'permission_denied' })
      expect(denied.message).not.toContain('secret')
      const part = await read(`${hidden.refId}#/not/there`)
      expect(part.message).toBe(denied.message)
      const nobodys = `t:${'0'.repeat(32)}`
      const foreign = await cache.set('bobs', 1, { namespace: 'user:bob' })
      const short = await cache.set('short', 1, { ttl: '1s' })
      await clock.advance(2_000)
      const answers = await Promise.all([nobodys, foreign.refId, short.refId].map(read))
      expect(new Set(answers.map(({ message, code }) => `${code} ${message}`)).size).toBe(1)
      for (const answer of answers) expect(answer).toBeInstanceOf(ResourceNotFoundError)
      const large = await cache.set('large', 'word '.repeat(60_000))
      const tooLarge = await read(large.refId)
      expect(tooLarge.data).toMatchObject({ error_code: 'answer_too_large' })
    })

    it('gives no more than the ceiling, whichever field of a result its client reads', async () => {
      const both = {
        content: [{ type: 'text' as const, text: 'word '.repeat(40_000) }],
        structuredContent: { ok: 1 },
      }
      const { call, client } = await scene({
        era,
        tools: ({ registerTool }) => void registerTool('both', {}, () => both),
        attach: { envelope: 'when-needed', profile: 'claude-code' },
      })
      const { body } = await call('both', { _as_ref: true })
      const tooLarge = await refusal(client.readResource({ uri: uriOf(String(body.ref_id)) }))
      expect(tooLarge.data).toMatchObject({ error_code: 'answer_too_large' })
    })

    it('lists nothing that the program called for itself', async () => {
      const { cache, client, call } = await scene({ era, tools: makes })
      const own = cache.cached({ name: 'load_rates' }, () => [1, 2])
      const { refId } = await own({})
      await cache.query(refId, { search: '1' })
      const mine = await made(call)
      const { resources } = await client.listResources()
      expect(resources.map(({ uri }) => uri)).toEqual([uriOf(mine)])
    })

    it('is not there where the author does without', async () => {
      const { client } = await scene({ era, tools: () => {}, attach: { resources: false } })
      expect(client.getServerCapabilities()?.resources).toBeUndefined()
    })
  })
}

describe('links to resources', () => {
  it('stand in previews for clients that follow them, and cost others nothing', async () => {
    const contentFor = async (profile: string) => {
      const { call, cache, client } = await scene({ tools: () => {}, attach: { profile } })
      const { refId } = await cache.set(
        'list',
        Array.from({ length: 5_000 }, (_, n) => ({ n, text: `row ${n}` })),
      )
      await call('get_cached_result', { ref_id: refId })
      const { content } = await client.callTool({ name: 'get_cached_result', arguments: { ref_id: refId } })
      return { content, refId }
    }
    const { content, refId } = await contentFor('vscode')
    expect(content.at(-1)).toEqual({ type: 'resource_link', uri: uriOf(refId), name: refId })
    expect((await contentFor('default')).content).toHaveLength(1)
  })
})
