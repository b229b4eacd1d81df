import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { ShapeCounter } from '../../../src/values/shape.ts'
import { isRecordMap, rowsOf, tablesOf } from '../../../src/values/tables.ts'
import { rowsOfText, type TextTable, textTableOf } from '../../../src/values/text-table.ts'

const record = { a: 1 }
const map = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, { id: at, name: 'n' }]))

describe('the tables of a value', () => {
  it.each<[string, JsonValue, [string, string][]]>([
    ['a list', [1, 2], [['items', '']]],
    ['an object about a list', { metadata: {}, items: [record] }, [['items', '/items']]],
    [
      'lists reached through objects',
      { data: { rows: [], more: { deep: [] } } },
      [
        ['rows', '/data/rows'],
        ['deep', '/data/more/deep'],
      ],
    ],
    [
      'two of one name',
      { a: { rows: [] }, b: { Rows: [] } },
      [
        ['a_rows', '/a/rows'],
        ['b_Rows', '/b/Rows'],
      ],
    ],
    [
      'names that are taken',
      { root: [], lines: [], sqlite_x: [] },
      [
        ['root_2', '/root'],
        ['lines_2', '/lines'],
        ['sqlite_x_2', '/sqlite_x'],
      ],
    ],
    [
      'names that SQLite cannot have',
      { 'a\0b': [], 'a b': [], '\ud800': [], '\ud801': [], '😀': [] },
      [
        ['a b', '/a\0b'],
        ['a b_2', '/a b'],
        ['\ufffd', '/\ud800'],
        ['\ufffd_2', '/\ud801'],
        ['😀', '/😀'],
      ],
    ],
    ['a map of records', { took: 1, hosts: map(20) }, [['hosts', '/hosts']]],
    ['few records', { hosts: map(3) }, []],
    [
      'lists deeper than six levels',
      { a: { b: { c: { d: { e: { f: [1], g: { h: [1] } } } } } } },
      [['f', '/a/b/c/d/e/f']],
    ],
    ['lists in lists', [[1], [2]], [['items', '']]],
    ['a scalar', 7, []],
  ])('are found: %s', (_, value, tables) => {
    expect(tablesOf(value).map(({ name, path }) => [name, path])).toEqual(tables)
  })

  it('have the key of a record in a map as a column', () => {
    expect([...rowsOf({ of: map(1) })]).toEqual([{ key: 'k0', id: 0, name: 'n' }])
    expect(isRecordMap(map(20))).toBe(true)
    expect(isRecordMap({ ...map(20), other: 1 })).toBe(false)
  })

  it('are bounded, however many lists there are', () => {
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`list${at}`, [at]]))
    expect(tablesOf(many)).toHaveLength(100)
  })
})

describe('a text that is a table', () => {
  const rowsIn = async (text: string) => {
    const table = await textTableOf(text)
    return table && [...rowsOfText(table, [text])]
  }

  it('may be CSV with quotes, breaks in cells, a BOM, CRLF and ragged rows', async () => {
    const text =
      '\ufeffid,name,note\r\n1,"a, ""b""",x\r\n2,"two\r\nlines",\r\n3,c\r\n4,d,y,more\r\n5,e,z\r\n6,f,z\r\n7,g,z\r\n8,h,z\r\n'
    const rows = await rowsIn(text)
    expect(rows?.slice(0, 4)).toEqual([
      { row: { id: '1', name: 'a, "b"', note: 'x' }, line: 1, lines: 1 },
      { row: { id: '2', name: 'two\r\nlines', note: null }, line: 2, lines: 2 },
      { row: { id: '3', name: 'c' }, line: 4, lines: 1 },
      { row: { id: '4', name: 'd', note: 'y', c4: 'more' }, line: 5, lines: 1 },
    ])
    expect(rows).toHaveLength(8)
  })

  it.each(['\t', ';'])('may have %j between its cells', async delimiter => {
    const text =
      ['id', 'name'].join(delimiter) + ['', '1 a', '2 b', '3 c'].join('\n').replaceAll(' ', delimiter)
    expect((await rowsIn(text))?.map(({ row }) => row)).toEqual([
      { id: '1', name: 'a' },
      { id: '2', name: 'b' },
      { id: '3', name: 'c' },
    ])
  })

  it('reads large ones in pieces, and knows the line of each row', async () => {
    const text = `id,text\n${Array.from({ length: 20_000 }, (_, at) => `${at},"line\n${at}"`).join('\n')}`
    const rows = (await rowsIn(text)) ?? []
    expect(rows).toHaveLength(20_000)
    expect(rows[19_999]).toEqual({ row: { id: '19999', text: 'line\n19999' }, line: 39_999, lines: 2 })
  })

  it('has the same rows in whatever pieces it comes', () => {
    const csv = `id,text\r\n${Array.from({ length: 9_000 }, (_, at) => `${at},"li""ne\r\n${at}"`).join('\r\n')}`
    const jsonLines = Array.from({ length: 9_000 }, (_, at) => (at % 9 ? JSON.stringify({ at }) : '')).join(
      '\n',
    )
    return fc.assert(
      fc.asyncProperty(
        fc.constantFrom(csv, jsonLines, `${jsonLines}\n`),
        fc.integer({ min: 1_000, max: 200_000 }),
        async (text, length) => {
          const table = (await textTableOf(text)) as TextTable
          const pieces = Array.from({ length: Math.ceil(text.length / length) }, (_, at) =>
            text.slice(at * length, (at + 1) * length),
          )
          const same = isDeepStrictEqual([...rowsOfText(table, pieces)], await rowsIn(text))
          expect(same).toBe(true)
        },
      ),
      { numRuns: 10 },
    )
  })

  it('may be JSON lines; what cannot be read among them is no row of its own kind', async () => {
    const text = '{"a":1}\n{"a":2}\n\nbroken\n{"a":3}\n{"a":4}\n{"a":5}\n'
    expect((await rowsIn(text))?.map(({ row, line }) => [row, line])).toEqual([
      [{ a: 1 }, 0],
      [{ a: 2 }, 1],
      [null, 3],
      [{ a: 3 }, 4],
      [{ a: 4 }, 5],
      [{ a: 5 }, 6],
    ])
  })

  it.each([
    ['prose', 'Dear John, I write\nto you, my friend,\nbecause, as you know,\nit rains.'],
    ['code', "import { a, b } from 'x'\n\nconst c = [1, 2]\nfunction d(e, f) {\n  return e, f\n}\n"],
    [
      'a log',
      '2026-01-01 10:00:00,123 INFO a\n2026-01-01 10:00:01,123 INFO b\n2026-01-01 10:00:02,123 INFO c\n',
    ],
    ['one line', 'a,b,c'],
    ['nothing', ''],
    ['JSON', '{\n  "a": 1,\n  "b": 2\n}'],
    ['a poem', 'Roses are red, so\nviolets are blue, now\nsugar is sweet, and\nso are you, too\n'],
  ])('is not %s', async (_, text) => {
    expect(await rowsIn(text)).toBeUndefined()
  })
})

