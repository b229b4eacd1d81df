import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { loadDriver } from '../../../src/stores/sqlite-driver.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../../redis-server.ts'
import type { StoreConfig } from './worker.ts'

/** A new store that processes can share, and a file outside of it for what their handlers do. */
export interface Place {
  readonly store: StoreConfig
  readonly record: string
  readonly folder: string
  /** False while a process that is stopped holds the lock of the store. */
  takesWrites(): Promise<boolean>
  /** Removes it; all processes have ended. A file that is damaged fails the test. */
  end(): Promise<void>
}

export interface Backend {
  readonly name: 'sqlite' | 'redis'
  open(): Promise<Place>
}

type Define = (backend: Backend) => void

/** Defines the same tests on every store that processes can share. */
export function onEachBackend(define: Define): void {
  onSqlite(define)
  onRedis(define)
}

export function onSqlite(define: Define): void {
  describe('on SQLite', () => define({ name: 'sqlite', open: openSqlite }))
}

export function onRedis(define: Define): void {
  describe.skipIf(!redisIsInstalled)('on Redis', () => {
    let server: RedisServer
    let opened = 0
    beforeAll(async () => {
      server = await startRedis()
    })
    afterAll(() => server?.stop())
    define({
      name: 'redis',
      async open() {
        const folder = await newFolder()
        return {
          // A prefix of its own is an empty server to a store.
          store: { kind: 'redis', at: server.url, options: { prefix: `place-${++opened}:` } },
          folder,
          record: join(folder, 'record'),
          takesWrites: async () => true,
          end: () => rm(folder, { recursive: true }),
        }
      },
    })
  })
}

export async function openSqlite(): Promise<Place> {
  const folder = await newFolder()
  const path = join(folder, 'cache.db')
  return {
    store: { kind: 'sqlite', at: path },
    folder,
    record: join(folder, 'record'),
    takesWrites: () => isUnlocked(path),
    async end() {
      await expectUndamaged(path)
      await rm(folder, { recursive: true })
    },
  }
}

export async function expectUndamaged(path: string): Promise<void> {
  const { DatabaseSync } = await loadDriver()
  const database = new DatabaseSync(path)
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  database.close()
}

/** Others that run are waited for: their writes take a moment. */
async function isUnlocked(path: string): Promise<boolean> {
  const { DatabaseSync } = await loadDriver()
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA busy_timeout = 2000; BEGIN IMMEDIATE; ROLLBACK')
    return true
  } catch {
    return false
  } finally {
    database.close()
  }
}

function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'mcp-refcache-fault-'))
}
