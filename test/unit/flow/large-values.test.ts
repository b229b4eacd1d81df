import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { UnreadableValue } from '../../../src/core/errors.ts'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import type { GetOptions } from '../../../src/flow/read/poll.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countingStore } from '../../counting-store.ts'
import { expectMarked } from '../preview/marks.ts'
import { storeWith } from './scene.ts'

const ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Where a second cache finds what the first one stored. */
function places(): Array<[string, () => () => Store]> {
  return [
    [
      'memory',
      () => {
        const store = memoryStore()
        return () => storeWith(store, { close: async () => {} })
      },
    ],
    [
      'SQLite',
      () => {
        const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-large-'))
        ends.push(() => rmSync(folder, { recursive: true }))
        return () => sqliteStore(join(folder, 'cache.db'))
      },
    ],
  ]
}

function cacheOn(store: Store): RefCache {
  const cache = new RefCache({ name: 't', store, clock: new FakeClock() })
  ends.push(() => cache.close())
  return cache
}

/** About so many megabytes of records, one of them larger than a page. */
function records(megabytes: number): JsonObject[] {
  const list: JsonObject[] = Array.from({ length: megabytes * 11_000 }, (_, id) => ({
    id,
    name: `record ${id}`,
    note: 'neither long nor short, with "quotes", as äöü 漢字 🎉 go',
  }))
  list[20] = { id: 20, name: 'long', note: 'long words, '.repeat(800) }
  return list
}

async function page(cache: RefCache, refId: string, options: GetOptions) {
  const answer = await cache.get(refId, options)
  if (answer.status !== 'complete') throw new Error(answer.status)
  return answer
}

