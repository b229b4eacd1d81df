import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { Permission } from '../../../src/access/permission.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { JsonValue } from '../../../src/core/json.ts'
import type { CallResponse } from '../../../src/core/response.ts'
import type { ToolOptions } from '../../../src/core/tool-options.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { ADAPTERS } from '../../../src/ref-cache-adapters.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred, storeWith } from './scene.ts'

const caches: RefCache[] = []
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

const ada = actor.user({ id: 'ada' })
const bob = actor.agent({ id: 'bob' })

/** Two processes on one store, and a task in the first of them whose handler does what the test says. */
async function growing(options: Partial<ToolOptions> = {}, store: Store = memoryStore()) {
  const clock = new FakeClock()
  const open = (own = store) => {
    const cache = new RefCache({ name: 't', clock, store: own, audit: undefined })
    caches.push(cache)
    return cache
  }
  const cache = open()
  let given = deferred<TaskContext>()
  let gate = deferred()
  const tool = cache.cached<Record<string, never>, unknown>(
    { asyncTimeout: 0, maxRetries: 0, ...options, name: 'crawl' } as ToolOptions<Record<string, never>>,
    (_, task) => {
      given.resolve(task)
      return gate.promise
    },
  )
  const { refId } = await tool({}, { actor: ada })
  const again = () => {
    given = deferred()
    gate = deferred()
  }
  /** Appends, and lets the entry tell of it. */
  const append = async (items: JsonValue[] | string) => {
    await (await given.promise).append(items as never)
    await clock.advance('1s')
  }
  const fail = async (reason = new Error('down')) => {
    gate.reject(reason)
    await clock.advance(0)
  }
  const end = async (value?: JsonValue) => {
    gate.resolve(value)
    await clock.advance(0)
  }
  return { clock, store, cache, elsewhere: open(), open, refId, append, fail, end, again }
}

function answered(answer: CallResponse): unknown {
  return answer.status === 'complete' ? answer.value : answer
}

async function exported(cache: RefCache, ref: string, format: 'json' | 'csv' | 'original' = 'json') {
  const { content, ...about } = await cache[ADAPTERS].openExport(ref, { format })
  let text = ''
  for await (const chunk of content) text += chunk.toString()
  return { text, about }
}

const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-growing-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const stores: Record<string, () => Store> = {
  memory: () => memoryStore(),
  sqlite: () => sqliteStore(join(folder, `${files++}.db`)),
}

describe.each(Object.keys(stores))('a value that grows, on %s', name => {
  it('can be searched while it grows: the same amount is a hit, more is another question', async () => {
    const { elsewhere, refId, append, end } = await growing({}, (stores[name] as () => Store)())
    await append([
      { id: 1, of: 'x' },
      { id: 2, of: 'y' },
    ])
    const first = await elsewhere.query(refId, { search: 'id' })
    expect(first).toMatchObject({ value: { matched: 2, items: 2 }, isGrowing: true, available: 2 })
    const same = await elsewhere.query(refId, { search: 'id' })
    expect(same).toMatchObject({ refId: first.refId, isGrowing: true, available: 2 })
    await append([{ id: 3, of: 'z' }])
    const more = await elsewhere.query(refId, { search: 'id' })
    expect(more).toMatchObject({ value: { matched: 3, items: 3 }, isGrowing: true, available: 3 })
    expect(more.refId).not.toBe(first.refId)
    // The answer is what it was.
    expect(await elsewhere.get(first.refId)).toMatchObject({
      value: { matched: 2 },
      isGrowing: true,
      available: 2,
    })
    await end()
    const whole = await elsewhere.query(refId, { search: 'id' })
    expect(whole).toMatchObject({ value: { matched: 3 } })
    expect(whole).not.toHaveProperty('isGrowing')
    expect(whole).not.toHaveProperty('available')
    expect(whole.refId).not.toBe(more.refId)
  })
})

