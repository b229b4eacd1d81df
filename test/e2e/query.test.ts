import { afterAll, describe, expect, it } from 'vitest'
import { actor, type CallResponse, Permission, RefCache } from '../../dist/index.js'

const caches: RefCache[] = []
const make = (options = {}) => {
  const cache = new RefCache({ name: 'files', ...options })
  caches.push(cache)
  return cache
}

afterAll(async () => {
  await Promise.all(caches.map(cache => cache.close()))
})

const logs = Array.from({ length: 3_000 }, (_, at) => ({
  ts: new Date(at * 1_000).toISOString(),
  level: at % 100 === 0 ? 'error' : 'info',
  ms: at,
  user: at % 3 === 0 ? { id: at, name: `n${at}` } : null,
}))

/** The rows of an answer that is whole. */
function rowsOf(response: CallResponse): unknown {
  expect(response.status).toBe('complete')
  return response.status === 'complete' ? response.value : undefined
}

describe('cache.query', { timeout: 60_000 }, () => {
  it('asks a value in SQL; the answer is an entry that can be asked itself; the same question is a hit', async () => {
    const cache = make()
    const { refId } = await cache.set('logs', logs)
    const sql = 'select level, count(*) n from items group by 1 order by 1'
    const answer = await cache.query(refId, { sql })
    expect(rowsOf(answer)).toEqual([
      { level: 'error', n: 30 },
      { level: 'info', n: 2_970 },
    ])
    expect(answer.refId).not.toBe(refId)
    const again = await cache.query(answer.refId, { sql: 'select sum(n) n from items' })
    expect(rowsOf(again)).toEqual([{ n: 3_000 }])
    expect((await cache.query(refId, { sql })).refId).toBe(answer.refId)
    expect(await cache.resolve(answer.refId)).toHaveLength(2)
  })

  it('answers an empty result with how many rows there were, a hit too', async () => {
    const cache = make()
    const { refId } = await cache.set('logs', logs)
    for (let time = 0; time < 2; time++) {
      const answer = await cache.query(refId, { sql: "select * from items where level = 'fatal'" })
      expect(answer).toMatchObject({ value: [], message: expect.stringContaining('items has 3000 rows') })
    }
  })

  it('asks parts, and joins further references', async () => {
    const cache = make()
    const orders = await cache.set('orders', {
      data: {
        orders: [
          { id: 1, user: 7 },
          { id: 2, user: 8 },
        ],
      },
    })
    const users = await cache.set('users', [
      { id: 7, name: 'Ada' },
      { id: 8, name: 'Bob' },
    ])
    const joined = await cache.query(orders.refId, {
      sql: 'select o.id, u.name from orders o join users u on u.id = o.user order by 1',
      tables: { users: users.refId },
    })
    expect(rowsOf(joined)).toEqual([
      { id: 1, name: 'Ada' },
      { id: 2, name: 'Bob' },
    ])
    const part = await cache.query(`${orders.refId}#/data/orders/1`, { sql: 'select user from root' })
    expect(rowsOf(part)).toEqual([{ user: 8 }])
  })

  it('gives each table a name of its own, whatever the keys and the names of further references', async () => {
    const cache = make()
    const value = await cache.set('v', {
      items: [{ a: 1 }],
      items_2: [{ b: 2 }],
      'x\0y': [{ c: 3 }],
      pragma_x: [4],
    })
    const other = await cache.set('o', [{ z: 5 }])
    const named = "select distinct in_table from columns where in_table like 'items%'"
    const tables = { items: other.refId, X: other.refId, x: other.refId, X_2: other.refId }
    expect(rowsOf(await cache.query(value.refId, { sql: named, tables }))).toEqual(
      ['items', 'items_2', 'items_3'].map(in_table => ({ in_table })),
    )
    const sql = 'select c, p.value from "x y", pragma_x_2 p'
    expect(rowsOf(await cache.query(value.refId, { sql }))).toEqual([{ c: 3, value: 4 }])
    const words = await cache.set('w', [{ action: 'edit', edit: 1 }])
    const asked = await cache.query(words.refId, { sql: "select edit from items where action = 'edit'" })
    expect(rowsOf(asked)).toEqual([{ edit: 1 }])
    for (const name of ['root', 'json_each', 'dbstat', 'SQLite_master', 'pragma_table_info']) {
      const refused = cache.query(value.refId, { sql: 'select 1', tables: { [name]: other.refId } })
      await expect(refused).rejects.toMatchObject({
        code: 'invalid_argument',
        message: expect.stringContaining('cannot be the name'),
      })
    }
  })

  it('waits for a task, and answers with the handle of the question beyond the wait', async () => {
    const cache = make()
    let end: (value: unknown) => void = () => {}
    const work = cache.cached({ name: 'work' }, () => new Promise<unknown>(resolve => (end = resolve)))
    const handle = await work({}, { asyncTimeout: 0 })
    const question = await cache.query(handle.refId, { sql: 'select count(*) n from items', wait: 10 })
    expect(question).toMatchObject({ isAsync: true, tool: 'query_cached_result' })
    end([1, 2, 3])
    const answer = await cache.get(question.refId, { wait: '50s' })
    expect(rowsOf(answer)).toEqual([{ n: 3 }])
  })

  it('refuses what is no question, before anything starts', async () => {
    const cache = make()
    const { refId } = await cache.set('logs', logs)
    for (const sql of [
      'delete from items',
      'pragma table_info(items)',
      'select 1; select 2',
      "attach 'x' as y",
    ]) {
      await expect(cache.query(refId, { sql })).rejects.toMatchObject({ code: 'invalid_argument' })
    }
    await expect(cache.query(refId, { sql: 'select levle from items' })).rejects.toThrow(
      'There is no column levle. There are, in items: level',
    )
  })

  it('needs READ, and its answer is for whom all that was asked is', async () => {
    const cache = make()
    const policy = { agent: Permission.EXECUTE, user: Permission.FULL }
    const secret = await cache.set('secret', [{ id: 1 }], { policy })
    const open = await cache.set('open', [{ id: 1 }])
    const sql = 'select count(*) n from items'
    const read = await cache.get(secret.refId).catch(error => error)
    const asked = await cache.query(secret.refId, { sql }).catch(error => error)
    expect([asked.code, asked.message]).toEqual([read.code, read.message])
    const ada = actor.user({ id: 'ada' })
    await expect(cache.query(open.refId, { sql, tables: { secret: secret.refId } })).rejects.toMatchObject({
      code: 'permission_denied',
    })
    const joined = await cache.query(open.refId, {
      sql: 'select count(*) n from items, secret',
      tables: { secret: secret.refId },
      actor: ada,
    })
    expect(rowsOf(joined)).toEqual([{ n: 1 }])
    await expect(cache.get(joined.refId)).rejects.toMatchObject({ code: 'permission_denied' })
    await expect(cache.query(`other:${'0'.repeat(32)}`, { sql })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('ends a question that takes too long, and answers the next one', async () => {
    const cache = make({ query: { timeout: 300 } })
    const { refId } = await cache.set('logs', logs)
    const endless = 'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c'
    await expect(cache.query(refId, { sql: endless })).rejects.toMatchObject({ code: 'query_limit' })
  })

  it('says what is wrong with a question about what a tool declassified, and no word to who may not see the value', async () => {
    const cache = make()
    const policy = { agent: Permission.EXECUTE, user: Permission.FULL }
    const [agent, user] = [actor.agent({ id: 'a' }), actor.user({ id: 'u' })]
    const secret = await cache.set('pay', [{ salary_hidden: 60_000 }], { policy })
    const means = cache.cached(
      { name: 'means', declassifies: true },
      ({ rows }: { rows: Array<{ salary_hidden: number }> }) => [{ dept: 'x', mean: rows[0]?.salary_hidden }],
    )
    const { refId } = await means({ rows: secret.refId as never }, { actor: agent })
    const wrong = { sql: 'select meen from items' }
    await expect(cache.query(refId, { ...wrong, actor: agent })).rejects.toThrow('mean, dept')
    // The owner's own question about the hidden value, and its failed task.
    const failed = await cache.query(secret.refId, { sql: 'select salary from items', wait: 0, actor: user })
    await expect(cache.get(failed.refId, { wait: '30s', actor: user })).resolves.toMatchObject({
      error: expect.stringContaining('salary_hidden'),
    })
    for (const ask of [
      () => cache.query(secret.refId, { ...wrong, actor: agent }),
      () => cache.query(refId, { sql: 'select 1 from x', tables: { x: secret.refId }, actor: agent }),
      () => cache.get(failed.refId, { actor: agent }),
      () => cache.query(failed.refId, { ...wrong, actor: agent }),
    ]) {
      const said = await ask().then(JSON.stringify, error => String(error))
      expect(said).not.toContain('salary_hidden')
    }
  })

  it('takes a question from nobody who joined it: whoever cancels lets go of it alone', async () => {
    const cache = make()
    const [mallory, alice] = [actor.user({ id: 'mallory' }), actor.user({ id: 'alice' })]
    const { refId } = await cache.set('logs', logs)
    const slow =
      'with recursive c(x) as (select 1 union all select x + 1 from c limit 2000000) select count(*) n from c'
    const first = await cache.query(refId, { sql: slow, wait: 0, actor: mallory })
    const joined = cache.query(refId, { sql: slow, actor: alice })
    const left = new AbortController()
    const third = cache.query(refId, { sql: slow, actor: alice, signal: left.signal })
    await cache.query(refId, { sql: 'select 1', wait: 0 })
    await cache.cancelTask(first.refId, { actor: mallory })
    left.abort()
    expect(await cache.taskStatus(first.refId, { actor: mallory })).toMatchObject({ status: 'cancelled' })
    expect(rowsOf(await joined)).toEqual([{ n: 2_000_000 }])
    expect((await joined).refId).not.toBe(first.refId)
    await third
  })

  it('ends a question whose caller cancels it', async () => {
    const cache = make()
    const { refId } = await cache.set('logs', logs)
    await cache.query(refId, { sql: 'select 1' })
    const cancel = new AbortController()
    const endless = 'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c'
    const asked = cache.query(refId, { sql: endless, signal: cancel.signal })
    await cache.query(refId, { sql: 'select 2' })
    cancel.abort()
    await asked.catch(() => {})
    // The task of it, too: the same question begins another one.
    const again = await cache.query(refId, { sql: endless, wait: 0 })
    expect(again.refId).not.toBe((await asked).refId)
    expect(await cache.taskStatus((await asked).refId)).toMatchObject({ status: 'cancelled' })
    await cache.cancelTask(again.refId)
    const answer = await cache.query(refId, { sql: 'select count(*) n from items' })
    expect(rowsOf(answer)).toEqual([{ n: 3_000 }])
  })
})
