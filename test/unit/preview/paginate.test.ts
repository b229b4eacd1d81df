import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import { parseJson, stringifyJson } from '../../../src/core/json-text.ts'
import { type Part, toReference } from '../../../src/core/part.ts'
import { contentOf } from '../../../src/preview/memory-content.ts'
import {
  type PartRendering,
  type RenderRequest,
  render,
  renderPart,
  Source,
} from '../../../src/preview/preview.ts'
import { takePart } from '../../../src/values/pointer.ts'
import { join } from './join.ts'
import { json, large, prose, rows, sizeMode, sizeOf } from './values.ts'

type PageRequest = Omit<RenderRequest, 'page' | 'strategy'>

const tokens = (maxSize: number, pageSize?: number): PageRequest => ({
  maxSize,
  sizeMode: 'token',
  ...(pageSize === undefined ? {} : { pageSize }),
})

async function page(source: Source, request: PageRequest, number: number): Promise<PartRendering> {
  const shown = await render(source, { ...request, strategy: 'sample', page: number })
  if (shown.kind !== 'part') throw new Error('an asked page is a part')
  return shown
}

async function pages(value: JsonValue, request: PageRequest): Promise<PartRendering[]> {
  const source = new Source(value)
  const first = await page(source, request, 1)
  const all = [first]
  while (all.length < first.totalPages!) all.push(await page(source, request, all.length + 1))
  return all
}

function partAt(path: string): Part {
  return toReference('t', `t:${'0'.repeat(32)}#${path}`)?.part as Part
}

/** Fails unless the pages are together the value, or the part of it that they are of. */
function expectWhole(all: PartRendering[], value: JsonValue): void {
  const joined = join(all)
  const { path, reformatted } = all[0]!
  const read = reformatted || (typeof value === 'string' && typeof joined !== 'string')
  const whole = read ? parseJson(value as string) : value
  const expected = path === undefined ? whole : takePart({ value: whole }, partAt(path))
  expect(stringifyJson(joined)).toBe(stringifyJson(expected))
}

function countOf({ preview, pageUnit, lines }: PartRendering): number {
  if (pageUnit === 'lines') return lines![1] - lines![0] + 1
  return Array.isArray(preview) ? preview.length : Object.keys(preview as JsonObject).length
}

const budget = fc.oneof(fc.integer({ min: 8, max: 40 }), fc.integer({ min: 40, max: 400 }))

