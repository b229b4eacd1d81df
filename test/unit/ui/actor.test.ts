import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { Permission } from '../../../src/access/permission.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { uiHandler } from '../../../src/ui/index.ts'
import { scene, storeWith } from '../flow/scene.ts'
import { type Ask, actorsLook, jsonOf, post, request, slowTool } from './looking.ts'

const ADA = actor.user('ada')
const BOB = actor.user('bob')
const SECRET = 'hunter2'

/** `ada`, `bob` and `agent` have signed in; nobody else has. */
function looking(options: Parameters<typeof actorsLook>[1] = {}) {
  const known = { ada: ADA, bob: BOB, agent: actor.agent('agent') } as const
  return actorsLook(({ headers }) => known[(headers.get('who') ?? '') as keyof typeof known], options)
}

const refsIn = async (ask: Ask, route = 'api/entries') =>
  (await jsonOf(ask(route))).entries.map(({ ref }: { ref: string }) => ref)

describe('an actor at the page', () => {
  it('has to be signed in', async () => {
    const { as } = looking()
    for (const path of ['', 'page.js', 'api/overview', 'api/events', 'api/entry?ref=x']) {
      const response = await as('nobody')(path)
      expect(response.status).toBe(401)
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    }
    const { cache } = scene()
    expect(() => uiHandler(cache, {} as never)).toThrow(/`actor` says who looks/)
    // The program itself makes no requests.
    const wrong = await uiHandler(cache, { actor: () => actor.system() })(request('api/overview'))
    expect(wrong.status).toBe(400)
    const failing = uiHandler(cache, { actor: () => Promise.reject(new Error(SECRET)) })
    const failed = await failing(request('api/overview'))
    expect([failed.status, await failed.text()]).toEqual([500, expect.not.stringContaining(SECRET)])
  })

  it('is nobody where the program says null, and who it was when it was checked, whatever the object says later', async () => {
    const { cache } = scene()
    await cache.set('secret', [SECRET])
    const nobody = uiHandler(cache, { actor: () => null as never })
    expect((await nobody(request('api/overview'))).status).toBe(401)
    let reads = 0
    const turning = {
      get type() {
        return reads++ < 3 ? 'user' : 'system'
      },
      id: 'eve',
    } as typeof ADA
    const answer = await uiHandler(cache, { actor: () => turning })(request('api/entries'))
    expect(await answer.text()).not.toContain('secret')
    // One object for all requests is changed while the first one is answered.
    const shared = { type: 'user' as const, id: 'eve' }
    await cache.set('of ada', SECRET, { actor: ADA })
    const asked = uiHandler(cache, { actor: () => shared })(request('api/entries'))
    await Promise.resolve()
    shared.id = 'ada'
    expect(await (await asked).text()).toBe('{"entries":[]}')
  })

  it('sees in lists and counts what it had made itself, and nothing of others', async () => {
    const { cache, as } = looking()
    const own = await cache.set('own', [1, 2], { actor: ADA })
    await cache.set('program', 'much of the program')
    const work = cache.cached({ name: 'work', memoize: false }, () => 'x'.repeat(100))
    const made = await work({}, { actor: ADA })
    await work({}, { actor: BOB })
    expect(new Set(await refsIn(as('ada')))).toEqual(new Set([own.refId, made.refId]))
    expect(await refsIn(as('agent'))).toEqual([])
    expect(await jsonOf(as('ada')('api/overview'))).toMatchObject({
      sight: 'actor',
      running: 0,
      stored: 2,
      storedBytes: 5 + 102,
      caches: ['t'],
      tools: ['work'],
    })
    expect(await jsonOf(as('agent')('api/overview'))).toMatchObject({ stored: 0, storedBytes: 0, tools: [] })
    expect(await jsonOf(as('ada')('api/overview'))).not.toHaveProperty('tokens')
    const { runs, savings } = await jsonOf(as('ada')('api/history'))
    expect([runs.length, savings]).toEqual([1, []])
  })

  it('is told of a reference that it may not know of what it is told of none', async () => {
    const { cache, as } = looking()
    const { refId: ref } = await cache.set('hidden', SECRET, { namespace: 'user:bob' })
    const missing = `t:${'0'.repeat(32)}`
    const ask = as('ada')
    for (const of of [
      (it: string) => ask(`api/entry?ref=${it}`),
      (it: string) => ask(`api/value?ref=${it}`),
      (it: string) => ask(`api/value?ref=${encodeURIComponent(`${it}#/a`)}`),
      (it: string) => ask(`api/sizes?ref=${it}`),
      (it: string) => ask('api/query', post({ ref: it, search: 'x' })),
      (it: string) => ask('api/cancel', post({ ref: it })),
      (it: string) => ask('api/retry', post({ ref: it })),
      (it: string) => ask('api/delete', post({ ref: it })),
      (it: string) => ask('api/answer', post({ ref: it, answers: {} })),
    ]) {
      const [one, other] = [await of(ref), await of(missing)]
      expect(one.status).toBe(other.status)
      expect(await one.text()).toBe(await other.text())
    }
    expect(await cache.exists(ref, { actor: BOB })).toBe(true)
  })

  it('sees of what it may use but not see that it is there, and none of what it is', async () => {
    const { cache, as } = looking()
    const { refId } = await cache.set(SECRET, [{ salary: SECRET }], { policy: AccessPolicy.executeOnly })
    const ask = as('agent')
    const detail = await jsonOf(ask(`api/entry?ref=${refId}`))
    expect(detail).toEqual({
      row: expect.objectContaining({ ref: refId, status: 'complete', may: [] }),
      uses: [],
      usedBy: [],
    })
    expect(JSON.stringify(detail)).not.toContain(SECRET)
    expect(detail.row).not.toHaveProperty('bytes')
    expect(await jsonOf(ask(`api/sizes?ref=${refId}`))).toEqual({ sizes: [] })
    expect((await ask(`api/value?ref=${refId}`)).status).toBe(403)
    expect(await jsonOf(ask(`api/value?ref=${refId}`))).toMatchObject({ code: 'permission_denied' })
    expect((await ask('api/query', post({ ref: refId, sql: 'select 1' }))).status).toBe(403)
    expect((await ask('api/delete', post({ ref: refId }))).status).toBe(403)
  })

  it('sees links between what it had made, and not what others made of it or of what', async () => {
    const { cache, as } = looking()
    const join = cache.cached(
      { name: 'join', memoize: false },
      ({ list }: { list: unknown[] }) => list.length,
    )
    const shared = await cache.set('shared', [1, 2, 3], { actor: ADA })
    const list = shared.refId as never
    const own = await join({ list }, { actor: ADA })
    const foreign = await join({ list }, { actor: BOB })
    const { usedBy } = await jsonOf(as('ada')(`api/entry?ref=${shared.refId}`))
    expect(usedBy).toEqual([{ ref: own.refId, tool: 'join', status: 'complete', how: 'input' }])
    // Whoever has the reference of a result is not given the reference of its input.
    expect((await jsonOf(as('agent')(`api/entry?ref=${foreign.refId}`))).uses).toEqual([])
    expect((await jsonOf(as('bob')(`api/entry?ref=${foreign.refId}`))).uses).toEqual([
      expect.objectContaining({ ref: shared.refId }),
    ])
  })

  it('is told how many it has, also where these are many', async () => {
    const { cache, as } = looking()
    for (let n = 0; n < 2_100; n++) await cache.set('own', n, { actor: ADA })
    expect((await jsonOf(as('ada')('api/overview'))).stored).toBe(2_100)
  })

  it('has what it had made looked through once while its page is open', async () => {
    let begun = 0
    const inner = memoryStore()
    const changes: Store['changes'] = (name, cursor, limit) => {
      if (cursor === undefined) begun++
      return inner.changes(name, cursor, limit)
    }
    const { clock, as } = looking({ store: storeWith(inner, { changes }) })
    const events = await as('ada')('api/events')
    await clock.advance('61s')
    await as('bob')('api/overview')
    expect(begun).toBe(2)
    await as('ada')('api/overview')
    expect(begun).toBe(2)
    await events.body?.cancel()
    await clock.advance('61s')
    await as('bob')('api/overview')
    await as('ada')('api/overview')
    expect(begun).toBe(3)
  })

  it('is told in lists how many of its own entries were made of one, and finds by no word that it may not read', async () => {
    const { cache, as } = looking()
    const policy = { user: Permission.WRITE | Permission.EXECUTE }
    const hidden = await cache.set(SECRET, [1, 2, 3], { actor: BOB, policy })
    const shared = await cache.set('shared', [1, 2, 3], { actor: ADA })
    const join = cache.cached(
      { name: 'join', memoize: false },
      ({ list }: { list: unknown[] }) => list.length,
    )
    for (const who of [ADA, BOB, BOB]) await join({ list: shared.refId as never }, { actor: who })
    const rows = (await jsonOf(as('ada')('api/entries?find=share'))).entries
    expect(rows).toEqual([expect.objectContaining({ ref: shared.refId, usedBy: 1 })])
    expect(await refsIn(as('bob'), 'api/entries?find=share')).toEqual([])
    expect(await refsIn(as('bob'))).toContain(hidden.refId)
    expect(await refsIn(as('bob'), `api/entries?find=${SECRET}`)).toEqual([])
    expect(await refsIn(as('bob'), `api/entries?find=${hidden.refId.slice(5, 25)}`)).toEqual([hidden.refId])
  })

  it('steers its own task, and nobody else’s', async () => {
    const { cache, clock, as } = looking()
    const slow = slowTool(cache)
    const { refId: ref } = await slow.call({}, { actor: actor.agent('agent') })
    await clock.advance(0)
    const other = await as('bob')('api/cancel', post({ ref }))
    // A user may do everything in `public`, by its default policy.
    expect(other.status).toBe(200)
    const mine = await slow.call({}, { actor: ADA })
    expect((await as('agent')('api/cancel', post({ ref: mine.refId }))).status).toBe(403)
    const { row } = await jsonOf(as('agent')(`api/entry?ref=${mine.refId}`))
    expect(row.may).toEqual([])
    const done = await jsonOf(as('ada')('api/cancel', post({ ref: mine.refId })))
    expect(done).toMatchObject({ message: 'Cancelled.', row: { status: 'cancelled' } })
  })

  it('finds what is its own among a great deal of others, page by page', async () => {
    const { cache, clock, as } = looking()
    const first = await cache.set('first', 1, { actor: ADA })
    await clock.advance(1)
    for (let n = 0; n < 2_100; n++) await cache.set('other', n, { actor: BOB })
    await clock.advance(1)
    const last = await cache.set('last', 1, { actor: ADA })
    const page = await jsonOf(as('ada')('api/entries?limit=10'))
    expect(page.entries.map(({ ref }: { ref: string }) => ref)).toEqual([last.refId])
    expect(await refsIn(as('ada'), `api/entries?cursor=${page.nextCursor}`)).toEqual([first.refId])
  })

  it('leaves each decision in the audit', async () => {
    const actions: string[] = []
    const audit = { write: (event: { action: string; verdict: string }) => actions.push(event.action) }
    const { cache, as } = looking({ audit })
    const { refId: ref } = await cache.set('own', [1], { actor: ADA })
    actions.length = 0
    // What a value is like shows some of it.
    await as('ada')(`api/entry?ref=${ref}`)
    expect(actions).toContain('get')
    await as('ada')(`api/value?ref=${ref}`)
    await as('ada')('api/query', post({ ref, search: '1' }))
    await as('ada')('api/delete', post({ ref }))
    expect(actions).toEqual(expect.arrayContaining(['get', 'query', 'delete']))
  })
})
