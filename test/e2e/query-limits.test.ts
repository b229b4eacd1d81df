import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import type { JsonValue } from '../../src/core/json.ts'
import type { SqlSource } from '../../src/query/sql.ts'
import { SqlEngine } from '../../src/query/sql-engine.ts'
import { type ChildPlace, childPlace } from '../../src/query/where.ts'

const folder = mkdtempSync(join(tmpdir(), 'refcache-query-'))
afterAll(() => rmSync(folder, { recursive: true }))

const MIB = 1024 * 1024
const engines: SqlEngine[] = []
afterEach(async () => {
  await Promise.all(engines.splice(0).map(engine => engine.close()))
})

function start(limits: { asking?: number; memory?: number } = {}): SqlEngine {
  const engine = new SqlEngine(childPlace() as ChildPlace, {
    asking: 30_000,
    loading: 30_000,
    memory: 512 * MIB,
    ...limits,
  })
  engines.push(engine)
  return engine
}

const source = (id: string, value: JsonValue): SqlSource => ({
  id,
  open: async () => ({
    kind: 'json',
    async *text() {
      yield JSON.stringify(value)
    },
  }),
})

const LIST = source('list', [{ id: 1, name: 'a' }])

/** Without the check of the statement: what SQLite itself holds. */
const ask = (engine: SqlEngine, sql: string, from: SqlSource = LIST, caller = 'ada') =>
  engine.ask({ caller, sources: [from], sql, maxBytes: MIB })

