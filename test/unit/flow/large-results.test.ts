import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import type { GetOptions } from '../../../src/flow/read/poll.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { encryptedStore } from '../../../src/stores/encrypted.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { PROXIED_RESULT, RETURNED_RESULT } from '../../../src/values/result-projections.ts'
import { countingStore } from '../../counting-store.ts'
import { expectMarked } from '../preview/marks.ts'

const ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function stores(): Array<[string, () => Store]> {
  const folder = () => {
    const made = mkdtempSync(join(tmpdir(), 'mcp-refcache-results-'))
    ends.push(() => rmSync(made, { recursive: true }))
    return made
  }
  return [
    ['memory', () => memoryStore()],
    ['SQLite', () => sqliteStore(join(folder(), 'cache.db'))],
    [
      'SQLite, encrypted',
      () =>
        encryptedStore(sqliteStore(join(folder(), 'cache.db')), {
          keys: { current: { id: 'k', key: Buffer.alloc(32, 7) } },
        }),
    ],
  ]
}

/** The result of a tool, stored; and what reading it costs the store. */
async function stored(store: Store, result: unknown, projection = PROXIED_RESULT) {
  const counting = countingStore(store)
  const cache = new RefCache({ name: 't', store: counting.store, clock: new FakeClock() })
  ends.push(() => cache.close())
  const tool = cache.cached(
    { name: 'tool', projection, verbatim: projection === PROXIED_RESULT },
    () => result,
  )
  const { refId } = await tool({})
  return {
    cache,
    refId,
    async read(options: GetOptions, part = '') {
      const { outcome, operations } = await counting.during(() => cache.get(`${refId}${part}`, options))
      if (outcome.status !== 'complete') throw new Error(outcome.status)
      return { answer: outcome, segments: operations.filter(one => one === 'readSegment').length }
    },
  }
}

function records(count: number): JsonObject[] {
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `record ${id}`,
    note: 'of some length, "quoted"',
  }))
}

const log = Array.from(
  { length: 30_000 },
  (_, n) =>
    `12:00:${String(n % 60).padStart(2, '0')} ${n === 21_234 ? 'ERROR' : 'INFO'} request ${n} of user ${n % 7}\n`,
).join('')

describe.each(stores())('the large result of a tool, on %s', (_, open) => {
  it('that is a text pages and previews by lines, and is what the tool gave', async () => {
    const result = {
      content: [{ type: 'text', text: log }],
      structuredContent: { content: log },
      _meta: { took: 3 },
    }
    const { cache, refId, read } = await stored(open(), result)
    const { answer, segments } = await read({})
    expectMarked(log, answer.preview as JsonValue)
    expect(answer).toMatchObject({ totalLines: 30_000, meta: { took: 3 } })
    expect(String(answer.preview)).toContain('ERROR request 21234')
    expect(segments).toBeLessThanOrEqual(12)
    const page = await read({ page: 900, pageSize: 20 })
    expect(page.answer).toMatchObject({ lines: [17_981, 18_000], totalLines: 30_000 })
    expect(page.answer.preview).toBe(
      log
        .split(/(?<=\n)/)
        .slice(17_980, 18_000)
        .join(''),
    )
    expect(page.segments).toBeLessThan(6)
    expect(await cache.resolve(refId)).toEqual(result)
    expect(JSON.stringify(await cache.resolve(refId))).toBe(JSON.stringify(result))
    expect((await cache.get(`${refId}#L21235`)) as object).toMatchObject({
      value: expect.stringContaining('ERROR'),
    })
  })

  it('that is JSON in a text pages and previews as that JSON, and is passed on as that text', async () => {
    const value = { next: null, rows: records(16_000) }
    const text = JSON.stringify(value, null, 2)
    const result = { content: [{ type: 'text', text }] }
    const { cache, refId, read } = await stored(open(), result)
    const { answer, segments } = await read({})
    const about = { path: '/rows', totalItems: 16_000, reformatted: true }
    expect(answer).toMatchObject({ ...about, shape: { rows: { rows: 16_000 } } })
    expectMarked(value, answer.preview as JsonValue)
    expect(segments).toBeLessThan(20)
    const page = await read({ page: 700, pageSize: 20 })
    expect(page.answer).toMatchObject(about)
    expect(page.answer.preview).toEqual(value.rows.slice(13_980, 14_000))
    const first = await read({ page: 1 })
    expect(first.answer.previewSize).toBeGreaterThan(900)
    const count = (first.answer.preview as JsonValue[]).length
    expect(first.answer.preview).toEqual(value.rows.slice(0, count))
    const second = await read({ page: 2 })
    expect((second.answer.preview as JsonValue[])[0]).toEqual(value.rows[count])
    expect(await cache.resolve(refId)).toEqual(result)
  })

  it('that is structured content pages and previews as that', async () => {
    const structuredContent = { next: null, rows: records(16_000) }
    const result = { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent }
    const { cache, refId, read } = await stored(open(), result)
    const { answer, segments } = await read({})
    expect(answer).toMatchObject({ path: '/rows', totalItems: 16_000, shape: { rows: { rows: 16_000 } } })
    expectMarked(structuredContent, answer.preview as JsonValue)
    expect(segments).toBeLessThan(20)
    const page = await read({ page: 700, pageSize: 20 })
    expect(page.answer.preview).toEqual(structuredContent.rows.slice(13_980, 14_000))
    expect(page.segments).toBeLessThan(4)
    expect(await cache.resolve(refId)).toEqual(result)
  })

  it('of a tool that may return anything is shown as what it is', async () => {
    const list = records(16_000)
    const { read, cache, refId } = await stored(open(), list, RETURNED_RESULT)
    const { answer, segments } = await read({})
    expect(answer).toMatchObject({ totalItems: 16_000, shape: { items: { rows: 16_000 } } })
    expect(segments).toBeLessThan(20)
    expect(await cache.resolve(refId)).toEqual(list)
  })
})

