import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient, RESP_TYPES } from '@redis/client'
import { redisStore } from '../../src/stores/redis.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'

/** A place for entries, and all the bytes that came to lie there. */
export interface Medium {
  readonly where: string
  open(): Store
  bytes(): Promise<Buffer[]>
  remove(): Promise<void>
}

const ALL: Array<[name: string, isThere: boolean, open: () => Promise<Medium>]> = [
  ['a SQLite file', true, sqliteMedium],
  ['a Redis server', redisIsInstalled, redisMedium],
]

/** Those that this machine has. */
export const MEDIA = ALL.filter(([, isThere]) => isThere).map(([name, , open]) => [name, open] as const)

async function sqliteMedium(): Promise<Medium> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-'))
  const path = join(folder, 'cache.db')
  return {
    where: path,
    open: () => sqliteStore(path),
    bytes: () => filesIn(folder),
    remove: () => rm(folder, { recursive: true }),
  }
}

/** Its append-only file has every write in clear, those that later ones replaced included. */
async function redisMedium(): Promise<Medium> {
  const server: RedisServer = await startRedis({ durable: true })
  return {
    where: server.url,
    open: () => redisStore(server.url),
    bytes: async () => [...(await dump(server.url)), ...(await filesIn(server.folder))],
    remove: () => server.stop(),
  }
}

/** All keys, and what is in them, as a client sees it. */
async function dump(url: string): Promise<Buffer[]> {
  const client = await createClient({ url }).connect()
  const raw = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  const found: Buffer[] = []
  for (const key of await client.keys('*')) {
    found.push(Buffer.from(key))
    const type = await client.type(key)
    if (type === 'string') found.push((await raw.get(key)) as unknown as Buffer)
    else if (type === 'hash') found.push(...(Object.values(await raw.hGetAll(key)) as unknown as Buffer[]))
    else if (type === 'set') found.push(...((await raw.sMembers(key)) as unknown as Buffer[]))
    else if (type === 'zset') found.push(...((await raw.zRange(key, 0, -1)) as unknown as Buffer[]))
    else if (type === 'stream') found.push(Buffer.from(JSON.stringify(await client.xRange(key, '-', '+'))))
    else throw new Error(`${key} is a ${type}, which the dump does not know`)
  }
  client.destroy()
  return found
}

async function filesIn(folder: string): Promise<Buffer[]> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  return Promise.all(
    files.filter(file => file.isFile()).map(file => readFile(join(file.parentPath ?? file.path, file.name))),
  )
}
