import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { describeActor, toActor } from '../../src/access/actor.ts'
import { toWireError } from '../../src/agent/wire.ts'
import { StoreUnavailable, UnknownStoreFormat } from '../../src/core/errors.ts'
import { RefCache } from '../../src/ref-cache.ts'
import { encryptedStore } from '../../src/stores/encrypted.ts'
import { STORE_FORMAT } from '../../src/stores/format.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { loadDriver } from '../../src/stores/sqlite-driver.ts'
import type { Store } from '../../src/stores/store.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { bytesOf, complete, NOW, next, pending } from '../../src/testing/store-drafts.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'

/** The one that the store uses: two SQLite libraries in one process do not see each other's locks. */
const { DatabaseSync } = await loadDriver()
/** Made by 0.1: a result, a task whose process was killed, and a task that failed. */
const FILE_OF_0_1 = readFileSync(new URL('fixtures/store-0.1.sql', import.meta.url), 'utf8')
const keys = { current: { id: 'k', key: Buffer.alloc(32, 1) } }

let folder: string
let path: string
let server: RedisServer | undefined
let admin: { sendCommand(args: string[]): Promise<unknown>; destroy(): void } | undefined
let prefix = 'format-0:'
let opened = 0
const stores: Store[] = []

beforeAll(async () => {
  if (!redisIsInstalled) return
  server = await startRedis()
  const { createClient } = await import('@redis/client')
  admin = await createClient({ url: server.url }).connect()
})
afterAll(async () => {
  admin?.destroy()
  await server?.stop()
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  path = join(folder, 'cache.db')
  prefix = `format-${++opened}:`
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const store of stores.splice(0)) await store.close()
  rmSync(folder, { recursive: true })
})

function sql(statements: string): void {
  const database = new DatabaseSync(path)
  database.exec(statements)
  database.close()
}

const redis = (...args: string[]) => admin?.sendCommand(args)

/** Not by DUMP: to look at a hash may change the order of its fields. */
async function contentOf(key: string): Promise<unknown> {
  const type = String(await redis('TYPE', key))
  if (type === 'hash') {
    const fields = (await redis('HGETALL', key)) as object
    return Object.entries(fields).sort()
  }
  if (type === 'zset') return redis('ZRANGE', key, '0', '-1', 'WITHSCORES')
  if (type === 'set') return redis('SMEMBERS', key)
  if (type === 'stream') return redis('XRANGE', key, '-', '+')
  return redis('GET', key)
}

interface Kind {
  open(): Store
  /** What another version does to a store that is in use. */
  mark(format: string): unknown
  snapshot(): unknown
}

const sqlite: Kind = {
  open: () => sqliteStore(path),
  mark: format => sql(`PRAGMA user_version = ${format}`),
  snapshot() {
    const copy = join(folder, 'copy.db')
    for (const suffix of ['', '-wal']) {
      rmSync(copy + suffix, { force: true })
      if (readdirSync(folder).includes(`cache.db${suffix}`)) copyFileSync(path + suffix, copy + suffix)
    }
    const database = new DatabaseSync(copy)
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
    const rows = (tables as Array<{ name: string }>).map(({ name }) =>
      database.prepare(`SELECT * FROM ${name}`).all(),
    )
    database.close()
    return rows
  },
}
const onRedis: Kind = {
  open: () => redisStore(server?.url ?? '', { prefix }),
  mark: format => redis('SET', `${prefix}{files}:format`, format),
  async snapshot() {
    const found = (await redis('KEYS', `${prefix}*`)) as string[]
    return Promise.all(found.sort().map(async key => [key, await contentOf(key)]))
  },
}
const KINDS: Record<string, Kind> = {
  sqlite,
  'sqlite, encrypted': { ...sqlite, open: () => encryptedStore(sqlite.open(), { keys }) },
  ...(redisIsInstalled
    ? {
        redis: onRedis,
        'redis, encrypted': { ...onRedis, open: () => encryptedStore(onRedis.open(), { keys }) },
      }
    : {}),
}