describe.each(places())('a value of some megabytes, on %s', (_, open) => {
  it('resolves to what was stored, in another process too', async () => {
    const store = open()
    const value = { meta: { count: 1 }, rows: records(1.2), text: 'a line\n'.repeat(40_000) }
    const { refId } = await cacheOn(store()).set('value', value)
    expect(await cacheOn(store()).resolve(refId)).toEqual(value)
    const text = 'a line of text\n'.repeat(80_000)
    const stored = await cacheOn(store()).set('text', text)
    expect(await cacheOn(store()).resolve(stored.refId)).toBe(text)
  })

  it('pages: its pages are together the value, and the first one waits for no other', async () => {
    const value = records(1.2)
    const store = open()
    const { refId } = await cacheOn(store()).set('list', value)
    const counting = countingStore(store())
    const cache = cacheOn(counting.store)
    await cache.exists(refId)
    const { outcome: first, operations } = await counting.during(() => page(cache, refId, { page: 1 }))
    expect(first).toMatchObject({ totalItems: value.length, totalPagesIsEstimate: true, pageUnit: 'items' })
    expect(operations.filter(operation => operation === 'readSegment').length).toBeLessThan(12)
    const joined: JsonValue[] = []
    let slices = ''
    for (let number = 1, last = false; !last && joined.length < 3_000; number++) {
      const { preview, pageUnit, previewSize, totalPages } = await page(cache, refId, { page: number })
      expect(previewSize).toBeLessThanOrEqual(1000)
      if (pageUnit === 'json') slices += preview
      else {
        if (slices) joined.push(JSON.parse(slices) as JsonValue)
        slices = ''
        joined.push(...(preview as JsonValue[]))
      }
      last = number === totalPages
    }
    expect(joined).toEqual(value.slice(0, joined.length))
    expect(joined.length).toBeGreaterThan(2_000)
  })

  it('has a preview from a few of its segments, with the shape of all rows, in another process too', async () => {
    const value = { meta: { count: 1 }, rows: records(2) }
    const store = open()
    const { refId } = await cacheOn(store()).set('list', value)
    const counting = countingStore(store())
    const cache = cacheOn(counting.store)
    await cache.exists(refId)
    const { outcome, operations } = await counting.during(() => page(cache, refId, {}))
    expect(operations.filter(operation => operation === 'readSegment').length).toBeLessThan(40)
    expect(outcome).toMatchObject({
      previewStrategy: 'sample',
      path: '/rows',
      totalItems: value.rows.length,
      shape: { rows: { rows: value.rows.length } },
    })
    expectMarked(value, outcome.preview as JsonValue)
  })

  it('has pages of so many items, each found without those before it', async () => {
    const value = records(1.2)
    const store = open()
    const { refId } = await cacheOn(store()).set('list', value)
    const counting = countingStore(store())
    const cache = cacheOn(counting.store)
    const { outcome, operations } = await counting.during(() =>
      page(cache, refId, { page: 600, pageSize: 20 }),
    )
    expect(outcome).toMatchObject({
      preview: value.slice(599 * 20, 600 * 20),
      totalPages: Math.ceil(value.length / 20),
    })
    expect(outcome.totalPagesIsEstimate).toBeUndefined()
    // Where the page is, and what samples tell of the whole.
    expect(operations.filter(operation => operation === 'readSegment').length).toBeLessThan(12)
    const last = await page(cache, refId, { page: Math.ceil(value.length / 20), pageSize: 20 })
    expect((last.preview as JsonValue[]).at(-1)).toEqual(value.at(-1))
    await expect(cache.get(refId, { page: 99_999, pageSize: 20 })).rejects.toThrow('from 1 to')
    await expect(cache.get(refId, { page: 1, pageSize: 500 })).rejects.toMatchObject({
      code: 'answer_too_large',
    })
  })

  it('pages as the list that it is about, with its path', async () => {
    const rows = records(1.2)
    const store = open()
    const { refId } = await cacheOn(store()).set('list', { meta: { next: null }, 'the/data': { rows } })
    const answer = await page(cacheOn(store()), refId, { page: 3, pageSize: 5 })
    expect(answer).toMatchObject({
      path: '/the~1data/rows',
      totalItems: rows.length,
      preview: rows.slice(10, 15),
    })
  })

  it('pages by lines where it is a text', async () => {
    const lines = Array.from(
      { length: 30_000 },
      (_, n) => `line ${n}: something happened here, and somebody wrote it down`,
    )
    lines[700] = 'a very long line '.repeat(2_000)
    const text = lines.join('\n')
    const store = open()
    const { refId } = await cacheOn(store()).set('text', text)
    const cache = cacheOn(store())
    expect(await page(cache, refId, { page: 5, pageSize: 10 })).toMatchObject({
      preview: `${lines.slice(40, 50).join('\n')}\n`,
      pageUnit: 'lines',
      lines: [41, 50],
      totalLines: lines.length,
      totalPages: 3_000,
    })
    let joined = ''
    for (let number = 1; joined.length < 200_000; number++)
      joined += (await page(cache, refId, { page: number })).preview
    expect(text.startsWith(joined)).toBe(true)
  })
})