/** The processes that this one has started. */
function children(): number[] {
  const tasks = readdirSync(`/proc/${process.pid}/task`)
  return tasks.flatMap(task =>
    readFileSync(`/proc/${process.pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

describe('the process that answers', { timeout: 90_000 }, () => {
  it('lets a question do nothing but read its tables, also where the statement is not looked at first', async () => {
    const engine = start()
    for (const sql of [
      "insert into items values (2, 'b')",
      'delete from items',
      'create table other (a)',
      `attach '${folder}/attached' as other`,
      `vacuum into '${folder}/vacuumed'`,
      'vacuum',
      'pragma writable_schema = on',
      "update sqlite_schema set sql = ''",
      "select load_extension('x')",
      "select writefile('x', 'y')",
    ]) {
      await expect(ask(engine, sql), sql).rejects.toMatchObject({ code: 'invalid_argument' })
    }
    expect((await ask(engine, 'select count(*) n from items')).rows).toEqual([{ n: 1 }])
    expect(readdirSync(folder)).toEqual([])
  })

  it('hands out a row with a very large cell in steps, between which others are served', async () => {
    const engine = start()
    const wide = "select printf('%.*c', 4000000, 'x') as x, char(233, 128512, 10) as y"
    const parse = vi.spyOn(JSON, 'parse')
    const { rows } = await engine.ask({ caller: 'ada', sources: [LIST], sql: wide, maxBytes: 8 * MIB })
    const longest = Math.max(...parse.mock.calls.map(([text]) => text.length))
    parse.mockRestore()
    expect(rows).toEqual([{ x: 'x'.repeat(4_000_000), y: 'é😀\n' }])
    expect(longest).toBeLessThan(MIB)
  })

  it.runIf(existsSync('/proc/self/fd'))(
    'has no environment and opens no file, whatever it sorts',
    async () => {
      process.env.REFCACHE_TEST_SECRET = 'in the environment'
      const engine = start()
      const sorted =
        'with recursive c(x) as (select 1 union all select x + 1 from c limit 400000) select count(*) n from (select x, random() r from c order by r, x)'
      expect((await ask(engine, sorted)).rows).toEqual([{ n: 400_000 }])
      const [child] = children()
      expect(readFileSync(`/proc/${child}/environ`, 'utf8')).not.toContain('in the environment')
      const open = readdirSync(`/proc/${child}/fd`).flatMap(fd => {
        try {
          return [readlinkSync(`/proc/${child}/fd/${fd}`)]
        } catch {
          return []
        }
      })
      expect(open.filter(path => /^\/(?!dev\/|proc\/)/.test(path) && !path.endsWith('.node'))).toEqual([])
      delete process.env.REFCACHE_TEST_SECRET
    },
  )

  it('shows nothing of what was loaded for another question', async () => {
    const engine = start()
    await ask(engine, 'select 1', source('secret', { secret_list: [{ hidden: 'TOPSECRET' }] }))
    for (const sql of ['select * from sqlite_schema', 'select * from columns', 'select * from dbstat']) {
      const answer = await ask(engine, sql, LIST, 'bob').catch(error => error.message)
      expect(JSON.stringify(answer)).not.toMatch(/secret|hidden/i)
    }
  })

  it.each([
    [
      'an endless table',
      'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c',
    ],
    [
      'a cross join',
      'with recursive c(x) as (select 1 union all select x + 1 from c limit 3000) select count(*) from c a, c b, c d, c e',
    ],
    ['long texts', "select length(printf('%.*c', 900000000, 'x') || printf('%.*c', 900000000, 'y'))"],
    ['a large blob', 'select length(hex(randomblob(900000000)))'],
    [
      'a table in memory',
      "with recursive c(x) as (select 1 union all select x + 1 from c), d as materialized (select x, printf('%500c', 'x') from c) select count(*) from d",
    ],
  ])('is ended for %s, and the next question works', async (_, sql) => {
    const engine = start({ asking: 2_000, memory: 256 * MIB })
    await ask(engine, 'select 1')
    await expect(ask(engine, sql)).rejects.toMatchObject({
      code: expect.stringMatching(/^(query_limit|invalid_argument)$/),
    })
    expect((await ask(engine, 'select count(*) n from items')).rows).toEqual([{ n: 1 }])
  })

  it('refuses a million columns at once', async () => {
    const engine = start()
    await expect(ask(engine, `select ${'1,'.repeat(1_000_000)}1`)).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })

  it('is ended by whoever asked, and the next question works', async () => {
    const engine = start()
    const cancel = new AbortController()
    const endless = 'with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c'
    const asked = engine.ask({
      caller: 'ada',
      sources: [LIST],
      sql: endless,
      maxBytes: MIB,
      signal: cancel.signal,
    })
    await ask(engine, 'select 1')
    cancel.abort(new Error('no longer'))
    await expect(asked).rejects.toThrow('no longer')
    expect((await ask(engine, 'select 1 one')).rows).toEqual([{ one: 1 }])
  })

  it('lets callers take turns', async () => {
    const engine = start()
    const order: string[] = []
    const slow =
      'with recursive c(x) as (select 1 union all select x + 1 from c limit 20000) select count(*) from c'
    const asked = Array.from({ length: 20 }, (_, at) =>
      ask(engine, `${slow} where x > ${at}`).then(() => order.push('ada')),
    )
    asked.push(ask(engine, 'select 1', LIST, 'bob').then(() => order.push('bob')))
    await Promise.all(asked)
    // Two of the first caller's were running; one more may have begun beside.
    expect(order.indexOf('bob')).toBeLessThanOrEqual(3)
  })

  it('is at most one of two, and ends with its engine', async () => {
    const engine = start()
    await Promise.all(['a', 'b', 'c', 'd'].map(caller => ask(engine, 'select 1', LIST, caller)))
    expect(children().length).toBeLessThanOrEqual(2)
    await engine.close()
    await expect.poll(() => children().length).toBe(0)
  })

  it('ends a minute after the last question', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    try {
      const engine = start()
      await ask(engine, 'select 1')
      vi.advanceTimersByTime(59_000)
      await ask(engine, 'select 2')
      vi.advanceTimersByTime(59_000)
      expect(children().length).toBe(1)
      vi.advanceTimersByTime(1_001)
    } finally {
      vi.useRealTimers()
    }
    await expect.poll(() => children().length).toBe(0)
  })
})