describe.each(Object.entries(KINDS))('a store of another format, on %s', (_, kind) => {
  const open = () => {
    const store = kind.open()
    stores.push(store)
    return store
  }
  const expired = complete({ key: 'k', expiresAt: NOW - 1 })
  const task = pending()

  /** Each operation, and that none of them changed anything. */
  async function expectRefused(store: Store): Promise<void> {
    const before = await kind.snapshot()
    const outcomes = await Promise.allSettled([
      store.get(expired.refId),
      store.read(expired.refId, 'value'),
      store.claim(complete({ key: 'new' }), NOW, { value: bytesOf('v') }),
      store.findByKey('files', 'k', NOW - 2),
      store.update(next(task), 1),
      store.list({ cacheName: 'files' }),
      store.delete(task.refId),
      store.clear('files'),
      store.time?.('files', { now: NOW, earliest: NOW }),
    ])
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(UnknownStoreFormat) })
    }
    const { reason } = outcomes[0] as PromiseRejectedResult
    expect(reason).toBeInstanceOf(StoreUnavailable)
    expect(reason.message).toMatch(
      /written by a newer mcp-refcache \(format 99; this one knows 3\).*upgrade mcp-refcache, or choose another (path|prefix)/,
    )
    await store.prune(NOW, 100).catch(error => expect(error).toBeInstanceOf(UnknownStoreFormat))
    expect(await kind.snapshot()).toEqual(before)
  }

  async function fill(store: Store) {
    await store.claim(expired, NOW - 10, { value: bytesOf('old') })
    await store.claim(task, NOW, { input: bytesOf('in') })
  }

  it('is refused by whoever opens it, with what to do, and changed by nothing', async () => {
    const first = kind.open()
    await fill(first)
    await first.close()
    await kind.mark('99')
    await expectRefused(open())
  })

  it('is refused by a process that has it open, from the moment on that it is converted', async () => {
    const store = open()
    await fill(store)
    await kind.mark('99')
    await expectRefused(store)
    await kind.mark(String(STORE_FORMAT))
    expect(await store.get(task.refId)).toMatchObject({ refId: task.refId })
  })

  it('is not swept, and no task there is lost or taken over; callers hear no names of files and hosts', async () => {
    const clock = new FakeClock(NOW)
    const logger = { warn: vi.fn(), error: vi.fn() }
    const store = open()
    await fill(store)
    const cache = new RefCache({ name: 'files', store, clock, logger })
    const tool = cache.cached({ name: 'analyze', idempotent: true }, () => 'again')
    await kind.mark('99')
    const before = await kind.snapshot()
    for (let sweep = 0; sweep < 20; sweep++) {
      await clock.advance('5s')
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    expect(await kind.snapshot()).toEqual(before)
    expect(logger.error).toHaveBeenCalledTimes(1)
    expect(logger.error).toHaveBeenCalledWith(expect.stringMatching(/format 99.*upgrade mcp-refcache/))
    const error = await tool({}).catch((thrown: unknown) => thrown)
    const { code, message } = toWireError(error)
    expect(code).toBe('store_unavailable')
    expect(message).toMatch(/another version of mcp-refcache.*operator/)
    expect(message).not.toMatch(/cache\.db|127\.0\.0\.1|localhost/)
    await cache.close()
  })

  it('an older one is not taken for a newer one', async () => {
    const first = kind.open()
    await fill(first)
    await first.close()
    await kind.mark('0')
    await expect(open().get(task.refId)).rejects.toThrow(
      /an older mcp-refcache.*use the version that wrote it/,
    )
  })
})

