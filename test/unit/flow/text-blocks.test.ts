import { afterEach, describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { PROXIED_RESULT } from '../../../src/values/result-projections.ts'
import { countingStore } from '../../counting-store.ts'

const caches: RefCache[] = []
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

const text = (content: string): JsonValue => ({ type: 'text', text: content })
const image = { type: 'image', mimeType: 'image/png', data: Buffer.alloc(3_000, 7).toString('base64') }
const orders = (rows: number) =>
  Array.from({ length: rows }, (_, id) => ({ id, city: id % 3 === 0 ? 'Lisbon' : 'Oslo', total: id * 10 }))
const csv = (rows: number) =>
  `city,country\n${Array.from({ length: rows }, (_, at) => (at === 0 ? 'Lisbon,PT' : `c${at},NO`)).join('\n')}`

/** A result of a tool of MCP, stored. */
async function stored(content: JsonValue[]) {
  const counting = countingStore(memoryStore())
  const cache = new RefCache({
    name: 't',
    store: counting.store,
    clock: new FakeClock(),
    preview: { maxSize: 600 },
  })
  caches.push(cache)
  const tool = cache.cached({ name: 'tool', projection: PROXIED_RESULT, verbatim: true }, () => ({ content }))
  const { refId } = await tool({})
  const ask = async (sql: string, part = '') => {
    const answer = await cache.query(`${refId}${part}`, { sql })
    return answer.status === 'complete' ? answer.value : answer
  }
  return { cache, refId, ask, counting }
}

describe.each([
  ['small', 300],
  ['large', 30_000],
])('several texts of a %s result', (_, rows) => {
  const content = [
    text('Report of today.\nTwo tables:'),
    image,
    text(JSON.stringify(orders(rows))),
    text(csv(300)),
  ]

  it('are named in the preview, with the tables that questions have', async () => {
    const { cache, refId, ask } = await stored(content)
    const answer = await cache.get(refId)
    expect(answer).toMatchObject({
      shape: { items: { rows }, content_3: { rows: 300, columns: { country: expect.any(String) } } },
      parts: {
        '#/content/0': 'text, 2 lines',
        '#/content/2': `list, ${rows} items`,
        '#/content/3': 'csv, 300 rows',
      },
    })
    expect(await ask('select count(*) n, max(total) most from items')).toEqual([
      { n: rows, most: (rows - 1) * 10 },
    ])
    expect(await ask('select country, count(*) n from items join content_3 using (city) group by 1')).toEqual(
      [{ country: 'PT', n: rows / 3 }],
    )
    expect(await ask('select text from lines where line = 2')).toEqual([{ text: 'Two tables:' }])
    expect(await ask("select distinct in_table from columns where in_table <> 'columns'")).toEqual(
      ['items', 'content_3', 'lines'].map(in_table => ({ in_table })),
    )
  })

  it('are parts, and so is what is in them', async () => {
    const { cache, refId, ask, counting } = await stored(content)
    expect(await cache.resolve(`${refId}#/content/0`)).toBe('Report of today.\nTwo tables:')
    const { outcome, operations } = await counting.during(() => cache.resolve(`${refId}#/content/2/7`))
    expect(outcome).toEqual(orders(8)[7])
    expect(operations.filter(one => one === 'readSegment').length).toBeLessThan(20)
    expect(await ask('select count(*) n from rows', '#/content/3')).toEqual([{ n: 300 }])
    await expect(cache.resolve(`${refId}#/content/7`)).rejects.toThrow('Nothing is at #/content/7')
  })
})

describe('records that come one in a text', () => {
  it('are rows of one table', async () => {
    const issue = (id: number) => JSON.stringify({ id, title: `Issue ${id}`, labels: ['bug'] }, null, 2)
    const { ask, cache, refId } = await stored(Array.from({ length: 200 }, (_, id) => text(issue(id))))
    expect(await ask('select count(*) n, max(id) last from items')).toEqual([{ n: 200, last: 199 }])
    expect(await cache.get(refId)).toMatchObject({
      shape: { items: { rows: 200 } },
      parts: { '#/content/0': 'object', '…': '(+188 parts)' },
    })
  })
})
