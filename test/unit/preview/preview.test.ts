import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import {
  measure,
  type PartRendering,
  type PreviewStrategy,
  type RenderRequest,
  render,
  Source,
} from '../../../src/preview/preview.ts'
import { expectMarked } from './marks.ts'
import { budget, json, large, prose, rows, sizeMode, sizeOf, strategy } from './values.ts'

const tokens = (maxSize: number, strategy: PreviewStrategy = 'sample'): RenderRequest => ({
  maxSize,
  strategy,
  sizeMode: 'token',
})

async function partOf(value: JsonValue, request: RenderRequest): Promise<PartRendering> {
  const shown = await render(new Source(value), request)
  if (shown.kind !== 'part') throw new Error('it fits whole')
  return shown
}

describe('a view', () => {
  it('never exceeds its budget, by exact count, whatever the value, strategy and budget', async () => {
    await fc.assert(
      fc.asyncProperty(large, strategy, sizeMode, budget, async (value, strategy, sizeMode, maxSize) => {
        const shown = await render(new Source(value), { maxSize, sizeMode, strategy })
        const given = shown.kind === 'whole' ? shown.value : shown.preview
        const size = sizeOf(given, sizeMode)
        expect(size).toBeLessThanOrEqual(maxSize)
        if (shown.kind === 'part') expect(shown.previewSize).toBe(size)
        else expect([size, Buffer.byteLength(JSON.stringify(value))]).toContain(shown.size)
        if (shown.kind === 'whole') expect(shown.size).toBeLessThanOrEqual(maxSize)
      }),
      { numRuns: 400 },
    )
  })

  it('leaves nothing out without a mark in its place, at any level', async () => {
    const request = fc.record({
      strategy: fc.constantFrom('sample', 'truncate'),
      sizeMode,
      maxSize: fc.integer({ min: 20, max: 400 }),
    })
    await fc.assert(
      fc.asyncProperty(large, request, async (value, request) => {
        const shown = await render(new Source(value), request)
        if (shown.kind === 'whole') return
        const read =
          typeof value === 'string' && typeof shown.preview !== 'string' ? JSON.parse(value) : value
        expectMarked(read, shown.preview)
      }),
      { numRuns: 400 },
    )
  })

  it('is within its budget with its shape', async () => {
    await fc.assert(
      fc.asyncProperty(large, sizeMode, budget, async (value, sizeMode, maxSize) => {
        const shown = await render(new Source(value), { maxSize, sizeMode, strategy: 'sample' })
        if (shown.kind === 'whole' || !shown.shape) return
        const shape = sizeOf(shown.shape, sizeMode)
        expect(shape).toBeLessThanOrEqual(maxSize / 3)
        expect(shown.previewSize + shape).toBeLessThanOrEqual(maxSize)
      }),
      { numRuns: 200 },
    )
  })

  it('is whole exactly when the whole fits', async () => {
    await fc.assert(
      fc.asyncProperty(json, strategy, sizeMode, budget, async (value, strategy, sizeMode, maxSize) => {
        const shown = await render(new Source(value), { maxSize, sizeMode, strategy })
        const size = sizeOf(value, sizeMode)
        expect(shown.kind).toBe(size <= maxSize ? 'whole' : 'part')
        if (shown.kind === 'whole') expect(shown.value).toEqual(value)
        else expect(shown.originalSize).toBe(size)
      }),
      { numRuns: 300 },
    )
  })

  it('shares nothing with the value', async () => {
    const value = rows(200)
    const before = JSON.stringify(value)
    const source = new Source(value)
    for (const strategy of ['sample', 'truncate', 'paginate'] as const) {
      for (const request of [
        tokens(200, strategy),
        tokens(1_000_000, strategy),
        { ...tokens(200), page: 2 },
      ]) {
        const shown = await render(source, request)
        scramble(shown.kind === 'whole' ? shown.value : shown.preview)
      }
    }
    expect(JSON.stringify(value)).toBe(before)
    expect(await render(source, tokens(1_000_000))).toMatchObject({ value })
  })

  it('answers the same again, from another source of the same value', async () => {
    await fc.assert(
      fc.asyncProperty(large, strategy, sizeMode, budget, async (value, strategy, sizeMode, maxSize) => {
        const request = { maxSize, sizeMode, strategy }
        const source = new Source(value)
        const first = await render(source, request)
        expect(await render(source, request)).toEqual(first)
        expect(await render(new Source(value, JSON.stringify(value)), request)).toEqual(first)
      }),
      { numRuns: 50 },
    )
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses a budget of %d', async maxSize => {
    await expect(render(new Source([1]), tokens(maxSize))).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})

describe('a sample', () => {
  it('keeps real items in order, from everywhere, the first and the last among them', async () => {
    const value = Array.from({ length: 10_000 }, (_, at) => at)
    const { preview, totalItems, previewSize } = await partOf(value, tokens(300))
    const shown = (preview as JsonValue[]).filter(item => typeof item === 'number')
    expect(shown[0]).toBe(0)
    expect(shown.at(-1)).toBe(9999)
    const gaps = shown.slice(1).map((item, at) => item - shown[at]!)
    expect(Math.max(...gaps)).toBeLessThan(2_500)
    expect(shown.length).toBeGreaterThan(20)
    expect(totalItems).toBe(10_000)
    expect(previewSize).toBeGreaterThan(240)
  })

  it('keeps whole rows where they fit, and says where they stand', async () => {
    const value = rows(5000)
    const { preview } = await partOf(value, tokens(1000))
    const shown = preview as JsonValue[]
    const records = shown.filter(item => typeof item === 'object') as JsonObject[]
    expect(records.length).toBeGreaterThan(10)
    for (const row of records) expect(row).toEqual(value[row.id as number])
    expect(shown[1]).toBe(`…(items 2 to ${records[1]!.id})`)
  })

  it('keeps the first and last entries of an object, in order', async () => {
    const value = Object.fromEntries(rows(3000).map((row, at) => [`key${at}`, row]))
    const { preview, totalItems } = await partOf(value, tokens(1000))
    const { '…': mark, ...shown } = preview as JsonObject
    const keys = Object.keys(shown).map(key => Number(key.slice(3)))
    expect(mark).toMatch(new RegExp(`^\\(\\+${3000 - keys.length} keys: key`))
    expect(keys[0]).toBe(0)
    expect(keys.at(-1)).toBe(2999)
    expect(keys).toEqual(keys.toSorted((a, b) => a - b))
    expect(totalItems).toBe(3000)
  })

  it('shows the beginning of a text and how much is missing', async () => {
    const value = `START ${prose(50_000)} END`
    const { preview } = await partOf(value, tokens(200))
    expect(preview).toMatch(/^START The.*…\(\+\d+ chars\)$/)
  })
})

describe('a truncated preview', () => {
  it('keeps the beginning of a list, an object and a text', async () => {
    const value = rows(1000)
    const list = (await partOf(value, tokens(500, 'truncate'))).preview as JsonValue[]
    expect(list.pop()).toBe(`…(items ${list.length + 1} to 1000)`)
    expect(list).toEqual(value.slice(0, list.length))
    const entries = Object.fromEntries(value.map((row, at) => [`key${at}`, row]))
    const object = (await partOf(entries, tokens(500, 'truncate'))).preview as JsonObject
    const keys = Object.keys(object)
    expect(keys.pop()).toBe('…')
    expect(keys).toEqual(Object.keys(entries).slice(0, keys.length))
    const text = (await partOf(prose(9000), tokens(100, 'truncate'))).preview as string
    const [, shown = '', missing] = /^(.*)…\(\+(\d+) chars\)$/.exec(text) ?? []
    expect(prose(9000).startsWith(shown)).toBe(true)
    expect(shown.length + Number(missing)).toBe(9000)
  })
})

describe.each(['sample', 'truncate'] as const)('a %s of a nested value', strategy => {
  it('shrinks huge items inside, so that all are seen', async () => {
    const huge = (id: number) => ({ id, title: `Part ${id}`, body: prose(200_000), rows: rows(2000) })
    const { preview, previewSize } = await partOf([huge(1), huge(2), huge(3)], tokens(1000, strategy))
    const shown = preview as JsonObject[]
    expect(shown.map(part => part.id)).toEqual([1, 2, 3])
    expect(shown.map(part => part.title)).toEqual(['Part 1', 'Part 2', 'Part 3'])
    for (const part of shown) {
      expect(part.body).toMatch(/^The quick.*…\(\+\d+ chars\)$/)
      expect(part.rows).toContainEqual(expect.stringMatching(/^…\(items \d+ to \d+\)$/))
    }
    expect(previewSize).toBeGreaterThan(800)
  })

  it('finds the large list in a small wrapper', async () => {
    const value = { total: 5000, items: rows(5000), next: 'abc' }
    const { preview, previewSize } = await partOf(value, tokens(1000, strategy))
    const { items, ...others } = preview as { items: JsonValue[] }
    expect(others).toEqual({ total: 5000, next: 'abc' })
    const mark = items.findIndex(item => typeof item === 'string')
    expect(items[mark]).toMatch(new RegExp(`^…\\(items ${mark + 1} to \\d+\\)$`))
    expect(items.slice(0, mark)).toEqual(value.items.slice(0, mark))
    expect(previewSize).toBeGreaterThan(750)
  })

  it('uses most of its budget', async () => {
    const values: JsonValue[] = [rows(2000), prose(50_000), { a: { b: { c: rows(500) } } }, [[prose(20_000)]]]
    for (const value of values) {
      for (const maxSize of [200, 1000, 3000]) {
        const { previewSize, shape } = await partOf(value, tokens(maxSize, strategy))
        const used = previewSize + (shape ? sizeOf(shape, 'token') : 0)
        expect(used).toBeGreaterThan(0.75 * maxSize)
        expect(used).toBeLessThanOrEqual(maxSize)
      }
    }
  })

  it('says what is missing inside objects, beside a key that looks like the mark', async () => {
    const wide = Object.fromEntries(
      Array.from({ length: 400 }, (_, at) => [at === 1 ? '…' : `k${at}`, prose(99)]),
    )
    const { preview } = await partOf({ wide }, tokens(200, strategy))
    const shown = (preview as { wide: JsonObject }).wide
    expect(shown['……']).toMatch(new RegExp(`^\\(\\+${400 - Object.keys(shown).length + 1} keys: k`))
  })
})

describe('a value nested 500 levels deep', () => {
  it('has previews and pages', async () => {
    let value: JsonValue = prose(5000)
    for (let level = 0; level < 500; level++) value = level % 2 ? [value] : { level: value }
    for (const maxSize of [1, 50, 1000]) {
      const { previewSize } = await partOf(value, tokens(maxSize))
      expect(previewSize).toBeLessThanOrEqual(maxSize)
    }
    expect(await partOf(value, { ...tokens(100), page: 1 })).toMatchObject({ pageUnit: 'json' })
  })
})

describe('measure', () => {
  it('is exact up to a million characters of JSON, above that an estimate that is near', async () => {
    const small = rows(1000)
    expect(await measure(new Source(small), 'token')).toEqual({ size: sizeOf(small, 'token') })
    const big = rows(25_000)
    const estimate = await measure(new Source(big), 'token')
    const exact = sizeOf(big, 'token')
    expect(estimate.isEstimate).toBe(true)
    expect(Math.abs(estimate.size - exact) / exact).toBeLessThan(0.05)
    expect(await measure(new Source(big), 'character')).toEqual({ size: sizeOf(big, 'character') })
  })

  it('marks an estimate in a view', async () => {
    expect(await partOf(rows(25_000), tokens(100))).toMatchObject({ originalSizeIsEstimate: true })
  })
})

function scramble(value: JsonValue): void {
  if (typeof value !== 'object' || value === null) return
  for (const inner of Object.values(value)) scramble(inner)
  if (Array.isArray(value)) value.push('changed')
  else value.changed = true
}