describe('pages', () => {
  it('are together the value exactly, and each is within the budget', async () => {
    await fc.assert(
      fc.asyncProperty(large, sizeMode, budget, async (value, sizeMode, maxSize) => {
        const all = await pages(value, { ...tokens(maxSize), sizeMode })
        for (const { preview, previewSize, totalPages, page } of all) {
          expect(previewSize).toBe(sizeOf(preview, sizeMode))
          expect(previewSize).toBeLessThanOrEqual(maxSize)
          expect([page, totalPages]).toEqual([all.findIndex(one => one.page === page) + 1, all.length])
        }
        expectWhole(all, value)
      }),
      { numRuns: 120 },
    )
  })

  it('are the same for another source of the same value, whatever was asked before', async () => {
    await fc.assert(
      fc.asyncProperty(json, sizeMode, budget, async (value, sizeMode, maxSize) => {
        const request = { ...tokens(maxSize), sizeMode }
        const all = await pages(value, request)
        const last = await page(new Source(value, JSON.stringify(value)), request, all.length)
        expect(last).toEqual(all.at(-1))
      }),
      { numRuns: 50 },
    )
  })

  it('hold as many items as fit', async () => {
    const value = rows(400)
    const all = await pages(value, tokens(300))
    let next = 0
    for (const { preview } of all.slice(0, -1)) {
      const items = preview as JsonValue[]
      next += items.length
      expect(sizeOf([...items, value[next]!], 'token')).toBeGreaterThan(300)
    }
  })

  it('hold exactly pageSize items, and are together the value', async () => {
    expect(
      (await pages(rows(100), tokens(100_000, 30))).map(({ preview }) => (preview as []).length),
    ).toEqual([30, 30, 30, 10])
    const pageSize = fc.integer({ min: 1, max: 12 })
    await fc.assert(
      fc.asyncProperty(large, sizeMode, pageSize, async (value, sizeMode, pageSize) => {
        const all = await pages(value, { ...tokens(1_000_000, pageSize), sizeMode })
        for (const one of all.slice(0, -1)) expect(countOf(one)).toBe(pageSize)
        expectWhole(all, value)
      }),
      { numRuns: 120 },
    )
  })

  it('of a pageSize are the same for every budget, or say what would fit', async () => {
    let refused = 0
    const size = fc.integer({ min: 1, max: 12 })
    const number = fc.integer({ min: 1, max: 6 })
    await fc.assert(
      fc.asyncProperty(large, sizeMode, budget, size, number, async (value, sizeMode, maxSize, size, n) => {
        const request = { ...tokens(1_000_000, size), sizeMode }
        const whole = await page(new Source(value), request, n).catch(error => error as Error)
        const tight = await page(new Source(value), { ...request, maxSize }, n).catch(error => error as Error)
        if (whole instanceof Error) expect(tight).toEqual(whole)
        else if (whole.previewSize <= maxSize) expect(tight).toEqual(whole)
        else {
          refused++
          expect(tight).toMatchObject({ code: 'answer_too_large' })
          const { message } = tight as Error
          expect(message).toMatch(/page_size/)
          const [, wanted] = /max_size of (\d+)/.exec(message) ?? []
          expect(Number(wanted)).toBeGreaterThan(maxSize)
        }
      }),
      { numRuns: 200 },
    )
    expect(refused).toBeGreaterThan(20)
    const tooMany = page(new Source(rows(100)), tokens(500, 50), 2)
    await expect(tooMany).rejects.toThrow(/parts 51 to 100.*page_size of about \d+.*max_size of \d+/)
  })

  it('of a pageSize never come as slices of JSON', async () => {
    const value = [1, prose(5000), 3]
    await expect(page(new Source(value), tokens(200, 1), 2)).rejects.toThrow(
      /part 2 alone.*without page_size/,
    )
    expect(await page(new Source(value), tokens(200, 1), 3)).toMatchObject({ preview: [3], totalPages: 3 })
  })

  it('of a text end with its lines', async () => {
    const value = Array.from({ length: 300 }, (_, at) => `line ${at}: ${prose(at % 60)}`).join('\n')
    const all = await pages(value, tokens(200))
    expect(all[0]!.pageUnit).toBe('lines')
    for (const { preview } of all.slice(0, -1)) expect(preview).toMatch(/\n$/)
    expect(join(all)).toBe(value)
    const counted = await pages(value, tokens(100_000, 100))
    expect(counted.map(({ preview }) => (preview as string).trimEnd().split('\n').length)).toEqual([
      100, 100, 100,
    ])
  })

  it('of a text with a line beyond the budget are cut between characters, never within one', async () => {
    const value = `short\n${'😀é\u0000'.repeat(500)}\nshort`
    for (const sizeMode of ['token', 'character'] as const) {
      const all = await pages(value, { ...tokens(20), sizeMode })
      expect(all[0]).toMatchObject({ pageUnit: 'lines', preview: 'short\n' })
      expect(all[1]).toMatchObject({ pageUnit: 'characters', lines: [2, 2] })
      for (const { preview } of all) expect(() => encodeURIComponent(preview as string)).not.toThrow()
      expect(join(all)).toBe(value)
    }
  })

  it('of an item beyond the budget are slices of its JSON, among those of its neighbours', async () => {
    const value = [1, 2, prose(5000), { a: '😀'.repeat(400) }, 3]
    const all = await pages(value, tokens(200))
    expect([all[0], all.at(-1)]).toMatchObject([
      { pageUnit: 'items', preview: [1, 2] },
      { pageUnit: 'items', preview: [3] },
    ])
    const slices = all.slice(1, -1)
    expect(slices.every(({ pageUnit }) => pageUnit === 'json')).toBe(true)
    expect(`[${slices.map(({ preview }) => preview).join('')}]`).toBe(JSON.stringify(value.slice(2, 4)))
  })

  it('of an object that is about one list, or one text, are of that, and say where it stands', async () => {
    const items = rows(300)
    const text = Array.from({ length: 300 }, (_, at) => `line ${at}`).join('\n')
    const about: [JsonValue, string, JsonValue][] = [
      [{ metadata: { total: 300, next: null }, items }, '/items', items],
      [{ data: { rows: items, took: 3 }, ok: true }, '/data/rows', items],
      [{ 'a/b': { '~': items } }, '/a~1b/~0', items],
      [JSON.stringify({ metadata: {}, items }, null, 2), '/items', items],
      [{ url: 'https://example.com', content: text }, '/content', text],
    ]
    for (const [value, path, expected] of about) {
      const all = await pages(value, tokens(300))
      expect(all[0]).toMatchObject({ path })
      expect(all.length).toBeGreaterThan(3)
      expect(join(all)).toEqual(expected)
      if (Array.isArray(expected)) expect(all[0]!.totalItems).toBe(300)
    }
    const two = { users: items, orders: items }
    expect((await pages(two, tokens(100_000)))[0]).not.toHaveProperty('path')
  })

  it('keep an own __proto__ key and the order of keys', async () => {
    const value = JSON.parse(
      `{"b":1,"__proto__":{"x":[1,2,3]},"a":"${'word '.repeat(30)}","10":2}`,
    ) as JsonObject
    const all = await pages(value, tokens(50))
    expect(all[0]!.pageUnit).toBe('entries')
    expect(all.some(({ preview }) => Object.hasOwn(preview as JsonObject, '__proto__'))).toBe(true)
    const keys = all.flatMap(({ preview }) => Object.keys(preview as JsonObject))
    expect(keys).toEqual(['10', 'b', '__proto__', 'a'])
  })

  it.each([[[]], [{}], [''], [7], [null], [true], ['short'], [[1, 2]]] as [JsonValue][])(
    'of %j are one',
    async value => {
      expect(await page(new Source(value), tokens(50), 1)).toMatchObject({
        kind: 'part',
        preview: value,
        strategy: 'paginate',
        page: 1,
        totalPages: 1,
      })
    },
  )

  it.each([1, 5, 30])(
    'of a long number exist with a budget of %d characters or say what would do',
    async maxSize => {
      const request = { ...tokens(maxSize), sizeMode: 'character' as const }
      if (maxSize < 4) {
        await expect(pages(-1.234567890123e-300, request)).rejects.toThrow(/max_size of 8 or more/)
      } else expect(join(await pages(-1.234567890123e-300, request))).toBe(-1.234567890123e-300)
    },
  )

  it('exist for any character with a budget of 8', async () => {
    const characters = Array.from({ length: 3000 }, (_, at) => String.fromCodePoint(1 + at * 371))
    for (const sizeMode of ['token', 'character'] as const) {
      const value = characters.join('')
      expect(join(await pages(value, { ...tokens(8), sizeMode }))).toBe(value)
    }
  })

  it.each([0, -1, 1.5, 41, Number.NaN])('refuse page %d and say how many there are', async number => {
    const asked = page(new Source(rows(40)), tokens(100_000, 1), number)
    await expect(asked).rejects.toMatchObject({ code: 'invalid_argument' })
    await expect(asked).rejects.toThrow(/40 pages.*from 1 to 40/)
  })

  it.each([0, -1, 2.5])('refuse a page size of %d', async size => {
    await expect(page(new Source(rows(4)), tokens(100, size), 1)).rejects.toThrow(/page_size/)
  })

  it('are laid out once for each budget, and only a few layouts are kept', async () => {
    const content = await contentOf(new Source(rows(300)))
    const shown = (maxSize: number, page: number) =>
      renderPart(content, { ...tokens(maxSize), strategy: 'sample', page })
    await Promise.all([1, 2, 3].map(number => shown(200, number)))
    const { remembered } = content
    await shown(200, 4)
    expect(content.remembered).toBe(remembered)
    for (let size = 1; size < 30; size++) await shown(1000 + size, 1)
    expect(content.remembered).toBeLessThan(15)
  })

  it('begin with the first when the strategy is to paginate', async () => {
    const source = new Source(rows(100))
    const shown = await render(source, { ...tokens(200), strategy: 'paginate' })
    expect(shown).toEqual(await page(source, tokens(200), 1))
  })
})