describe.each(stores())('a part of a large value, on %s', (_, open) => {
  it('is read, paged and used from the segments that it stands in', async () => {
    const rows = records(16_000)
    const value = { next: null, data: { rows, 'a/b': [1, 2] }, text: log }
    const { cache, refId, read } = await stored(open(), value, RETURNED_RESULT)
    expect(await cache.resolve(`${refId}#/data/rows/10000/name`)).toBe('record 10000')
    expect(await cache.resolve(`${refId}#/data/a~1b/1`)).toBe(2)
    expect(await cache.resolve(`${refId}#/text`)).toBe(log)
    const item = await read({}, '#/data/rows/10000')
    expect(item.answer).toMatchObject({ isComplete: true, value: rows[10_000] })
    expect(item.segments).toBeLessThan(4)
    const page = await read({ page: 700, pageSize: 20 }, '#/data/rows')
    expect(page.answer.preview).toEqual(rows.slice(13_980, 14_000))
    expect(page.segments).toBeLessThan(12)
    const preview = await read({}, '#/data/rows')
    expectMarked(rows, preview.answer.preview as JsonValue)
    for (const missing of ['#/data/rows/16000', '#/data/none', '#/data/rows/-1', '#L1']) {
      await expect(cache.resolve(`${refId}${missing}`)).rejects.toMatchObject({ code: 'invalid_argument' })
    }
    const echo = cache.cached({ name: 'echo' }, (args: JsonValue) => args)
    expect(await echo({ row: `${refId}#/data/rows/7` })).toMatchObject({ value: { row: rows[7] } })
  })

  it('is found in a text that is JSON, and by its lines', async () => {
    const rows = records(16_000)
    const text = JSON.stringify({ rows }, null, 1)
    const { cache, refId, read } = await stored(open(), { content: [{ type: 'text', text }] })
    expect(await cache.resolve(`${refId}#/rows/10000/name`)).toBe('record 10000')
    const lines = await read({}, '#L3-L6')
    expect(lines.answer.value).toBe(text.split('\n').slice(2, 6).join('\n'))
    expect(lines.segments).toBeLessThan(4)
    expect(await cache.resolve(`${refId}#/content/0`)).toBe(text)
  })
})

