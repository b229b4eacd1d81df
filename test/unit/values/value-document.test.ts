import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { segmentDocument } from '../../../src/values/segments/segment-document.ts'
import { wholeDocument } from '../../../src/values/segments/whole-document.ts'
import { rowsOf, tablesOf } from '../../../src/values/tables.ts'
import type { ValueDocument } from '../../../src/values/value-document.ts'
import { write } from './segments/written.ts'

async function all<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const piece of pieces) found.push(piece)
  return found
}

async function expectSame(document: ValueDocument, value: JsonValue): Promise<void> {
  expect((await all(document.text())).join('')).toBe(JSON.stringify(value))
  expect(await document.slice(3, 40)).toBe(JSON.stringify(value).slice(3, 40))
  const expected = tablesOf(value)
  const tables = await document.tables()
  expect(tables.map(({ name, path }) => [name, path])).toEqual(expected.map(({ name, path }) => [name, path]))
  for (const [at, table] of tables.entries()) {
    const rows = [...rowsOf(expected[at]!)]
    expect(table.rows).toBe(rows.length)
    expect((await all(document.rows(table))).flat()).toEqual(rows)
    const json = await all(document.rowsJson(table))
    expect(json.flatMap(batch => JSON.parse(batch) as JsonValue[])).toEqual(rows)
  }
}

const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }) as fc.Arbitrary<JsonValue>
const record = fc.record({ id: fc.integer(), name: fc.string({ unit: 'grapheme' }), more: json })
const value = fc.oneof(
  fc.array(record, { minLength: 5, maxLength: 40 }),
  fc.record({ head: json, deep: fc.record({ rows: fc.array(json, { minLength: 5, maxLength: 40 }) }) }),
  fc.record({ map: fc.dictionary(fc.string({ unit: 'grapheme' }), record, { minKeys: 10, maxKeys: 80 }) }),
)

describe('the document of a value', () => {
  it('reads alike from segments and from memory', async () => {
    await fc.assert(
      fc.asyncProperty(value, fc.integer({ min: 30, max: 300 }), async (value, length) => {
        const plain = JSON.parse(JSON.stringify(value)) as JsonValue
        fc.pre(JSON.stringify(plain).length > length)
        await expectSame(await wholeDocument(plain), plain)
        await expectSame(segmentDocument((await write(plain, length)).reader), plain)
      }),
      { numRuns: 150 },
    )
  })

  it('takes a text of JSON as that JSON, CSV and JSON lines as tables, and gives them as they are', async () => {
    const pretty = JSON.stringify([{ a: 1 }, { a: 2 }], null, 2)
    const document = await wholeDocument(pretty)
    expect(document.kind).toBe('json-text')
    expect((await all(document.text())).join('')).toBe(pretty)
    expect(await document.tables()).toEqual([{ name: 'items', path: '', kind: 'list', rows: 2 }])
    const csv = await wholeDocument('id,name\n1,one\n2,two\n3,three\n')
    const [table] = await csv.tables()
    expect(table).toMatchObject({ name: 'rows', kind: 'csv' })
    expect((await all(csv.rows(table!))).flat()).toEqual([
      { id: '1', name: 'one' },
      { id: '2', name: 'two' },
      { id: '3', name: 'three' },
    ])
  })

  it('ends with the signal', async () => {
    const { reader } = await write(
      Array.from({ length: 500 }, (_, id) => ({ id })),
      200,
    )
    const document = segmentDocument(reader)
    const [table] = await document.tables()
    const stop = new AbortController()
    const rows = document.rows(table!, { signal: stop.signal })
    await rows.next()
    stop.abort(new Error('enough'))
    await expect(rows.next()).rejects.toThrow('enough')
  })
})
