import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RefCache } from '../../../src/ref-cache.ts'
import { ADAPTERS } from '../../../src/ref-cache-adapters.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { PROXIED_RESULT } from '../../../src/values/result-projections.ts'
import { scene, storeWith } from './scene.ts'

const caches: RefCache[] = []
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

/** A process that has read nothing yet, and how many segments it reads. */
function freshProcess(shared: ReturnType<typeof memoryStore>) {
  let segments = 0
  const store = storeWith(shared, {
    close: async () => {},
    readSegment: name => {
      segments++
      return shared.readSegment(name)
    },
  })
  const { cache } = scene({ store })
  caches.push(cache)
  const read = async <T>(run: (cache: RefCache) => Promise<T>) => {
    const before = segments
    const value = await run(cache)
    return { value, segments: segments - before }
  }
  return { read }
}

const rows = (count: number, of: string) =>
  Array.from({ length: count }, (_, id) => ({ id, of, note: 'n'.repeat(40) }))

/** About 5 MB of JSON; the part that is asked is 150 KB of it. */
const value = { before: rows(30_000, 'before'), asked: rows(2_000, 'asked'), after: rows(30_000, 'after') }
const ALL = 30
const FEW = 5

async function text(content: AsyncIterable<string | Uint8Array>): Promise<string> {
  let written = ''
  for await (const chunk of content) written += chunk.toString()
  return written
}

describe('a part that is not there', () => {
  const LINES = 30_000
  const store = memoryStore()
  const { cache } = scene({ store })
  const refs: string[] = []
  beforeAll(async () => {
    const line = 'of a long text that is no JSON'
    const log = Array.from({ length: LINES }, (_, at) => `line ${at} ${line}`).join('\n')
    const tool = cache.cached({ name: 'read', projection: PROXIED_RESULT }, () => ({
      content: [{ type: 'text', text: log }],
      structuredContent: { content: log },
    }))
    for (const { refId } of [await tool({}), await cache.set('log', log)]) refs.push(refId)
  })
  afterAll(() => cache.close())

  it.each(['#/5', '#/content/7', '#L600000', '#/structuredContent/a'])(
    '%s of a large text is refused without reading that',
    async part => {
      expect(refs).toHaveLength(2)
      for (const refId of refs) {
        const { value, segments } = await freshProcess(store).read(cache =>
          cache.resolve(`${refId}${part}`).catch(error => error),
        )
        expect(value).toMatchObject({
          code: 'invalid_argument',
          message: part.includes('L')
            ? `There are ${LINES} lines: ask for some of them.`
            : expect.stringContaining('Nothing is at'),
        })
        expect(segments).toBeLessThan(FEW)
      }
    },
  )
})

describe('a part of a large value', () => {
  const store = memoryStore()
  const { cache } = scene({ store })
  let refId = ''
  beforeAll(async () => {
    refId = (await cache.set('value', value)).refId
    const whole = await freshProcess(store).read(fresh => fresh.resolve(refId))
    expect(whole.segments).toBeGreaterThan(ALL)
  })
  afterAll(() => cache.close())

  it.each<[string, (cache: RefCache, ref: string) => Promise<unknown>, unknown]>([
    ['resolve', (cache, ref) => cache.resolve(`${ref}/7/of`), 'asked'],
    [
      'get',
      async (cache, ref) =>
        ((await cache.get(ref, { page: 1, pageSize: 1 })) as { preview?: unknown }).preview,
      [value.asked[0]],
    ],
    [
      'search',
      async (cache, ref) => ((await cache.query(ref, { search: '"id":1999' })) as { value?: unknown }).value,
      { matched: 1, items: 2_000, matches: [`/1999: ${JSON.stringify(value.asked[1999])}`] },
    ],
    [
      'SQL',
      async (cache, ref) =>
        ((await cache.query(ref, { sql: 'select count(*) n from items' })) as { value?: unknown }).value,
      [{ n: 2_000 }],
    ],
    [
      'an export',
      async (cache, ref) => {
        const { content } = await cache[ADAPTERS].openExport(ref, { format: 'json' })
        return JSON.parse(await text(content))
      },
      value.asked,
    ],
    [
      'an export as it came',
      async (cache, ref) => {
        const { content } = await cache[ADAPTERS].openExport(ref, { format: 'original' })
        return JSON.parse(await text(content))
      },
      value.asked,
    ],
    [
      'an argument of a tool',
      async (cache, ref) => {
        const count = cache.cached({ name: 'count' }, async ({ of }: { of: unknown[] }) => of.length)
        return count.value({ of: ref as never })
      },
      2_000,
    ],
  ])('is read without the rest: %s', async (_, ask, expected) => {
    const { read } = freshProcess(store)
    const found = await read(fresh => ask(fresh, `${refId}#/asked`))
    expect(found.value).toEqual(expected)
    expect(found.segments).toBeLessThanOrEqual(FEW)
  })
})

it('the original of a text is written as it is read', async () => {
  const store = memoryStore()
  const { cache } = scene({ store })
  caches.push(cache)
  const log = 'a line of the log\n'.repeat(80_000)
  const { refId } = await cache.set('log', log)
  const { read } = freshProcess(store)
  const opened = await read(fresh => fresh[ADAPTERS].openExport(refId, { format: 'original' }))
  expect(opened.segments).toBe(0)
  const { value: written } = await read(() => text(opened.value.content))
  expect(written === log).toBe(true)
})