describe('a value that grows', () => {
  it('can be asked in SQL, alone and beside others, and so can a part of it', async () => {
    const { cache, refId, append } = await growing()
    const names = await cache.set('names', [
      { id: 1, name: 'one' },
      { id: 2, name: 'two' },
    ])
    await append([
      { id: 1, tags: ['a'] },
      { id: 2, tags: ['b', 'c'] },
    ])
    const count = { sql: 'select count(*) n from items' }
    expect(await cache.query(refId, count)).toMatchObject({
      value: [{ n: 2 }],
      isGrowing: true,
      available: 2,
    })
    expect(await cache.query(`${refId}#/1/tags`, count)).toMatchObject({ value: [{ n: 2 }], isGrowing: true })
    const joined = {
      sql: 'select n.name from items i join names n on n.id = i.id order by 1',
      tables: { names: names.refId },
    }
    expect(await cache.query(refId, joined)).toMatchObject({
      value: [{ name: 'one' }, { name: 'two' }],
      isGrowing: true,
    })
    await append([{ id: 1, tags: [] }])
    expect(answered(await cache.query(refId, count))).toEqual([{ n: 3 }])
    const beside = await cache.query(names.refId, {
      sql: 'select count(*) n from crawl',
      tables: { crawl: refId },
    })
    expect(beside).toMatchObject({ value: [{ n: 3 }], isGrowing: true })
    expect(beside).not.toHaveProperty('available')
  })

  it('can be exported and resolved as far as it is there', async () => {
    const { elsewhere, refId, append } = await growing()
    await append('one\ntwo\n')
    const { text, about } = await exported(elsewhere, refId, 'original')
    expect(text).toBe('one\ntwo\n')
    expect(about).toMatchObject({ isGrowing: true, available: 2 })
    expect(await elsewhere.resolve(`${refId}#L2`, { partial: true })).toBe('two')
    await expect(elsewhere.resolve(refId)).rejects.toMatchObject({ code: 'task_not_ready' })
  })

  it('is waited for where nothing of it is there yet', async () => {
    const { elsewhere, clock, refId, append, end } = await growing()
    const answer = elsewhere.query(refId, { search: 'a', wait: '1h' })
    await clock.advance('1s')
    await append(['a'])
    await end()
    await clock.advance('10s')
    expect(await answer).toMatchObject({ status: 'complete', value: { matched: 1 } })
    expect(await answer).not.toHaveProperty('isGrowing')
  })

  it('is asked as it was when the question came, however late that is answered', async () => {
    const { store, open, clock, refId, append, end } = await growing()
    await append(Array.from({ length: 3_000 }, (_, id) => ({ id, note: 'n'.repeat(60) })))
    // The question waits for its turn behind others.
    const held = deferred<void>()
    let isHeld = true
    const slow = open(
      storeWith(store, {
        read: async (refId_, payload) => {
          if (refId_ === refId && payload === 'index' && isHeld) await held.promise
          return store.read(refId_, payload)
        },
      }),
    )
    const answer = slow.query(refId, { search: '"id":2999' })
    await clock.advance('1s')
    await append([{ id: 'later' }])
    await end([{ id: 'last' }])
    isHeld = false
    held.resolve()
    expect(await answer).toMatchObject({ value: { matched: 1, items: 3_000 }, available: 3_000 })
  })
})

describe.each(Object.keys(stores))('what is left of a task, on %s', name => {
  it.each(['failed', 'cancelled'])(
    'that %s can be asked, searched, exported, and passed by part',
    async how => {
      const { cache, elsewhere, refId, append, fail } = await growing()
      await append([{ id: 1 }, { id: 2 }])
      if (how === 'failed') await fail()
      else await cache.cancelTask(refId, { actor: ada })
      expect(await elsewhere.query(refId, { search: '2' })).toMatchObject({
        value: { matched: 1, items: 2 },
        partial: true,
        available: 2,
      })
      expect(await elsewhere.query(refId, { sql: 'select max(id) n from items' })).toMatchObject({
        value: [{ n: 2 }],
        partial: true,
      })
      const { text, about } = await exported(elsewhere, refId, 'csv')
      expect(text).toBe('id\r\n1\r\n2\r\n')
      expect(about).toMatchObject({ partial: true, available: 2 })
      const echo = elsewhere.cached({ name: 'echo' }, async ({ of }: { of: JsonValue }) => of)
      expect(await echo.value({ of: `${refId}#/1` })).toEqual({ id: 2 })
      await expect(echo.value({ of: refId })).rejects.toMatchObject({ code: `task_${how}` })
      await expect(echo.value({ of: [refId, `${refId}#/1`] })).rejects.toMatchObject({ code: `task_${how}` })
      const plan = await cache.set('plan', { chosen: null })
      const copy = await cache.edit(plan.refId, [{ op: 'replace', path: '/chosen', value: `${refId}#/0` }])
      expect(await cache.resolve(copy.refId)).toEqual({ chosen: { id: 1 } })
      await expect(
        cache.edit(plan.refId, [{ op: 'replace', path: '/chosen', value: refId }]),
      ).rejects.toMatchObject({ code: `task_${how}` })
    },
  )

  it('that had nothing cannot', async () => {
    const { elsewhere, refId, fail } = await growing()
    await fail()
    await expect(elsewhere.query(refId, { search: 'a' })).rejects.toMatchObject({ code: 'task_failed' })
    await expect(exported(elsewhere, refId)).rejects.toMatchObject({ code: 'task_failed' })
  })

  it('is never answered for by what a retry makes, nor the other way round', async () => {
    const store = (stores[name] as () => Store)()
    const { cache, elsewhere, clock, refId, append, fail, end, again } = await growing({}, store)
    const echo = cache.cached({ name: 'echo' }, async ({ of }: { of: JsonValue }) => of)
    await append([{ of: 'first' }])
    await fail()
    const left = await elsewhere.query(refId, { search: 'of' })
    expect(left).toMatchObject({ value: { matches: ['/0: {"of":"first"}'] }, partial: true })
    expect(await echo.value({ of: `${refId}#/0/of` })).toBe('first')
    again()
    await cache.retryTask(refId, { actor: ada })
    await clock.advance('1s')
    // Until the second attempt appends something itself, the value is the first one's.
    expect(await elsewhere.query(refId, { search: 'of' })).toMatchObject({
      value: { matches: ['/0: {"of":"first"}'] },
      isGrowing: true,
    })
    await append([{ of: 'second' }])
    expect(await elsewhere.query(refId, { search: 'of' })).toMatchObject({
      value: { matches: ['/0: {"of":"second"}'] },
    })
    await end()
    expect(await elsewhere.query(refId, { search: 'of' })).toMatchObject({
      value: { matches: ['/0: {"of":"second"}'] },
    })
    // A call with a part of what is left is not memoized: it must not outlive that.
    expect(await echo.value({ of: `${refId}#/0/of` })).toBe('second')
    expect(await elsewhere.get(left.refId)).toMatchObject({ partial: true, value: { matched: 1 } })
  })
})

