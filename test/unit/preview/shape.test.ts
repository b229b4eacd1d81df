import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import { type PartRendering, render, Source } from '../../../src/preview/preview.ts'
import { expectMarked } from './marks.ts'
import { rows, sizeOf } from './values.ts'

async function preview(value: JsonValue, maxSize = 1000): Promise<PartRendering> {
  const shown = await render(new Source(value), { maxSize, sizeMode: 'token', strategy: 'sample' })
  if (shown.kind !== 'part') throw new Error('it fits whole')
  expectMarked(value, shown.preview)
  return shown
}

const day = (at: number) =>
  `2026-01-01T00:${String(Math.floor(at / 60) % 60).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}Z`
const log = (count: number) =>
  Array.from({ length: count }, (_, at) => ({
    ts: day(at % 3_600),
    level: at === 1_234 ? 'error' : at % 20 === 0 ? 'warn' : 'info',
    ms: at === 777 ? 'n/a' : at % 1_000,
    ...(at % 100 === 3 ? { user: { id: at, name: 'x' } } : {}),
  }))

/** Letters alone: names that differ in a number may stand as one. */
const columnName = (at: number) =>
  `field_${at.toString(26).replace(/\d/g, digit => 'qrstuvwxyz'[Number(digit)] as string)}`

describe('the shape in a preview', () => {
  it('says how many lines of JSON lines cannot be read, which are no value', async () => {
    const lines = log(400).map((row, at) => (at % 150 === 7 ? '{"broken": ' : JSON.stringify(row)))
    const { shape } = await preview(lines.join('\n'))
    expect(shape).toMatchObject({
      items: { rows: 400, bad_lines: 3, columns: { ms: 'integer 0 … 399, in 397' } },
    })
    expect(JSON.stringify(shape)).not.toContain('"value"')
    const numbers = await preview(Array.from({ length: 900 }, (_, at) => (at % 2 ? at : null)))
    expect(numbers.shape).toMatchObject({
      items: { rows: 900, columns: { value: expect.stringContaining('in 450') } },
    })
    const nothing = await preview(
      Array.from({ length: 900 }, () => null),
      300,
    )
    expect(nothing.shape).toEqual({ items: { rows: 900, columns: { value: 'null' } } })
  })

  it('tells rows, types, values with counts, odd values, extremes, presence and keys', async () => {
    const { shape } = await preview(log(5_000))
    expect(shape).toEqual({
      items: {
        rows: 5_000,
        columns: {
          ts: 'text 2026-01-01T00:00:00Z … 2026-01-01T00:59:59Z',
          level: 'text info 4749, warn 250, error 1',
          ms: 'integer 0 … 999, text n/a 1',
          user: 'json {id, name}, in 50',
        },
      },
    })
  })

  it.each<[string, JsonValue, object]>([
    ['a wrapper', { next: null, items: log(500) }, { items: { rows: 500 } }],
    ['two lists', { users: rows(300), orders: log(300) }, { users: { rows: 300 }, orders: { rows: 300 } }],
    [
      'a map of records',
      Object.fromEntries(rows(300).map((row, at) => [`k${at}`, row])),
      { items: { rows: 300 } },
    ],
    [
      'lists of cells',
      rows(300).map(row => Object.values(row as JsonObject)),
      { items: { columns: { c1: 'integer 0 … 299' } } },
    ],
    [
      'numbers',
      Array.from({ length: 5_000 }, (_, at) => at),
      { items: { columns: { value: 'integer 0 … 4999' } } },
    ],
  ])('is there for %s', async (_, value, shape) => {
    expect(await preview(value)).toMatchObject({ shape })
    const text = JSON.stringify(value, null, 1)
    const shown = await render(new Source(text), { maxSize: 1000, sizeMode: 'token', strategy: 'sample' })
    expect(shown).toMatchObject({ shape, reformatted: true })
  })

  it('is there for CSV and JSON lines', async () => {
    const csv = `id,price\n${Array.from({ length: 3_000 }, (_, at) => `${at},${at === 99 ? 'N/A' : `${at}.50`}`).join('\n')}\n`
    expect((await preview(csv)).shape).toEqual({
      rows: {
        rows: 3_000,
        columns: { id: 'text of numbers 0 … 2999', price: 'text of numbers 0.5 … 2999.5, text N/A 1' },
      },
    })
    const lines = log(1_000)
      .map(line => JSON.stringify(line))
      .join('\n')
    expect(await preview(lines)).toMatchObject({ shape: { items: { rows: 1_000 } }, totalLines: 1_000 })
  })

  it('names every column while there is room, and counts the others', async () => {
    const wide = (columns: number) =>
      Array.from({ length: 30 }, (_, row) =>
        Object.fromEntries(Array.from({ length: columns }, (_, at) => [columnName(at), row * at])),
      )
    const { shape } = await preview(wide(20), 900)
    expect(Object.keys((shape as Record<string, { columns: object }>).items!.columns)).toHaveLength(20)
    const { shape: counted } = await preview(wide(400), 900)
    expect(JSON.stringify(counted)).toMatch(/…\(\+\d+ columns\)/)
    expect(sizeOf(counted as JsonValue, 'token')).toBeLessThanOrEqual(300)
  })

  it('names columns that are alike but for a number as one where there are many, so that the others are seen', async () => {
    const value = Array.from({ length: 80 }, (_, row) => ({
      station: `S${row}`,
      ...Object.fromEntries(Array.from({ length: 297 }, (_, at) => [`m_${at}`, (row * at) / 8])),
      ...(row % 9 === 0 ? { last_error: 'overheat' } : {}),
    }))
    const { shape } = await preview(value)
    expect(shape).toEqual({
      items: {
        rows: 80,
        columns: {
          station: 'text S0 … S9',
          'm_0 … m_296': '297 columns: number 0 … 2923',
          last_error: 'text overheat, in 9',
        },
      },
    })
  })

  it('names columns as a question does', async () => {
    const value = Array.from({ length: 300 }, (_, at) => ({
      id: at,
      ID: `x${at}`,
      Name: `A ${at}`,
      name: `a${at}`,
    }))
    const { shape } = await preview(value)
    expect(Object.keys((shape as Record<string, { columns: object }>).items!.columns)).toEqual([
      'id',
      'ID_2',
      'Name',
      'name_2',
    ])
  })
})

