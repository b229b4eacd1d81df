import { randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { DatabaseSync } from '@photostructure/sqlite'
import { describeActor } from '../src/access/actor.ts'
import type { Entry } from '../src/core/entry.ts'
import { cacheNameOf } from '../src/core/ref.ts'
import { actor, memoryStore, RefCache, type Store } from '../src/index.ts'
import { redisStore } from '../src/stores/redis.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { complete, pending } from '../src/testing/store-drafts.ts'
import { redisIsInstalled, startRedis } from '../test/redis-server.ts'
import { alone, timed } from './pause.ts'
import { duration, type Row } from './row.ts'

const MANY = Number(process.env.MANY_ENTRIES ?? 1_000_000)
/** Which stores, of `memory`, `sqlite` and `redis`; all of them by default. */
const STORES = process.env.MANY_STORES?.split(',')
const FEW = 10_000
const LIVE = 100_000
const EXPIRED = 20_000
const CALLS = 1_000
const YEAR = 365 * 24 * 3_600_000
/** A folder for filled files, which the next run takes: filling one with a million entries takes a minute. */
const KEPT = process.env.MANY_FOLDER

/** Where a store of one kind lives, and how it is opened there. */
interface Kind {
  readonly name: string
  open(): Store
  /** Stores so many entries like this one, by the quickest way that leaves the store as if each were claimed. */
  fill(store: Store, like: Entry, count: number): Promise<void>
  /** Where its file is, if it has one. */
  readonly path?: string
}

/** What a store of a million entries costs beyond one of 10,000, and how long a process or a sweep holds up others. */
export async function manyEntriesBench(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, measured] of Object.entries({ memory: inMemory, sqlite: onSqlite, redis: onRedis })) {
    if (!STORES || STORES.includes(name)) rows.push(...(await measured()))
  }
  return rows
}

function inMemory(): Promise<Row[]> {
  const stores = new Map<Kind, Store>()
  const kind = (): Kind => {
    const made: Kind = {
      name: 'memory',
      open: () =>
        stores.get(made) ?? stores.set(made, memoryStore({ maxEntries: 2 * (MANY + LIVE) })).get(made)!,
      fill: claimAll,
    }
    return made
  }
  return compare(kind(), kind())
}

