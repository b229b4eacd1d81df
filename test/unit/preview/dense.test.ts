import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import { parseJson, stringifyJson } from '../../../src/core/json-text.ts'
import { ABSENT, denseTable, recordsOf } from '../../../src/preview/dense.ts'

const names = ['identifier', 'description', 'owner', '__proto__', '1', 'columns', 'toString']
const cell: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ depthSize: 'xsmall' }) as fc.Arbitrary<JsonValue> },
  fc.constantFrom<JsonValue>(null, ABSENT, '…', '', '…(+12 chars)'),
)

/** Records with mostly the same fields. */
const lists: fc.Arbitrary<JsonValue[]> = fc
  .uniqueArray(fc.constantFrom(...names), { minLength: 1 })
  .chain(columns =>
    fc.array(
      fc.oneof(
        { weight: 9, arbitrary: fc.tuple(...columns.map(() => cell)).map(cells => record(columns, cells)) },
        {
          weight: 2,
          arbitrary: fc.subarray(columns).map(some =>
            record(
              some,
              some.map(() => 1),
            ),
          ),
        },
        { weight: 1, arbitrary: fc.constantFrom<JsonValue>('…(items 2 to 9)', '…(item 4)') },
      ),
      { minLength: 4, maxLength: 30 },
    ),
  )

function record(columns: readonly string[], cells: readonly JsonValue[]): JsonObject {
  return Object.fromEntries(columns.map((name, at) => [name, cells[at]!]))
}

const people = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ id: at, name: `person ${at}`, email: null }) as JsonObject)

describe('a list of records as a dense table', () => {
  it('gives exactly the list back, to the order of the fields', () => {
    let tables = 0
    fc.assert(
      fc.property(lists, list => {
        const table = denseTable(list)
        if (!table) return
        tables++
        expect(stringifyJson(recordsOf(table))).toBe(stringifyJson(list))
        expect(recordsOf(JSON.parse(stringifyJson(table)))).toEqual(JSON.parse(stringifyJson(list)))
        expect(stringifyJson(table).length).toBeLessThan(stringifyJson(list).length)
      }),
      { numRuns: 1000 },
    )
    expect(tables).toBeGreaterThan(50)
  })

  it('keeps the digits of numbers', () => {
    const json = `[${Array(30).fill('{"amount":0.50,"account":12345678901234567890}').join()}]`
    const table = denseTable(parseJson(json))!
    expect(stringifyJson(recordsOf(table))).toBe(json)
  })

  it('tells a field that is missing from one that is null', () => {
    const [first, second, ...others] = people(20) as [JsonObject, JsonObject, ...JsonObject[]]
    const { email: _, ...without } = second
    expect(denseTable([first, without, ...others])).toMatchObject({
      columns: ['id', 'name', 'email'],
      rows: [[0, 'person 0', null], [1, 'person 1', ABSENT], ...others.map(Object.values)],
    })
  })

  it('keeps marks in their places', () => {
    const [first, ...others] = people(20) as [JsonObject, ...JsonObject[]]
    const { rows } = denseTable([first, '…(items 2 to 5)', ...others])!
    expect(rows.slice(0, 2)).toEqual([[0, 'person 0', null], '…(items 2 to 5)'])
  })

  it.each<[string, JsonValue]>([
    [
      'a value that reads like the mark of a missing field',
      [...people(20), { id: 20, name: ABSENT, email: 1 }],
    ],
    ['fields in another order', [...people(20), { email: 1, name: '', id: 20 }]],
    ['fields that no record has all of', [...people(20), { id: 20, name: '', phone: 1 }]],
    ['texts among the records', [...people(20), 'a text']],
    ['lists among the records', [...people(20), [1, 2, 3]]],
    ['a record of which fields are left out', [...people(20), { id: 20, '…': '(+2 keys)' }]],
    ['records without fields', Array.from({ length: 99 }, () => ({}))],
    ['too few records', people(9)],
    ['records of one field', Array.from({ length: 99 }, (_, n) => ({ position: n }))],
    ['scalars', [1, 2, 3]],
    ['an object', { id: 1 }],
    ['nothing', []],
  ])('no table: %s', (_, list) => {
    expect(denseTable(list)).toBeUndefined()
  })
})