describe('a sample of a table', () => {
  it('keeps rows in view that have a rare value or miss a field', async () => {
    const value: JsonValue[] = log(5_000)
    value[4_001] = { ts: day(1), ms: 5 }
    const { preview: shown } = await preview(value)
    expect(shown).toContainEqual(value[777])
    expect(shown).toContainEqual(value[1_234])
    expect(shown).toContainEqual(value[4_001])
    expect(shown).toContainEqual(value[0])
    expect(shown).toContainEqual(value[4_999])
  })

  it('of CSV does so by lines, in the bytes of the text', async () => {
    const lines = Array.from(
      { length: 3_000 },
      (_, at) => `${at},${at === 2_345 ? 'N/A' : `${at % 50}.50`},"a, b"`,
    )
    const { preview: shown } = await preview(`id,price,note\n${lines.join('\n')}\n`, 500)
    expect(shown).toMatch(/^id,price,note\n0,0\.50,"a, b"\n/)
    expect(shown).toContain('\n2345,N/A,"a, b"\n')
    expect(shown).toMatch(/\n2999,49\.50,"a, b"\n$/)
  })

  it('of wide records shows different fields of different rows, and what is rare in each', async () => {
    const value = Array.from({ length: 30 }, (_, row) => ({
      id: `row-${row}`,
      ...Object.fromEntries(
        Array.from({ length: 300 }, (_, at) => [
          `field_${at}`,
          at === 250 && row === 29 ? 'odd' : at % 3 ? row * at : 'same',
        ]),
      ),
    }))
    const { preview: shown } = await preview(value as JsonValue)
    const records = (shown as JsonValue[]).filter(item => typeof item === 'object') as JsonObject[]
    expect(records.length).toBeGreaterThan(2)
    for (const record of records) expect(record.id).toMatch(/^row-/)
    expect(records.at(-1)).toMatchObject({ id: 'row-29', field_250: 'odd' })
    const fields = new Set(records.flatMap(record => Object.keys(record)))
    expect(fields.size).toBeGreaterThan(1.5 * Object.keys(records[0]!).length)
    // What says nothing goes first.
    for (const record of records) expect(Object.values(record)).not.toContain('same')
  })
})

describe('a preview of a text', () => {
  it('of prose and code is its beginning, in whole lines', async () => {
    const code = Array.from(
      { length: 500 },
      (_, at) => `  const value${at} = compute(${at}) // "quoted"`,
    ).join('\n')
    const { preview: shown, lines, totalLines } = await preview(code, 400)
    const [first, last] = lines ?? []
    expect([first, totalLines]).toEqual([1, 500])
    expect(shown).toBe(`${code.split('\n').slice(0, last).join('\n')}\n…(lines ${last! + 1} to 500)`)
  })

  it('of a log is its first and last lines, and those that stand out', async () => {
    const text = Array.from(
      { length: 4_000 },
      (_, at) =>
        `${day(at % 3_600)} ${at === 2_111 ? 'ERROR disk failed' : at === 3_001 ? 'INFO started anew' : `INFO request ${at}`}`,
    ).join('\n')
    const { preview: shown, totalLines } = await preview(text, 400)
    expect(totalLines).toBe(4_000)
    expect(shown).toMatch(/^2026-01-01T00:00:00Z INFO request 0\n/)
    expect(shown).toMatch(/INFO request 3999$/)
    expect(shown).toContain('ERROR disk failed\n…(lines 2113 to 3001)\n')
    expect(shown).toContain('INFO started anew\n')
  })

  it('cuts lines that are too long, and says so', async () => {
    const text = Array.from(
      { length: 50 },
      (_, at) => `12:00:${at % 60} INFO ${'x'.repeat(at === 0 ? 5_000 : 50)}`,
    ).join('\n')
    const { preview: shown } = await preview(text, 300)
    expect(shown).toMatch(/^12:00:0 INFO x+…\(\+\d+ chars\)\n/)
  })
})