describe('what is left of a task', () => {
  it('is asked anew where the retry comes between the question and its answer', async () => {
    const { store, open, clock, cache, refId, append, fail, again } = await growing()
    await append([{ of: 'first' }])
    await fail()
    const held = deferred<void>()
    let reads = 0
    const slow = open(
      storeWith(store, {
        // The question reads the entry thrice: to find it, to accept it, and to answer.
        get: async id => {
          if (id === refId && ++reads === 3) await held.promise
          return store.get(id)
        },
      }),
    )
    const answer = slow.query(refId, { search: 'of' })
    await clock.advance('1s')
    again()
    await cache.retryTask(refId, { actor: ada })
    await append([{ of: 'second' }])
    held.resolve()
    await clock.advance('1s')
    expect(await answer).toMatchObject({ value: { matches: ['/0: {"of":"second"}'] }, isGrowing: true })
  })
})

describe('who may not READ', () => {
  it('learns nothing of a value that grows, or of what is left of one', async () => {
    const { elsewhere, refId, append, fail } = await growing({ policy: AccessPolicy.executeOnly })
    const echo = elsewhere.cached({ name: 'echo' }, async ({ of }: { of: JsonValue }) => of)
    const tries = async () => {
      const outcomes: unknown[] = []
      for (const run of [
        () => elsewhere.query(refId, { search: 'secret', actor: bob }),
        () => elsewhere.query(refId, { sql: 'select * from items', actor: bob }),
        () => elsewhere.query(`${refId}#/0`, { search: 'secret', actor: bob }),
        () => elsewhere[ADAPTERS].openExport(refId, { format: 'json', actor: bob }),
        () => elsewhere[ADAPTERS].openExport(`${refId}#/7`, { format: 'original', actor: bob }),
        () => elsewhere.resolve(refId, { partial: true, actor: bob }),
      ])
        outcomes.push(
          await run().then(
            () => 'answered',
            ({ code, message }) => ({ code, message }),
          ),
        )
      return outcomes
    }
    const before = await tries()
    for (const outcome of before) expect(outcome).toMatchObject({ code: 'permission_denied' })
    await append(['secret'])
    expect(await tries()).toEqual(before)
    await fail(new Error('secret'))
    expect(await tries()).toEqual(before)
    for (const of of [`${refId}#/0`, `${refId}#/7`, refId]) {
      const refused = await echo({ of }, { actor: bob }).catch(error => error)
      expect(refused).toMatchObject({ code: 'task_failed' })
      expect(String(refused)).not.toContain('secret')
    }
    const plan = await elsewhere.set('plan', { a: 1 })
    const edit = elsewhere.edit(plan.refId, [{ op: 'add', path: '/b', value: `${refId}#/0` }], { actor: bob })
    await expect(edit).rejects.toMatchObject({ code: 'task_failed' })
  })

  it('gets no answer to the question of somebody who may', async () => {
    const { elsewhere, refId, append } = await growing({
      policy: { owner: 'user:ada', user: Permission.NONE, agent: Permission.EXECUTE },
    })
    await append(['secret'])
    const hers = await elsewhere.query(refId, { search: 'secret', actor: ada })
    expect(hers).toMatchObject({ value: { matched: 1 } })
    for (const run of [
      () => elsewhere.query(refId, { search: 'secret', actor: bob }),
      () => elsewhere.get(hers.refId, { actor: bob }),
      () => elsewhere.query(hers.refId, { search: 'secret', actor: bob }),
    ])
      await expect(run()).rejects.toMatchObject({ code: 'permission_denied' })
  })
})