describe('a value of some megabytes, as a smaller one', () => {
  const log = Array.from({ length: 40_000 }, (_, n) => `line ${n} of "a log", with äöü and some more words\n`)

  it('pages as the one long text that it is about', async () => {
    const counting = countingStore(memoryStore())
    const cache = cacheOn(counting.store)
    const { refId } = await cache.set('v', { url: 'https://example.com', page: { body: log.join('') } })
    const about = { path: '/page/body', pageUnit: 'lines', totalLines: 40_000 }
    expect(await page(cache, refId, { page: 900, pageSize: 20 })).toMatchObject({
      ...about,
      preview: log.slice(17_980, 18_000).join(''),
      lines: [17_981, 18_000],
      totalPages: 2_000,
    })
    const joined: JsonValue[] = []
    for (let number = 1; number < 20; number++) {
      const { preview, lines } = await page(cache, refId, { page: number })
      joined.push(preview as string)
      expect(lines?.[1]).toBe(joined.join('').split('\n').length - 1)
    }
    expect(log.join('').startsWith(joined.join(''))).toBe(true)
    expect(await page(cache, refId, {})).toMatchObject({ path: '/page/body' })
  })

  it('has dense pages that hold as many rows as fit', async () => {
    const value = records(1.2)
    const cache = cacheOn(memoryStore())
    const { refId } = await cache.set('list', value)
    const limits = { inline: { tokens: 8_000 }, ceiling: { tokens: 25_000 }, reads: 'content' } as const
    const dense = await page(cache, refId, { page: 40, maxSize: 600, limits })
    expect(dense.columns).toEqual(['id', 'name', 'note'])
    expect(dense.previewSize).toBeGreaterThan(550)
    const plain = await page(cache, refId, { page: 40, maxSize: 600 })
    expect(dense.rows?.length).toBeGreaterThan((plain.preview as JsonValue[]).length)
  })

  it('is read by segments, however much may be given whole', async () => {
    const value = records(1.2)
    const counting = countingStore(memoryStore())
    const first = cacheOn(counting.store)
    const { refId } = await first.set('list', value)
    const cache = new RefCache({
      name: 't',
      store: counting.store,
      clock: new FakeClock(),
      fullLimitBytes: 64 * 1024 * 1024,
    })
    const { outcome, operations } = await counting.during(() => page(cache, refId, { page: 1 }))
    expect(operations.filter(operation => operation === 'readSegment').length).toBeLessThan(12)
    expect(outcome).toEqual(await page(first, refId, { page: 1 }))
    expect(await page(cache, refId, { maxSize: 10_000_000 })).toMatchObject({ isComplete: true, value })
  })

  it('has parts that are read once', async () => {
    const counting = countingStore(memoryStore())
    const cache = cacheOn(counting.store)
    const { refId } = await cache.set('v', { a: records(1).slice(0, 4_000), b: records(1.2) })
    const reads = async (options: GetOptions) => {
      const { operations } = await counting.during(() => page(cache, `${refId}#/a`, options))
      return operations.filter(operation => operation === 'readSegment').length
    }
    expect(await reads({ page: 1, pageSize: 5 })).toBeGreaterThan(0)
    expect(await reads({ page: 1, pageSize: 5 })).toBe(0)
    expect(await page(cache, `${refId}#/a`, { page: 2, pageSize: 5 })).toMatchObject({
      preview: records(1).slice(5, 10),
    })
  })
})

describe('a task whose result has some megabytes', () => {
  it('is a hit, is found again, and leaves no segment behind when it is deleted', async () => {
    const [, open] = places()[1] as [string, () => () => Store]
    const store = open()()
    const cache = cacheOn(store)
    const handler = vi.fn(() => records(1.2))
    const tool = cache.cached({ name: 'list' }, handler)
    const { refId } = await tool({})
    expect((await tool({})).refId).toBe(refId)
    expect(handler).toHaveBeenCalledTimes(1)
    expect(await cache.resolve(refId)).toEqual(records(1.2))
    const entry = await store.get(refId)
    const { id = '' } = (entry?.status === 'complete' && entry.segments) || {}
    expect(await store.readSegment({ refId, valueId: id, position: 0 })).toBeDefined()
    await cache.delete(refId)
    expect(await store.readSegment({ refId, valueId: id, position: 0 })).toBeUndefined()
  })

  it('can be used without an entry that anybody asked for', async () => {
    const store = memoryStore()
    const cache = cacheOn(store)
    const tool = cache.cached({ name: 'list', memoize: false }, () => records(1.2))
    const answer = await tool({}, { claim: 'late' })
    expect(answer).toMatchObject({ status: 'complete', isComplete: false })
    expect(await cache.resolve(answer.refId as string)).toEqual(records(1.2))
  })
})

it('a segment that is gone makes a value unreadable, and nothing else', async () => {
  const store = memoryStore()
  const { readSegment } = store
  store.readSegment = async segment => (segment.position === 3 ? undefined : readSegment.call(store, segment))
  const cache = cacheOn(store)
  const { refId } = await cache.set('list', records(1.2))
  await expect(cache.resolve(refId)).rejects.toBeInstanceOf(UnreadableValue)
  expect(await page(cache, refId, { page: 1, pageSize: 2 })).toMatchObject({
    preview: records(1.2).slice(0, 2),
  })
})