describe('the shape of a table', () => {
  const shapeOf = (rows: JsonValue[]) => {
    const counter = new ShapeCounter()
    for (const row of rows) counter.add(row)
    return counter.result()
  }

  it('has types, presence, frequent values, extremes and the keys of objects', () => {
    const rows = Array.from({ length: 1_000 }, (_, at) => ({
      id: at,
      level: at % 100 === 7 ? 'error' : 'info',
      price: at === 500 ? 'N/A' : at / 2,
      ...(at % 10 === 0 ? { user: { id: at, name: 'x' } } : {}),
      tags: ['a'],
    }))
    const { columns, rows: count } = shapeOf(rows)
    expect(count).toBe(1_000)
    const [id, level, price, user, tags] = [0, 1, 2, 3, 4].map(at =>
      columns.find(({ name }) => name === ['id', 'level', 'price', 'user', 'tags'][at]),
    )
    expect(id).toMatchObject({
      present: 1_000,
      leastNumber: { number: 0 },
      greatestNumber: { number: 999, first: 999 },
    })
    expect(level).toMatchObject({
      isWholeCount: true,
      values: [
        { value: 'info', count: 990, first: 0 },
        { value: 'error', count: 10, first: 7 },
      ],
    })
    expect(price?.kinds.at(-1)).toEqual({ kind: 'text', count: 1, first: 500, example: 'N/A' })
    expect(user).toMatchObject({ present: 100, firstMissing: 1, keys: ['id', 'name'] })
    expect(tags).toMatchObject({ mostItems: 1 })
  })

  it('knows rows with a rare value, kind or missing field, the rarest first', () => {
    const rows: JsonValue[] = Array.from({ length: 500 }, (_, at) => ({
      level: at === 77 ? 'fatal' : 'info',
      n: at === 301 ? 'x' : 5,
      id: at,
    }))
    rows[40] = { level: 'info', n: 5 }
    expect(shapeOf(rows).outliers.slice(0, 3).toSorted()).toEqual([301, 40, 77])
    expect(shapeOf(rows.slice(0, 5)).outliers).toEqual([])
  })

  it('takes bounded memory: many columns, many values, long texts', () => {
    const wide = Object.fromEntries(Array.from({ length: 5_000 }, (_, at) => [`c${at}`, at]))
    const { columns, moreColumns } = shapeOf([wide, wide])
    expect([columns.length, moreColumns]).toEqual([2_000, 3_000])
    const many = shapeOf(
      Array.from({ length: 20_000 }, (_, at) => ({ text: `${'x'.repeat(at % 200)}${at}` })),
    )
    expect(JSON.stringify(many).length).toBeLessThan(10_000)
  })

  it('is of lists, scalars and mixed rows, too', () => {
    expect(
      shapeOf([
        [1, 'a'],
        [2, 'b'],
      ]).columns.map(({ name }) => name),
    ).toEqual(['c1', 'c2'])
    expect(shapeOf([1, 2, 'x']).columns.map(({ name, kinds }) => [name, kinds.length])).toEqual([
      ['value', 2],
    ])
    expect(shapeOf([{ a: 1 }, 7, null]).columns.map(({ name }) => name)).toEqual(['a', 'value'])
    expect(shapeOf([]).columns).toEqual([])
  })
})
