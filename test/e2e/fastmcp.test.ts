import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type HttpServer, overFastMcp, startFastMcpServer } from './fixtures/mcp-clients.ts'

/**
 * Who may see what on fastmcp over HTTP. That it answers as every other server does, over stdio and HTTP, is
 * held in mcp-polling.test.ts. The bearer token of a request is the name of its user (fixtures/fastmcp-server.mjs).
 */

type Body = Record<string, unknown> & { ref_id: string }
type Call = (name: string, args?: Record<string, unknown>) => Promise<Body>

const somebody = () => `user-${randomUUID()}`
const notFound = { error: expect.objectContaining({ code: 'not_found' }) }
const UNKNOWN = { ref_id: `files:${'0'.repeat(32)}` }

describe.each([
  ['with sessions', 'http', 'for its session alone', notFound],
  ['stateless', 'stateless', 'for whoever holds the reference', { status: 'complete' }],
] as const)('fastmcp over HTTP, %s', (_, mode, whose, seen) => {
  let server: HttpServer
  beforeAll(async () => {
    server = await startFastMcpServer(mode)
  })
  afterAll(() => server.close())

  async function as(user?: string): Promise<Call> {
    const client = await overFastMcp(server.url, user)
    onTestFinished(() => client.close())
    return async (name, args = {}) => (await client.callTool(name, args)).structuredContent as Body
  }

  it('two users never share a result; each gets the own one again', async () => {
    const [alice, bob] = [await as(somebody()), await as(somebody())]
    const [hers, his] = [await alice('shared'), await bob('shared')]
    expect(hers.ref_id).not.toBe(his.ref_id)
    expect(hers.value).not.toBe(his.value)
    expect(await alice('shared')).toEqual({ ...hers, cached_at: expect.any(String) })
    expect(await bob('shared')).toEqual({ ...his, cached_at: expect.any(String) })
  })

  it('the reference of another looks like none at all, to every polling tool, in flight or finished', async () => {
    const [alice, bob, nobody] = [await as(somebody()), await as(somebody()), await as()]
    const gate = randomUUID()
    const { ref_id } = await alice('handle', { gate })
    const unknown = await bob('get_cached_result', UNKNOWN)
    expect(unknown).toMatchObject(notFound)
    for (const open of [false, true]) {
      if (open) await alice('control', { gate, act: 'open', value: 'hers' })
      for (const other of [bob, nobody]) {
        expect(await other('get_cached_result', { ref_id, wait_seconds: 0 })).toEqual(unknown)
        expect(await other('cancel_task', { ref_id })).toEqual(unknown)
        expect(await other('retry_task', { ref_id })).toEqual(unknown)
      }
    }
    expect(await alice('get_cached_result', { ref_id })).toMatchObject({ status: 'complete', value: 'hers' })
  })

  it('an operator sees what everybody made, without values; a user is told nothing', async () => {
    const [alice, operator, nobody] = [await as(somebody()), await as('operator'), await as()]
    const { ref_id } = await alice('shared')
    const entry = await operator('admin_show_reference', { ref_id })
    expect(entry).toMatchObject({ ref_id, status: 'complete', tool_name: 'shared' })
    expect(entry).not.toHaveProperty('value')
    for (const other of [alice, nobody])
      for (const tool of ['admin_show_reference', 'admin_delete_reference'])
        expect(await other(tool, { ref_id })).toEqual({
          error: { code: 'permission_denied', message: expect.stringContaining('operators') },
        })
    expect(await operator('admin_delete_reference', { ref_id })).toEqual({ ref_id, deleted: true })
    expect(await alice('get_cached_result', { ref_id })).toMatchObject(notFound)
  })

  it('a user keeps the own references on another connection', async () => {
    const alice = somebody()
    const { ref_id, value } = await (await as(alice))('shared')
    expect(await (await as(alice))('get_cached_result', { ref_id })).toMatchObject({ value })
  })

  it('callers without a user share nothing, but each can follow the own reference', async () => {
    const [one, two] = [await as(), await as()]
    const [first, again, second] = [await one('shared'), await one('shared'), await two('shared')]
    expect(new Set([first, again, second].map(({ value }) => value)).size).toBe(3)
    expect(await one('get_cached_result', { ref_id: first.ref_id })).toMatchObject({ value: first.value })
  })

  it('all share what a tool publishes on purpose', async () => {
    const answers = []
    for (const call of [await as(), await as(), await as(somebody())]) answers.push(await call('published'))
    expect(new Set(answers.map(({ ref_id }) => ref_id)).size).toBe(1)
  })

  it('the work knows who had it run', async () => {
    expect(await (await as('alice'))('whoami')).toMatchObject({ value: 'alice' })
    expect(await (await as())('whoami')).toMatchObject({ value: 'nobody' })
  })

  it(`what a caller without a user made is ${whose}`, async () => {
    const { ref_id } = await (await as())('shared')
    expect(await (await as())('get_cached_result', { ref_id })).toMatchObject(seen)
    expect(await (await as(somebody()))('get_cached_result', { ref_id })).toMatchObject(notFound)
  })
})
