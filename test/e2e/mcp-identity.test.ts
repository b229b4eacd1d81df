import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type HttpServer, overHttp, startHttpServer } from './fixtures/mcp-clients.ts'

/** The bearer token of a request is the name of its user (fixtures/mcp-http-server.mjs). */

type Body = Record<string, unknown> & { ref_id: string }

let http: HttpServer
beforeAll(async () => {
  http = await startHttpServer()
})
afterAll(() => http.close())

describe.each([
  ['2026-07-28', 'auto'],
  ['2025-11-25', 'legacy'],
] as const)('over HTTP, on protocol revision %s', (_, mode) => {
  async function as(user?: string) {
    const client = await overHttp(http.url, mode, user)
    onTestFinished(() => client.close())
    return async (name: string, args: Record<string, unknown> = {}) =>
      (await client.callTool(name, args)).structuredContent as Body
  }
  const somebody = () => `user-${randomUUID()}`
  const notFound = { error: expect.objectContaining({ code: 'not_found' }) }

  it('two users never share a result; each gets the own one again', async () => {
    const [alice, bob] = [await as(somebody()), await as(somebody())]
    const [hers, his] = [await alice('shared'), await bob('shared')]
    expect(hers.ref_id).not.toBe(his.ref_id)
    expect(hers.value).not.toBe(his.value)
    expect(await alice('shared')).toEqual({ ...hers, cached_at: expect.any(String) })
    expect(await bob('shared')).toEqual({ ...his, cached_at: expect.any(String) })
  })

  it('the reference of another user looks like none at all, to polls and to cancels, in flight or finished', async () => {
    const [alice, bob, anonymous] = [await as(somebody()), await as(somebody()), await as()]
    const gate = randomUUID()
    const { ref_id } = await alice('handle', { gate })
    const unknown = await bob('get_cached_result', { ref_id: `files:${'0'.repeat(32)}` })
    expect(unknown).toMatchObject(notFound)
    for (const open of [false, true]) {
      if (open) await alice('control', { gate, act: 'open', value: 'hers' })
      for (const other of [bob, anonymous]) {
        expect(await other('get_cached_result', { ref_id, wait_seconds: 0 })).toEqual(unknown)
        expect(await other('cancel_task', { ref_id })).toEqual(unknown)
      }
    }
    expect(await alice('get_cached_result', { ref_id })).toMatchObject({ status: 'complete', value: 'hers' })
  })

  it('a user keeps the own references on another connection', async () => {
    const alice = somebody()
    const { ref_id, value } = await (await as(alice))('shared')
    expect(await (await as(alice))('get_cached_result', { ref_id })).toMatchObject({ value })
  })

  it('callers without a token share nothing, but each can follow the own reference', async () => {
    const [one, two] = [await as(), await as()]
    const [first, second] = [await one('shared'), await two('shared')]
    expect(first.ref_id).not.toBe(second.ref_id)
    expect(first.value).not.toBe(second.value)
    expect(await one('get_cached_result', { ref_id: first.ref_id })).toMatchObject({ value: first.value })
  })

  it('all share what a tool publishes on purpose', async () => {
    const callers = [await as(), await as(), await as(somebody())]
    const answers = await Promise.all(callers.map(call => call('published')))
    expect(new Set(answers.map(({ ref_id }) => ref_id)).size).toBe(1)
  })
})
