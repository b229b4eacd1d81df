import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { Entry } from '../../../src/core/entry.ts'
import type { StandardSchema } from '../../../src/core/standard-schema.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred } from './scene.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

const STORES: Array<[string, () => Store]> = [
  ['memory', () => memoryStore()],
  [
    'SQLite',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-late-'))
      folders.push(folder)
      return sqliteStore(join(folder, 'cache.db'))
    },
  ],
]

/** A task that hangs while the value of a reference is read into its input. */
async function filling(store: Store) {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock, store, leaseDuration: '1h' })
  const { refId: rows } = await cache.set('rows', [1, 2, 3], { ttl: '10m', ttlMode: 'sliding' })
  const gate = deferred<void>()
  const reading = deferred<void>()
  const read = store.read.bind(store)
  store.read = async (refId, part) => {
    const bytes = await read(refId, part)
    if (refId !== rows) return bytes
    reading.resolve()
    await gate.promise
    return bytes
  }
  const handler = vi.fn((_: { rows: string }) => 'ran')
  const tool = cache.cached({ name: 'work', asyncTimeout: 0, hardTimeout: '1m' }, handler)
  const { refId } = await tool({ rows })
  await reading.promise
  const go = async () => {
    const update = vi.spyOn(store, 'update')
    gate.resolve()
    await clock.advance('5m')
    expect(handler).not.toHaveBeenCalled()
    return update
  }
  return { clock, cache, refId, go }
}

describe.each(STORES)('on %s, no handler starts and nothing is written', (_, open) => {
  it('after a cancel while its input was filled in', async () => {
    const { cache, refId, go } = await filling(open())
    expect(await cache.cancelTask(refId)).toMatchObject({ status: 'cancelled' })
    expect(await go()).not.toHaveBeenCalled()
    await cache.close()
  })

  it('after a cancel in another process that was not noticed yet', async () => {
    const store = open()
    vi.spyOn(store, 'watch').mockReturnValue(() => {})
    const { clock, cache, refId, go } = await filling(store)
    const other = new RefCache({ name: 't', clock, store })
    await other.cancelTask(refId, { actor: 'agent' })
    await go()
    expect(await other.get(refId)).toMatchObject({ status: 'cancelled' })
    await cache.close()
  })

  it('after the hard timeout', async () => {
    const { clock, cache, refId, go } = await filling(open())
    await clock.advance('2m')
    expect(await cache.get(refId)).toMatchObject({ status: 'failed', errorCode: 'hard_timeout' })
    expect(await go()).not.toHaveBeenCalled()
    await cache.close()
  })

  it('after delete', async () => {
    const { cache, refId, go } = await filling(open())
    await cache.delete(refId, { actor: actor.system() })
    expect(await go()).not.toHaveBeenCalled()
    await cache.close()
  })

  it('after clear', async () => {
    const { cache, go } = await filling(open())
    await cache.clear()
    await go()
    await cache.close()
  })

  it('after close has resolved', async () => {
    const { cache, go } = await filling(open())
    await cache.close()
    expect(await go()).not.toHaveBeenCalled()
  })

  it('after another process took the task', async () => {
    const store = open()
    vi.spyOn(store, 'watch').mockReturnValue(() => {})
    const { cache, refId, go } = await filling(store)
    const entry = (await store.get(refId)) as Extract<Entry, { status: 'processing' }>
    const lease = { ...entry.lease, owner: 'elsewhere' }
    await store.update({ ...entry, lease, version: entry.version + 1 }, entry.version)
    await go()
    expect(await cache.get(refId)).toMatchObject({ status: 'processing' })
    await cache.close()
  })
})

it('no handler starts after a cancel while its schema looked at the filled input', async () => {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock })
  const { refId: rows } = await cache.set('rows', [1])
  const gate = deferred<void>()
  const validate = async (value: unknown) => {
    await gate.promise
    return { value }
  }
  const input = { '~standard': { version: 1, vendor: 'test', validate } } as StandardSchema<object, object>
  const handler = vi.fn(() => 'ran')
  const { refId } = await cache.cached({ name: 'work', asyncTimeout: 0, input }, handler)({ rows })
  await clock.advance(0)
  await cache.cancelTask(refId)
  gate.resolve()
  await clock.advance('1m')
  expect(handler).not.toHaveBeenCalled()
})