async function onSqlite(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-many-'))
  const kind = (file: string): Kind => {
    const path = join(folder, file)
    return {
      name: 'SQLite',
      path,
      open: () => sqliteStore(path, { maxEntries: 2 * (MANY + LIVE), maxBytes: 2 ** 40 }),
      fill: async (store, like, count) => {
        await store.claim(like, Date.now())
        copyInFile(path, like, count - 1)
      },
    }
  }
  try {
    return await compare(kind('few.db'), kind('many.db'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onRedis(): Promise<Row[]> {
  if (!redisIsInstalled) return [{ what: 'Redis', ours: 'not measured: redis-server is not installed' }]
  const server = await startRedis()
  const kind = (prefix: string): Kind => ({
    name: 'Redis',
    open: () => redisStore(server.url, { prefix, operationTimeout: '60s' }),
    fill: claimAll,
  })
  try {
    return await compare(kind('few:'), kind('many:'))
  } finally {
    await server.stop()
  }
}

async function compare(few: Kind, many: Kind): Promise<Row[]> {
  const small = await measure(few, FEW)
  await small.store.close()
  const large = await measure(many, MANY)
  const { name } = many
  const against = (what: 'set' | 'get'): Row => ({
    what: `${name}: ${what}, of ${MANY.toLocaleString('en')} entries`,
    ours: duration(large[what]),
    against: `of ${FEW.toLocaleString('en')}: ${duration(small[what])}`,
    ratio: large[what] / small[what],
  })
  return [
    { what: `${name}: open, and the first get`, ours: duration(large.start) },
    against('set'),
    against('get'),
    ...(await steps(many, large.store)),
  ]
}

async function measure(kind: Kind, count: number) {
  await filled(kind, count)
  const now = Date.now()
  const begun = performance.now()
  const store = kind.open()
  await store.get(refId())
  const start = performance.now() - begun
  const drafts = Array.from({ length: CALLS }, () => draft(now))
  const set = await median(drafts, entry => store.claim(entry, now, { value: Buffer.from('0[1,2,3]') }))
  const get = await median(drafts, entry => store.get(entry.refId))
  return { store, start, set, get }
}

async function filled(kind: Kind, count: number): Promise<void> {
  const kept = KEPT && kind.path ? join(KEPT, `many-${count}.db`) : undefined
  if (kept && kind.path && existsSync(kept)) return copyFileSync(kept, kind.path)
  const store = kind.open()
  await kind.fill(store, draft(Date.now()), count)
  if (kind.name !== 'memory') await store.close()
  if (kept && kind.path) copyFileSync(kind.path, kept)
}

/** What goes in steps beside the work. Closes the store. */
async function steps({ name, fill }: Kind, store: Store): Promise<Row[]> {
  const now = Date.now()
  await fill(store, { ...draft(now), expiresAt: now }, EXPIRED)
  const sweep = await timed(async () => {
    // As the sweep of a cache does.
    for (let removed = 1; removed > 0; await turn()) removed = (await store.prune(now, 500)).length
  })
  const cache = new RefCache({ name: 'live', store, sweepInterval: '1h' })
  const task = () =>
    pending({ refId: refId('live'), createdAt: now, startedBy: describeActor(actor.agent()) })
  await fill(store, task(), LIVE)
  const stats = await timed(() => cache.stats())
  const tasks = await timed(() => cache.listTasks({ limit: 50 }))
  const after = (await store.list({ cacheName: 'bench', limit: 10_000 })).at(-1)
  const page = await timed(() => store.list({ cacheName: 'bench', limit: 100, ...(after ? { after } : {}) }))
  await cache.close({ drain: 0 })
  const live = LIVE.toLocaleString('en')
  return [
    alone(`${name}: sweep of ${EXPIRED.toLocaleString('en')} expired entries`, sweep),
    alone(`${name}: stats of ${live} live tasks`, stats),
    alone(`${name}: a page of listTasks beside them`, tasks),
    alone(`${name}: the 100th page of list`, page),
  ]
}

function refId(cacheName = 'bench'): string {
  return `${cacheName}:${randomBytes(16).toString('hex')}`
}

function draft(now: number) {
  const toolName = `tool-${Math.floor(Math.random() * 10)}`
  return complete({ refId: refId(), toolName, createdAt: now, completedAt: now, expiresAt: now + YEAR })
}

function claimAll(store: Store, like: Entry, count: number): Promise<void> {
  const { refId: first, createdAt } = like
  return inTurns(count, async number => {
    await store.claim(
      { ...like, refId: refId(cacheNameOf(first)), createdAt: createdAt - count + number },
      createdAt,
    )
  })
}

/** Many at a time, so that a server is not asked one by one. */
async function inTurns(count: number, run: (number: number) => Promise<unknown>): Promise<void> {
  const atOnce = 500
  for (let from = 0; from < count; from += atOnce) {
    await Promise.all(Array.from({ length: Math.min(atOnce, count - from) }, (_, at) => run(from + at)))
  }
}

/** One row of a file, again and again under other references, with all indexes and triggers of the file. */
function copyInFile(path: string, like: Entry, count: number): void {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000')
  const columns = 'namespace, status, owner, version, expires_at, value_bytes, makes_room, used_at, tool_name'
  database
    .prepare(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
       INSERT INTO entries (ref_id, record, created_at, ${columns})
       SELECT id, replace(record, ref_id, id), created_at - n, ${columns} FROM (
         SELECT n, ? || lower(hex(randomblob(16))) AS id, entries.* FROM numbers, entries WHERE entries.ref_id = ?
       )`,
    )
    .run(count, `${cacheNameOf(like.refId)}:`, like.refId)
  // What this left for the disk to do must not be waited for by what is measured.
  database.exec('PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}

async function median<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (const item of items) {
    const begun = performance.now()
    await run(item)
    times.push(performance.now() - begun)
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0
}
