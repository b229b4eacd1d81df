import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallResponse } from '../../../src/core/response.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { redisStore } from '../../../src/stores/redis.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { loadDriver } from '../../../src/stores/sqlite-driver.ts'
import type { Store } from '../../../src/stores/store.ts'
import { program } from '../fixtures/programs.ts'
import type { Backend, Place } from './backends.ts'

const CHILD = program('append-child')
const PATIENCE_MS = 60_000

interface Row {
  readonly by: number
  readonly n: number
}

const ends: Array<() => unknown> = []

/** What becomes of a value whose process was killed while it grew. */
export function killedAppends(backend: Backend): void {
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end()
  })

  describe('a process that is killed while it appends', () => {
    it('leaves a task that failed, with all rows that the store had, from the first one on', async () => {
      const place = await openPlace(backend)
      const cache = cacheOn(place)
      const { refId, available } = await killedWhileItAppends(place, cache, false)
      const failed = await until(cache, refId, ({ status }) => status === 'failed')
      expect(failed).toMatchObject({ errorCode: 'worker_lost', partial: true })
      expect(failed.status === 'failed' && failed.available).toBeGreaterThanOrEqual(available)
      const rows = (await cache.resolve(refId, { partial: true })) as unknown as Row[]
      expect(rows.map(({ n }) => n)).toEqual([...rows.keys()])
      const page = await cache.get(refId, { page: 2, pageSize: 1, maxSize: 20_000 })
      expect(page).toMatchObject({ status: 'failed', partial: true, preview: [rows[1]] })
      await cache.delete(refId)
      await expectNoSegments(place)
    })

    it('may be cancelled from another one: all rows that the store had stay, and no more come', async () => {
      const place = await openPlace(backend)
      const cache = cacheOn(place)
      const { refId } = await growing(place, cache, false)
      await cache.cancelTask(refId)
      const cancelled = await until(cache, refId, ({ status }) => status === 'cancelled')
      expect(cancelled).toMatchObject({ partial: true })
      const rows = (await cache.resolve(refId, { partial: true })) as unknown as Row[]
      expect(rows.length).toBeGreaterThan(40)
      expect(rows.map(({ n }) => n)).toEqual([...rows.keys()])
      await sleep(500)
      expect(await cache.resolve(refId, { partial: true })).toHaveLength(rows.length)
      await cache.delete(refId)
      await expectNoSegments(place)
    })

    it('is followed by another one, where that is allowed: its rows and those of the other never mix', async () => {
      const place = await openPlace(backend)
      const reader = cacheOn(place)
      const { refId } = await killedWhileItAppends(place, reader, true)
      const heir = cacheOn(place)
      const seen = new Set<number>()
      heir.cached({ name: 'crawl', idempotent: true, memoize: false }, async (_, task) => {
        for (let n = 0; n < 20; n++) {
          await task.append([{ by: process.pid, n, text: 'words and words '.repeat(1_000) }])
          await sleep(20)
        }
        // However busy the machine is: the reader has looked in the middle.
        for (const end = Date.now() + PATIENCE_MS; !seen.has(process.pid) && Date.now() < end; )
          await sleep(10)
      })
      const isOver = async () => {
        const answer = await reader.get(refId, { page: 1, pageSize: 3, maxSize: 50_000 })
        if (answer.status === 'complete') return true
        expect(answer.status).not.toBe('failed')
        const rows = (answer.preview ?? []) as unknown as Row[]
        expect(new Set(rows.map(({ by }) => by)).size).toBeLessThanOrEqual(1)
        for (const { by } of rows) seen.add(by)
        return false
      }
      for (const end = Date.now() + PATIENCE_MS; !(await isOver()); await sleep(10)) {
        expect(Date.now()).toBeLessThan(end)
      }
      // The partial value was there until the other process had something of its own.
      expect(seen.size).toBe(2)
      const rows = (await reader.resolve(refId)) as unknown as Row[]
      expect(rows.map(({ by, n }) => [by, n])).toEqual(rows.map((_, n) => [process.pid, n]))
      expect(rows).toHaveLength(20)
      await reader.delete(refId)
      await expectNoSegments(place)
    })
  })
}

function openStore({ store: { kind, at, options } }: Place): Store {
  return kind === 'redis' ? redisStore(at, { ...options, operationTimeout: '20s' }) : sqliteStore(at)
}

function cacheOn(place: Place): RefCache {
  const cache = new RefCache({
    name: 'killed',
    store: openStore(place),
    // A machine that is busy holds up the living, too: they must not look dead.
    leaseDuration: '2s',
    sweepInterval: '500ms',
    logger: { warn: () => {}, error: () => {} },
  })
  ends.push(() => cache.close())
  return cache
}

async function openPlace(backend: Backend): Promise<Place> {
  const place = await backend.open()
  ends.push(() => place.end())
  return place
}

/** A process with a task whose value grows, and how much of it this process has seen. */
async function growing(place: Place, cache: RefCache, idempotent: boolean) {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(place.store), String(idempotent)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  ends.push(() => child.kill('SIGKILL'))
  const refId = await firstLine(child)
  const answer = await until(cache, refId, one => one.status !== 'complete' && (one.available ?? 0) > 40)
  expect(answer).toMatchObject({ status: 'processing', isGrowing: true })
  return { child, refId, available: answer.status === 'complete' ? 0 : (answer.available ?? 0) }
}

/** The reference of its task, and how much of its value this process saw before. */
async function killedWhileItAppends(place: Place, cache: RefCache, idempotent: boolean) {
  const { child, refId, available } = await growing(place, cache, idempotent)
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
  return { refId, available }
}

async function firstLine(child: ChildProcess): Promise<string> {
  const [line] = (await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data')) as [Buffer]
  return line.toString().trim()
}

async function until(
  cache: RefCache,
  refId: string,
  condition: (answer: CallResponse) => boolean,
): Promise<CallResponse> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(10)) {
    const answer = await cache.get(refId)
    if (condition(answer)) return answer
  }
  throw new Error('It should have happened by now.')
}

/** Nothing of a value is in the store, whatever it was staged for. */
async function expectNoSegments({ store: { kind, at, options } }: Place): Promise<void> {
  if (kind === 'redis') {
    const admin = await createClient({ url: at }).connect()
    const left = await admin.keys(`${options?.prefix}*:value:*`)
    admin.destroy()
    expect(left).toEqual([])
    return
  }
  const { DatabaseSync } = await loadDriver()
  const database = new DatabaseSync(at)
  for (const table of ['segments', 'staged_values']) {
    expect(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()).toEqual({ count: 0 })
  }
  database.close()
}
