import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import { paced } from '../../../src/core/steps.ts'
import { tablesOfDocument } from '../../../src/query/child/document.ts'
import { countDocumentTables } from '../../../src/values/segments/document-tables.ts'
import { jsonInText } from '../../../src/values/segments/json-in-text.ts'
import { segmentDocument } from '../../../src/values/segments/segment-document.ts'
import { wholeDocument } from '../../../src/values/segments/whole-document.ts'
import { rowsOf, tablesOf } from '../../../src/values/tables.ts'
import { write } from './segments/written.ts'

type Named = [name: string, path: string, rows: number]

/** The tables of a value as its shape, its exports, questions in SQL, and a text of it have them. */
async function everyWay(value: JsonValue, segmentLength: number): Promise<Record<string, Named[]>> {
  const text = JSON.stringify(value, null, 1)
  const { reader } = await write(value, segmentLength)
  const counted = await paced(countDocumentTables(reader, 0))
  const inText = await paced(jsonInText(text, segmentLength))
  const exported = await segmentDocument(reader).tables()
  const ofText = await (await wholeDocument(text)).tables()
  return {
    shape: counted.map(({ name, path, shape }) => [name, path, shape.rows]),
    'shape of a text': (inText?.tables ?? []).map(({ name, path, shape }) => [name, path, shape.rows]),
    export: exported.map(({ name, path, rows = -1 }) => [name, path, rows]),
    'export of a text': ofText.map(({ name, path, rows = -1 }) => [name, path, rows]),
  }
}

async function inSql(kind: 'json' | 'json-text', text: string): Promise<Array<[string, number]>> {
  const tables: Array<[string, number]> = []
  for (const { name, each } of await tablesOfDocument(kind, [text])) {
    let rows = 0
    await each(() => rows++)
    if (name !== 'root') tables.push([name, rows])
  }
  return tables
}

async function expectSame(value: JsonValue, segmentLength: number): Promise<void> {
  const expected = tablesOf(value).map(
    ({ name, path, of }): Named => [name, path, [...rowsOf({ of })].length],
  )
  for (const [way, tables] of Object.entries(await everyWay(value, segmentLength))) {
    expect(tables, way).toEqual(expected)
  }
  const named = expected.map(([name, , rows]) => [name, rows])
  expect(await inSql('json', JSON.stringify(value))).toEqual(named)
  expect(await inSql('json-text', JSON.stringify(value, null, 2))).toEqual(named)
}

const key = fc.constantFrom(
  'a',
  'A',
  'items',
  'rows',
  'Rows',
  'root',
  'lines',
  'key',
  '__proto__',
  'sqlite_x',
  '',
)
const scalar = fc.oneof(fc.integer(), fc.string({ maxLength: 30 }), fc.constant(null))
const record = fc.dictionary(fc.constantFrom('id', 'name', 'key'), scalar, { minKeys: 1, maxKeys: 3 })
/** Few records, or more members than are looked at first. */
const map = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.dictionary(fc.string({ maxLength: 4 }), record, { minKeys: 6, maxKeys: 12 }),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(record, { minLength: 70, maxLength: 70 })
      .map(list => Object.fromEntries(list.map((one, at) => [`k${at}`, one]))),
  },
)
const { object } = fc.letrec<{ object: JsonValue }>(tie => ({
  object: fc.dictionary(
    key,
    fc.oneof(
      { depthSize: 'small' },
      scalar,
      fc.array(record, { maxLength: 8 }),
      fc.array(scalar, { maxLength: 8 }),
      map,
      tie('object'),
    ),
    { minKeys: 1, maxKeys: 8 },
  ) as fc.Arbitrary<JsonValue>,
}))

describe('the tables of a value', () => {
  it('are the same in its shape, in SQL, in exports and in a text', async () => {
    await fc.assert(
      fc.asyncProperty(object, fc.integer({ min: 20, max: 300 }), async (value, segmentLength) => {
        const plain = JSON.parse(JSON.stringify(value)) as JsonObject
        fc.pre(JSON.stringify(plain).length > segmentLength)
        await expectSame(plain, segmentLength)
      }),
      { numRuns: 200 },
    )
  })

  it('are found behind hundreds of other members, and in maps of maps', async () => {
    const many: JsonObject = Object.fromEntries(
      Array.from({ length: 400 }, (_, n) => [`m${n}`, 'x'.repeat(50)]),
    )
    many.m130 = [{ hidden: 1 }]
    many.m131 = { m130: [1, 2], deep: { m130: [] } }
    many.m399 = Object.fromEntries(
      Array.from({ length: 30 }, (_, n) => [
        `map${n}`,
        Object.fromEntries(Array.from({ length: 90 }, (_, at) => [`k${at + n * 90}`, { id: at }])),
      ]),
    )
    await expectSame(many, 300)
    await expectSame(many, 5_000)
  })
})
