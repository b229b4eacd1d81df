import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { declaredType, describeKinds, kindOfCell, sqlCell } from '../../../src/values/sql-cell.ts'
import { ColumnNames, foldCase, namesWithin } from '../../../src/values/sql-names.ts'
import { rowsOf } from '../../../src/values/tables.ts'

describe('a cell', () => {
  it.each<[string, unknown, string]>([
    ['"a"', 'a', 'text'],
    ['1', 1n, 'integer'],
    ['-0', 0n, 'integer'],
    ['1.5', 1.5, 'real'],
    ['3.0', 3, 'real'],
    ['1e3', 1_000, 'real'],
    ['1e400', '1e400', 'text'],
    ['9007199254740993', 9_007_199_254_740_993n, 'integer'],
    ['9223372036854775807', 9_223_372_036_854_775_807n, 'integer'],
    ['9223372036854775808', '9223372036854775808', 'text'],
    ['12345678901234567890', '12345678901234567890', 'text'],
    ['true', 1n, 'boolean'],
    ['null', null, 'null'],
    ['{"a":[0.50]}', '{"a":[0.50]}', 'json'],
  ])('of %s is what SQLite keeps without loss', (json, cell, kind) => {
    const value = parseJson(json)
    expect(sqlCell(value)).toBe(cell)
    expect(describeKinds(kindOfCell(value))).toBe(kind)
  })

  it.each<[JsonValue[], string]>([
    [['1', 'a'], 'TEXT'],
    [['1', { a: 1 }], 'TEXT'],
    [[1, true, null], 'INTEGER'],
    [[1, 1.5], 'REAL'],
    [[parseJson('9007199254740993'), 1.5], ''],
    [[1, 'a'], ''],
    [[null], ''],
  ])('beside others gives its column a type: %j', (cells, type) => {
    expect(declaredType(cells.reduce<number>((kinds, cell) => kinds | kindOfCell(cell), 0))).toBe(type)
  })
})

describe('names of columns', () => {
  it('differ for SQL, whatever the fields are called, and are found again', () => {
    const field = fc.oneof(fc.string(), fc.constantFrom('a', 'A', 'a_2', 'A_2', 'rest', 'REST', 'É', 'é'))
    fc.assert(
      fc.property(fc.array(field), fields => {
        const names = new ColumnNames()
        const first = fields.map(one => names.columnOf(one))
        expect(fields.map(one => names.columnOf(one))).toEqual(first)
        names.rest()
        expect(new Set(names.names.map(foldCase)).size).toBe(names.names.length)
      }),
    )
  })

  it('end at 1,900; the rest has a column of its own', () => {
    const names = new ColumnNames()
    const columns = Array.from({ length: 2_500 }, (_, at) => names.columnOf(`c${at}`))
    expect(columns.filter(at => at === undefined)).toHaveLength(600)
    expect([names.rest(), names.rest()]).toEqual([1_900, 1_900])
    expect(names.names.at(-1)).toBe('rest')
  })
})

it('a record in a map keeps a field called key beside its own key', () => {
  expect([...rowsOf({ of: { x: { key: 1, b: 2 } } })]).toEqual([{ key: 'x', key_2: 1, b: 2 }])
})

it.each([
  [['items'], ['users']],
  [
    ['items', 'root'],
    ['users', 'users_root'],
  ],
  [
    ['orders', 'users', 'root'],
    ['users_orders', 'users_users', 'users_root'],
  ],
  [['lines'], ['users']],
  [['root'], ['users']],
])('the tables %j of a value among others are %j', (tables, names) => {
  expect(
    namesWithin(
      'users',
      tables.map(name => ({ name })),
    ),
  ).toEqual(names)
})
