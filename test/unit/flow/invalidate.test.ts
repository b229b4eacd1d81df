import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { deferred, scene } from './scene.ts'

const folder = mkdtempSync(join(tmpdir(), 'invalidate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
const STORES: Record<string, () => Store> = {
  memory: memoryStore,
  SQLite: () => sqliteStore(join(folder, `${files++}.db`)),
}

/** Rows that a memoized tool reads and others change. */
function rowsScene(store: Store = memoryStore()) {
  const { cache, clock } = scene({ store })
  let version = 1
  const gate = { open: deferred<void>(), shut: false }
  const reading = vi.fn(async ({ id }: { id: string }) => {
    const seen = `${id} v${version}`
    if (gate.shut) await gate.open.promise
    return seen
  })
  const read = cache.cached(
    { name: 'read_row', tags: ({ id }: { id: string }) => ['rows', `row:${id}`], asyncTimeout: '1s' },
    reading,
  )
  const writing = vi.fn(async () => {
    version++
    return 'written'
  })
  const write = cache.cached(
    { name: 'write_row', memoize: false, readOnly: false, invalidates: ['read_*'] },
    writing,
  )
  return { cache, clock, gate, read, reading, write, writing, change: () => version++ }
}

describe.each(Object.entries(STORES))('what is outdated, on %s', (_, store) => {
  it('is freed by tag, by tool or pattern, and nothing else is', async () => {
    const { cache, read, reading } = rowsScene(store())
    await read({ id: 'a' })
    await read({ id: 'b' })
    expect(await cache.invalidate({ tags: ['row:a', 'other'] })).toBe(1)
    await read({ id: 'a' })
    await read({ id: 'b' })
    expect(reading).toHaveBeenCalledTimes(3)
    expect(await cache.invalidate({ tags: ['rows'] })).toBe(2)
    expect(await cache.invalidate({ tags: ['rows'] })).toBe(0)
    await read({ id: 'a' })
    expect(await cache.invalidate({ tool: 'write_*' })).toBe(0)
    expect(await cache.invalidate({ tool: 'read_*', tags: ['row:b'] })).toBe(0)
    expect(await cache.invalidate({ tool: 'read_*' })).toBe(1)
    expect(await cache.invalidate({ tool: 'read_row' })).toBe(0)
  })

  it('is freed for one input', async () => {
    const { read, reading } = rowsScene(store())
    await read({ id: 'a' })
    await read({ id: 'b' })
    expect(await read.invalidate({ id: 'a' })).toBe(true)
    expect(await read.invalidate({ id: 'a' })).toBe(false)
    await read({ id: 'a' })
    await read({ id: 'b' })
    expect(reading).toHaveBeenCalledTimes(3)
  })

  it('stays under the references that were given', async () => {
    const { cache, read } = rowsScene(store())
    const { refId } = await read({ id: 'a' })
    await cache.invalidate({ tags: ['rows'] })
    expect(await cache.resolve(refId)).toBe('a v1')
  })
})

it('a run in flight answers those who follow it already, and no later call', async () => {
  const { cache, clock, gate, read, reading, change } = rowsScene()
  gate.shut = true
  const first = read({ id: 'a' })
  const joined = read({ id: 'a' })
  await vi.waitFor(() => expect(reading).toHaveBeenCalledTimes(1))
  change()
  expect(await cache.invalidate({ tool: 'read_row' })).toBe(1)
  gate.shut = false
  expect(await read({ id: 'a' })).toMatchObject({ value: 'a v2' })
  gate.open.resolve()
  await clock.advance(0)
  expect(await first).toMatchObject({ value: 'a v1' })
  expect(await joined).toMatchObject({ value: 'a v1' })
  expect(await read({ id: 'a' })).toMatchObject({ value: 'a v2' })
  expect(reading).toHaveBeenCalledTimes(2)
})

describe('a tool that invalidates others', () => {
  it('frees their results before anybody hears that it has ended', async () => {
    const { read, write } = rowsScene()
    await read({ id: 'a' })
    await write({})
    expect(await read({ id: 'a' })).toMatchObject({ value: 'a v2' })
  })

  it('frees what was read while it ran', async () => {
    const { read, write, writing } = rowsScene()
    const done = deferred<void>()
    writing.mockImplementationOnce(async () => {
      await done.promise
      return 'written'
    })
    const written = write({})
    await vi.waitFor(() => expect(writing).toHaveBeenCalled())
    const before = await read({ id: 'a' })
    done.resolve()
    await written
    expect((await read({ id: 'a' })).refId).not.toBe(before.refId)
  })

  it('frees them when it fails, too', async () => {
    const { read, reading, write, writing } = rowsScene()
    await read({ id: 'a' })
    writing.mockRejectedValueOnce(new Error('half of it was written'))
    await expect(write({})).rejects.toThrow('half of it')
    await read({ id: 'a' })
    expect(reading).toHaveBeenCalledTimes(2)
  })

  it('keeps its result while the store is away, and then frees them', async () => {
    const store = memoryStore()
    const { clock, read, write, writing } = rowsScene(store)
    await read({ id: 'a' })
    const list = store.list.bind(store)
    writing.mockImplementationOnce(async () => {
      store.list = vi.fn(async () => {
        throw new StoreUnavailable('away')
      })
      return 'written'
    })
    const written = write({})
    await vi.waitFor(() => expect(store.list).not.toBe(list))
    await vi.waitFor(() => expect(store.list).toHaveBeenCalled())
    store.list = list
    await clock.advance('2s')
    expect(await written).toMatchObject({ value: 'written' })
    const read2 = await read({ id: 'a' })
    expect(read2).not.toHaveProperty('cachedAt')
  })
})

describe('another process of the store', () => {
  it('runs anew what this one has freed', async () => {
    const file = join(folder, 'shared.db')
    const [one, other] = [rowsScene(sqliteStore(file)), rowsScene(sqliteStore(file))]
    await one.read({ id: 'a' })
    expect(await other.read({ id: 'a' })).toHaveProperty('cachedAt')
    await one.write({})
    await other.read({ id: 'a' })
    expect(other.reading).toHaveBeenCalledTimes(1)
  })
})

describe('what makes no sense is refused', () => {
  it('by invalidate', async () => {
    const { cache } = scene()
    await expect(cache.invalidate({})).rejects.toMatchObject({ code: 'invalid_argument' })
    await expect(cache.invalidate({ tag: ['a'] } as never)).rejects.toThrow("Did you mean 'tags'?")
  })

  it('by cached', () => {
    const { cache } = scene()
    expect(() => cache.cached({ name: 'a', tags: [''] }, () => 1)).toThrow('tags is a list')
    expect(() => cache.cached({ name: 'a', invalidates: 'b' as never }, () => 1)).toThrow(
      'invalidates is a list',
    )
  })

  it('in a call, by the tags of its input', async () => {
    const { cache } = scene()
    const tool = cache.cached({ name: 'a', tags: () => 'b' as never }, () => 1)
    await expect(tool({})).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})