describe('a file of 0.1', () => {
  it('is read as it is: results, failures, and tasks of processes that are gone', async () => {
    sql(FILE_OF_0_1)
    const clock = new FakeClock()
    const cache = new RefCache({ name: 'files', store: sqliteStore(path), clock })
    const double = vi.fn(async ({ n }: { n: number }) => n * 2)
    const doubled = cache.cached({ name: 'double', ttl: null }, double)
    const slow = vi.fn(async ({ n }: { n: number }) => `slow ${n}`)
    cache.cached({ name: 'slow', idempotent: true, ttl: null }, slow)
    expect(await cache.get('files:43756eeb59dc75ca9b5d18a95474f41a')).toMatchObject({ value: 42 })
    expect(await doubled({ n: 21 })).toMatchObject({ value: 42 })
    expect(double).not.toHaveBeenCalled()
    const failed = await cache.get('files:b685cd8bc2c2f8d140bba3bebb0688d9')
    expect(failed).toMatchObject({ status: 'failed', error: 'no luck' })
    await clock.advance('2m')
    expect(slow).toHaveBeenCalledTimes(1)
    expect(await cache.get('files:969c02a2e4f90216d0846e1ba0a3e162')).toMatchObject({ value: 'slow 1' })
    await cache.close()
    // What 0.1 needs to go on is beside it.
    const before = new DatabaseSync(`${path}.format-1`)
    expect(before.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 })
    before.close()
  })

  it('is in order of creation, and counted by tool, from then on', async () => {
    sql(FILE_OF_0_1)
    const store = sqliteStore(path)
    stores.push(store)
    const entries = await store.list({ cacheName: 'files' })
    const times = entries.map(({ createdAt }) => createdAt)
    expect(times).toEqual([...times].sort((a, b) => a - b))
    expect(entries).toHaveLength(3)
    const counts = await store.count('files', 0)
    expect(counts).toHaveLength(3)
    expect(counts.find(({ status }) => status === 'complete')).toMatchObject({
      toolName: 'double',
      valueBytes: 2,
    })
    expect(await store.caches()).toEqual(['files'])
  })

  it('is counted, and can shrink from then on', async () => {
    sql(FILE_OF_0_1)
    const store = sqliteStore(path)
    stores.push(store)
    const usage = await store.usage?.()
    expect(usage).toMatchObject({ entries: 3, bytes: expect.any(Number) })
    expect(usage?.bytes).toBeGreaterThan(0)
    const converted = new DatabaseSync(path)
    expect(converted.prepare('PRAGMA auto_vacuum').get()).toEqual({ auto_vacuum: 2 })
    converted.close()
  })
})

it.runIf(redisIsInstalled)(
  'a cache of 0.1 on Redis, which has no mark, is read, and marked with the next entry',
  async () => {
    const store = onRedis.open()
    stores.push(store)
    const first = complete()
    await store.claim(first, NOW, { value: bytesOf('v') })
    await redis('DEL', `${prefix}{files}:format`)
    expect(await store.get(first.refId)).toMatchObject({ refId: first.refId })
    await store.claim(complete(), NOW)
    expect(await redis('GET', `${prefix}{files}:format`)).toBe(String(STORE_FORMAT))
  },
)

it.runIf(redisIsInstalled)('entries of before on Redis are put in order when they are listed', async () => {
  const store = onRedis.open()
  stores.push(store)
  const drafts = [3, 1, 2].map(number => ({
    ...(number === 2 ? pending({ toolName: 'b' }) : complete({ toolName: 'a', valueBytes: number })),
    createdAt: NOW - number + 0.5,
  }))
  for (const draft of drafts) {
    await store.claim(draft, NOW)
    const [name, id = ''] = draft.refId.split(':')
    for (const index of ['index', 'tasks']) await redis('ZADD', `${prefix}{${name}}:${index}`, 'XX', '0', id)
    await redis('HDEL', `${prefix}{${name}}:entry:${id}`, 'toolName', 'valueBytes')
  }
  const after = onRedis.open()
  stores.push(after)
  const counts = await after.count('files', NOW)
  expect(counts.map(({ toolName, count, valueBytes }) => [toolName, count, valueBytes]).sort()).toEqual([
    ['a', 2, 4],
    ['b', 1, 0],
  ])
  expect(await after.list({ cacheName: 'files' })).toEqual([drafts[0], drafts[2], drafts[1]])
  expect(await after.list({ cacheName: 'files', statuses: ['pending'] })).toEqual([drafts[2]])
  expect((await after.list({ cacheName: 'files', after: drafts[0]! }))[0]).toEqual(drafts[2])
})

