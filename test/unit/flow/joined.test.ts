import { afterEach, describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { Permission } from '../../../src/access/permission.ts'
import type { SetOptions } from '../../../src/flow/call/set.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { scene } from './scene.ts'

const caches: RefCache[] = []
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

const ada = actor.user({ id: 'ada' })
const bob = actor.user({ id: 'bob' })
const minutes = (count: number) => count * 60_000

/** Orders, and users that stand beside them. */
async function stored(orders: SetOptions, users: SetOptions) {
  const all = scene()
  caches.push(all.cache)
  const set = (label: string, value: object[], options: SetOptions) =>
    all.cache.set(label, value, options).then(({ refId }) => refId)
  return {
    ...all,
    orders: await set('orders', [{ user_id: 1, total: 20 }], orders),
    users: await set('users', [{ id: 1, name: 'Ada' }], users),
  }
}

/** What is made of both, by a question and by an edit. */
const ways: Record<string, (cache: RefCache, orders: string, users: string) => Promise<string>> = {
  'a question': async (cache, orders, users) => {
    const sql = 'select u.name, o.total from items o join users u on u.id = o.user_id'
    return (await cache.query(orders, { sql, tables: { users }, actor: ada })).refId
  },
  'an edit': async (cache, orders, users) =>
    (await cache.edit(orders, [{ op: 'add', path: '/0/user', value: users }], { actor: ada })).refId,
}

describe.each(Object.entries(ways))('%s about several values', (_, make) => {
  it.each<[string, SetOptions, SetOptions, number | undefined]>([
    ['the shorter of two', { ttl: '1h' }, { ttl: '10m' }, minutes(10)],
    ['the shorter of two, the other way round', { ttl: '10m' }, { ttl: '1h' }, minutes(10)],
    ['the one that has an end', { ttl: null }, { ttl: '10m' }, minutes(10)],
    ['for ever', { ttl: null }, { ttl: null }, undefined],
    ['of a value that reading renews', { ttl: '10m', ttlMode: 'sliding' }, { ttl: '1h' }, minutes(10)],
  ])(
    'is kept as long as that was to be kept which goes first: %s',
    async (_case, orders, users, expected) => {
      const made = await stored(orders, users)
      await made.clock.advance('5m')
      const refId = await make(made.cache, made.orders, made.users)
      const { expiresAt, createdAt } = (await made.cache.inspect(refId)) ?? {}
      const kept = expiresAt && createdAt && expiresAt.getTime() - createdAt.getTime()
      if (expected === undefined) expect(kept).toBeUndefined()
      else expect(kept).toBe(expected)
      // A renewal by its readers must not outlive a source that nothing renews.
      if (expected === undefined) return
      await made.clock.advance(minutes(9))
      await made.cache.get(refId)
      await made.clock.advance(minutes(2))
      expect(await made.cache.exists(refId)).toBe(false)
    },
  )

  it('is for who may READ all of them, in all of their namespaces', async () => {
    const everybody = { user: Permission.FULL, agent: Permission.FULL }
    const policies: Array<[SetOptions, SetOptions]> = [
      [{ policy: everybody }, { policy: { owner: 'user:ada', user: Permission.NONE } }],
      [{ policy: everybody }, { policy: everybody, namespace: 'user:ada' }],
      [{ policy: everybody, namespace: 'user:ada' }, { policy: everybody }],
    ]
    for (const [orders, users] of policies) {
      const made = await stored(orders, users)
      const refId = await make(made.cache, made.orders, made.users)
      expect(await made.cache.get(refId, { actor: ada })).toMatchObject({ status: 'complete' })
      await expect(made.cache.get(refId, { actor: bob })).rejects.toMatchObject({ code: 'not_found' })
      // What is made of that is no way around it.
      const more = await made.cache.query(refId, { search: 'Ada', actor: ada })
      await expect(made.cache.get(more.refId, { actor: bob })).rejects.toMatchObject({ code: 'not_found' })
    }
  })

  it.each(['deleted', 'expired'])('keeps its guards when a source was %s', async how => {
    const made = await stored(
      { ttl: '1h' },
      { ttl: '1h', policy: { owner: 'user:ada', user: Permission.NONE } },
    )
    await made.clock.advance('50m')
    const refId = await make(made.cache, made.orders, made.users)
    if (how === 'deleted') await made.cache.delete(made.users)
    else await made.clock.advance('11m')
    expect(await made.cache.exists(made.users)).toBe(false)
    await expect(made.cache.get(refId, { actor: bob })).rejects.toMatchObject({ code: 'not_found' })
    await expect(made.cache.query(refId, { search: 'Ada', actor: bob })).rejects.toMatchObject({
      code: 'not_found',
    })
    expect(await made.cache.get(refId, { actor: ada })).toMatchObject({ status: 'complete' })
    await expect(make(made.cache, made.orders, made.users)).rejects.toMatchObject({ code: 'not_found' })
  })
})

it('a question about a task in flight is kept as long as the result of that', async () => {
  const { cache, clock } = scene({ defaultTtl: '1h' })
  caches.push(cache)
  const slow = cache.cached({ name: 'slow', asyncTimeout: 0, ttl: '10m' }, async (_: object, task) => {
    await task.append(['a'])
    await new Promise(() => {})
  })
  const { refId } = await slow({})
  await clock.advance('1s')
  const { refId: answer } = await cache.query(refId, { search: 'a' })
  const { expiresAt, createdAt } = (await cache.inspect(answer)) ?? {}
  expect((expiresAt?.getTime() ?? 0) - (createdAt?.getTime() ?? 0)).toBe(minutes(10))
})

it('a question that is cancelled and tried again is kept no longer than what was asked', async () => {
  const { cache } = scene({ defaultTtl: '10h' })
  caches.push(cache)
  const { refId } = await cache.set('rows', ['a', 'b'], { ttl: '10m' })
  const asked = await cache.query(refId, { search: 'a', wait: 0, actor: ada })
  await cache.cancelTask(asked.refId, { actor: ada })
  const retried = await cache.retryTask(asked.refId, { actor: ada })
  expect(retried.status).not.toBe('complete')
  expect(await cache.get(retried.refId, { actor: ada, wait: '5s' })).toMatchObject({ status: 'complete' })
  const { expiresAt, createdAt } = (await cache.inspect(retried.refId)) ?? {}
  expect((expiresAt?.getTime() ?? 0) - (createdAt?.getTime() ?? 0)).toBe(minutes(10))
})

it('copies of a value that a reader has kept longer do not add up to more than the operator allows', async () => {
  const { cache, clock } = scene({ maxTtl: '20m' })
  caches.push(cache)
  let { refId } = await cache.set('rows', ['a'], { ttl: '10m' })
  for (let copies = 0; copies < 3; copies++) {
    await clock.advance('9m')
    await cache.get(refId, { keep: '20m' })
    refId = (await cache.edit(refId, [{ op: 'add', path: '/-', value: 'b' }])).refId
    const { expiresAt } = (await cache.inspect(refId)) ?? {}
    expect(expiresAt?.getTime()).toBe(clock.now() + minutes(20))
  }
})

it('what a search looks for may look like a reference', async () => {
  const { cache } = scene()
  caches.push(cache)
  const line = `seen t:${'0'.repeat(32)} and z:${'1'.repeat(32)}`
  const { refId } = await cache.set('log', `${line}\nnothing`)
  for (const search of [`t:${'0'.repeat(32)}`, `z:${'1'.repeat(32)}`]) {
    expect(await cache.query(refId, { search })).toMatchObject({ value: { matched: 1 } })
  }
})
