import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import type { Entry } from '../src/core/entry.ts'
import { cacheNameOf } from '../src/core/ref.ts'
import { memoryStore, type Store } from '../src/index.ts'
import { redisStore } from '../src/stores/redis.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { redisIsInstalled, startRedis } from '../test/redis-server.ts'
import type { Row } from './row.ts'

/** Where a store of one kind lives, and how it is opened there. */
export interface Kind {
  readonly name: string
  open(): Store
  /** Stores so many entries like this one, by the quickest way that leaves the store as if each were claimed. */
  fill(store: Store, like: Entry, count: number): Promise<void>
  /** Where its file is, if it has one. */
  readonly path?: string
}

/** Measures stores of one kind, each by a name of its own, with room for so many entries. */
type WithStores = (room: number, measure: (kind: (name: string) => Kind) => Promise<Row[]>) => Promise<Row[]>

/** Each kind of store. */
export const STORE_KINDS: Readonly<Record<'memory' | 'sqlite' | 'redis', WithStores>> = {
  memory: inMemory,
  sqlite: onSqlite,
  redis: onRedis,
}

async function inMemory(...[maxEntries, measure]: Parameters<WithStores>): Promise<Row[]> {
  return measure(() => {
    let store: Store | undefined
    const open = () => {
      store ??= memoryStore({ maxEntries })
      return store
    }
    return { name: 'memory', open, fill: claimAll }
  })
}

async function onSqlite(...[maxEntries, measure]: Parameters<WithStores>): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-many-'))
  try {
    return await measure(name => {
      const path = join(folder, `${name}.db`)
      return {
        name: 'SQLite',
        path,
        open: () => sqliteStore(path, { maxEntries, maxBytes: 2 ** 40 }),
        fill: async (store, like, count) => {
          await store.claim(like, Date.now())
          copyInFile(path, like, count - 1)
        },
      }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onRedis(...[, measure]: Parameters<WithStores>): Promise<Row[]> {
  if (!redisIsInstalled) return [{ what: 'Redis', ours: 'not measured: redis-server is not installed' }]
  const server = await startRedis()
  const open = (name: string) => redisStore(server.url, { prefix: `${name}:`, operationTimeout: '60s' })
  try {
    return await measure(name => ({ name: 'Redis', open: () => open(name), fill: claimAll }))
  } finally {
    await server.stop()
  }
}

export function refId(cacheName = 'bench'): string {
  return `${cacheName}:${randomBytes(16).toString('hex')}`
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

/** One row of a file, again and again under other references and earlier, with all indexes and triggers of the file. */
function copyInFile(path: string, like: Entry, count: number): void {
  const database = new DatabaseSync(path)
  database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -200000')
  const columns = 'namespace, status, owner, version, expires_at, value_bytes, makes_room, used_at, tool_name'
  database
    .prepare(
      `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?),
       ids (n, id) AS MATERIALIZED (SELECT n, ? || lower(hex(randomblob(16))) FROM numbers)
       INSERT INTO entries (ref_id, record, created_at, ${columns})
       SELECT id, json_set(replace(record, ref_id, id), '$.createdAt', CAST(created_at - n AS INTEGER)), created_at - n, ${columns}
       FROM ids, entries WHERE entries.ref_id = ?`,
    )
    .run(count, `${cacheNameOf(like.refId)}:`, like.refId)
  // What this left for the disk to do must not be waited for by what is measured.
  database.exec('PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)')
  database.close()
}