describe.each(stores().slice(-1))(
  'a large result of which the value has to be put together, on %s',
  (_, open) => {
    it('of several texts is read in pieces', async () => {
      const result = {
        content: [
          { type: 'text', text: log },
          { type: 'text', text: 'and another text' },
        ],
      }
      const { read, cache, refId } = await stored(open(), result)
      const { answer, segments } = await read({})
      expectMarked(`${log}\n\nand another text`, answer.preview as JsonValue)
      expect(segments).toBeLessThanOrEqual(12)
      const page = await read({ page: 900, pageSize: 20 })
      expect(page.answer).toMatchObject({ lines: [17_981, 18_000], totalLines: 30_003 })
      expect(page.segments).toBeLessThan(6)
      expect(await cache.resolve(refId)).toEqual(result)
      expect(await cache.resolve(`${refId}#L30003`)).toBe('and another text')
      expect(await cache.resolve(`${refId}#/content/1`)).toBe('and another text')
      const found = await cache.query(refId, { search: 'another' })
      expect(found).toMatchObject({ value: { matched: 1, matches: ['30003: and another text'] } })
    })

    it('of a text and media is that text, with the media beside it', async () => {
      const data = Buffer.alloc(300_000, 7).toString('base64')
      const image = { type: 'image', mimeType: 'image/png', data }
      const result = { content: [{ type: 'text', text: log }, image] }
      const { read, cache, refId } = await stored(open(), result)
      const { answer, segments } = await read({})
      expectMarked(log, answer.preview as JsonValue)
      expect(answer).toMatchObject({
        about: { media: [{ type: 'image', bytes: 300_000 }] },
        totalLines: 30_000,
      })
      expect(segments).toBeLessThanOrEqual(12)
      expect(await cache.resolve(refId)).toEqual(result)
      expect(await cache.resolve(`${refId}#/content/1`)).toEqual(image)
    })

    it('of texts that are JSON beside each other is one text', async () => {
      const texts = [records(12_000), records(16_000)].map(rows => JSON.stringify(rows))
      const result = { content: texts.map(text => ({ type: 'text', text })) }
      const { read, cache, refId } = await stored(open(), result)
      const { answer } = await read({ page: 1 })
      expect(texts[0]?.startsWith(String(answer.preview).slice(0, 500))).toBe(true)
      expect(await cache.resolve(refId)).toEqual(result)
    })

    it('of a text that is JSON beside structured content that says something else is both', async () => {
      const structuredContent = { cursor: 'next', rows: records(16_000) }
      const result = { content: [{ type: 'text', text: log }], structuredContent }
      const value = { text: log, structured: structuredContent }
      const { read, cache, refId } = await stored(open(), result)
      const { answer, segments } = await read({})
      expectMarked(value, answer.preview as JsonValue)
      expect(answer).toMatchObject({ shape: { rows: { rows: 16_000 } } })
      expect(segments).toBeLessThanOrEqual(20)
      const page = await read({ page: 700, pageSize: 20 }, '#/structured/rows')
      expect(page.answer.preview).toEqual(structuredContent.rows.slice(13_980, 14_000))
      expect(page.segments).toBeLessThan(12)
      const lines = await read({ page: 2, pageSize: 20 }, '#/text')
      expect(lines.answer).toMatchObject({ lines: [21, 40], totalLines: 30_000 })
      expect(await cache.resolve(refId)).toEqual(result)
      const rows = await cache.query(refId, { sql: 'select count(*) n from rows' })
      expect(rows).toMatchObject({ value: [{ n: 16_000 }] })
    })
  },
)

describe('a text that is in segments, and that nobody has looked at', () => {
  it('is searched as the JSON that it is', async () => {
    const text = JSON.stringify({ rows: records(5_000) }, null, 1)
    expect(text.length).toBeLessThan(1024 * 1024)
    const { cache, refId } = await stored(memoryStore(), text, RETURNED_RESULT)
    const found = await cache.query(refId, { search: '"record 4321"' })
    expect(found).toMatchObject({ value: { matched: 1, items: 5_000 } })
  })
})

describe('what a handler returned with dates and absent members', () => {
  it('is compared as the JSON that it becomes', async () => {
    const at = new Date(0)
    const rows = records(16_000).map(record => ({ ...record, at, none: undefined }))
    const text = JSON.stringify({ rows }, null, 1)
    const result = { content: [{ type: 'text', text }], structuredContent: { rows }, _meta: { at } }
    const { read, cache, refId } = await stored(memoryStore(), result, RETURNED_RESULT)
    const page = await read({ page: 700, pageSize: 1 })
    expect(page.answer).toMatchObject({ path: '/rows', totalItems: 16_000 })
    expect(page.answer.preview).toEqual([{ ...records(700)[699], at: at.toISOString() }])
    expect((await read({})).answer.meta).toEqual({ at: at.toISOString() })
    expect(await cache.resolve(refId)).toEqual(JSON.parse(JSON.stringify(result)))
  })
})