it.runIf(redisIsInstalled)(
  'caches of other formats on one Redis are left alone, and do not stand in the way',
  async () => {
    const store = onRedis.open()
    stores.push(store)
    const [theirs, ours] = [complete({ refId: `theirs:${'0'.repeat(32)}` }), complete()]
    await store.claim(theirs, NOW)
    await store.claim(ours, NOW)
    await redis('SET', `${prefix}{theirs}:format`, '99')
    expect(await store.prune(NOW + 3_600_000, 100)).toHaveLength(1)
    expect(await redis('EXISTS', `${prefix}{theirs}:entry:${'0'.repeat(32)}`)).toBe(1)
  },
)

describe('tasks of format 2, which had a heartbeat each', () => {
  const KINDS_OF_2: Array<[string, () => Store, () => unknown]> = [
    [
      'SQLite',
      sqlite.open,
      () =>
        sql(`
          DROP INDEX entries_by_owner;
          ALTER TABLE entries DROP COLUMN owner;
          DROP TABLE beats;
          PRAGMA user_version = 2;
        `),
    ],
    ...(redisIsInstalled
      ? [
          [
            'Redis',
            onRedis.open,
            async () => {
              const entries = (await redis('KEYS', `${prefix}{files}:entry:*`)) as string[]
              for (const entry of entries) await redis('HDEL', entry, 'owner')
              await redis('DEL', `${prefix}{files}:owned`, `${prefix}{files}:running`)
              await redis('SET', `${prefix}{files}:format`, '2')
            },
          ] satisfies [string, () => Store, () => unknown],
        ]
      : []),
  ]

  it.each(KINDS_OF_2)('have their process on %s, and are recovered from it', async (_, open, makeOlder) => {
    const first = open()
    const leaseOf = (owner: string, duration = 30_000) => ({ lease: { owner, duration } })
    const task = pending({ ...leaseOf('host/1/ab/cd'), startedBy: describeActor(toActor('user')) })
    await first.claim(task, NOW, { input: bytesOf('\0{"n":1}') })
    await first.claim({ ...pending(leaseOf('host/1/ab/ef')), status: 'processing', startedAt: NOW }, NOW)
    await first.claim(pending(leaseOf('host/2/ab/cd', 0)), NOW)
    await first.claim(complete(), NOW)
    await first.close()
    await makeOlder()
    const store = open()
    stores.push(store)
    const owners = await store.owners('files')
    expect(owners.sort((a, b) => (a.process < b.process ? -1 : 1))).toEqual([
      { process: '', running: 0 },
      { process: 'host/1/ab', running: 1 },
    ])
    const clock = new FakeClock(NOW)
    const cache = new RefCache({ name: 'files', store, clock })
    const analyze = vi.fn(async ({ n }: { n: number }) => n)
    cache.cached({ name: 'analyze', ttl: null }, analyze)
    for (let sweep = 0; sweep < 12; sweep++) {
      await clock.advance('5s')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    await vi.waitFor(async () =>
      expect(await cache.get(task.refId)).toMatchObject({ status: 'complete', value: 1 }),
    )
  })
})

it('the file of another program is not touched, not even what its program left in the -wal file', async () => {
  const elsewhere = join(folder, 'elsewhere.db')
  const theirs = new DatabaseSync(elsewhere)
  theirs.exec(
    'PRAGMA journal_mode = WAL; CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES (1)',
  )
  // As a crash would leave them.
  for (const suffix of ['', '-wal']) copyFileSync(elsewhere + suffix, path + suffix)
  theirs.close()
  const look = () => ['', '-wal'].map(suffix => readFileSync(path + suffix).toString('hex'))
  const before = look()
  const store = sqliteStore(path)
  await expect(store.get('files:1')).rejects.toThrow(/is a database of another program/)
  await store.close()
  expect(look()).toEqual(before)
})
