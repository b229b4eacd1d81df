import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { tablesOfDocument } from '../../../src/query/child/document.ts'
import { shownValue } from '../../../src/values/call-result.ts'
import { describeText } from '../../../src/values/describe-text.ts'
import { documentOfTexts } from '../../../src/values/segments/joined-texts.ts'
import { wholeDocument } from '../../../src/values/segments/whole-document.ts'
import { TextPieces } from '../../../src/values/text-pieces.ts'
import type { ValueDocument } from '../../../src/values/value-document.ts'

const text = (content: string): JsonValue => ({ type: 'text', text: content })
const image = { type: 'image', data: 'aGk=', mimeType: 'image/png' }
const csv = (rows: number, name = 'name') =>
  `id,${name}\n${Array.from({ length: rows }, (_, at) => `${at},n${at}`).join('\n')}`
const list = (rows: number) => Array.from({ length: rows }, (_, id) => ({ id, level: 'info' }))
const prose = 'Found these.\nAsk for more.'

async function documentOf(content: JsonValue[]): Promise<ValueDocument> {
  const { value, blocks } = shownValue({ content })
  return documentOfTexts(await wholeDocument(value), blocks)
}

async function all<T>(pieces: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const piece of pieces) found.push(piece)
  return found
}

/** Name and rows of the tables, as the shape, exports and SQL have them; `root` and `lines` of SQL alone. */
async function tablesOf(content: JsonValue[]): Promise<Record<string, number>> {
  const document = await documentOf(content)
  const whole = await document.slice(0, document.length)
  const counted = document.blocks
    ? (await describeText(new TextPieces([whole]), document.blocks)).tables
    : undefined
  const exported: Record<string, number> = {}
  for (const table of await document.tables()) {
    exported[table.name] = (await all(document.rows(table))).flat().length
  }
  if (counted) {
    const shaped = counted.map(({ name, shape }) => [name, shape.rows])
    expect(Object.fromEntries(shaped)).toEqual(exported)
  }
  const asked: Record<string, number> = {}
  for (const { name, each } of await tablesOfDocument(document.kind, [whole], document.blocks)) {
    let rows = 0
    await each(() => rows++)
    asked[name] = rows
  }
  expect(asked).toMatchObject(exported)
  return asked
}

describe('several texts of one result', () => {
  it('are tables side by side; the first that is one is items, the next are named after their block', async () => {
    expect(await tablesOf([text(prose), text(JSON.stringify(list(5)))])).toEqual({ items: 5, lines: 4 })
    expect(await tablesOf([text(csv(4)), text(csv(3, 'city'))])).toEqual({
      items: 4,
      content_1: 3,
      lines: 10,
    })
    const log = list(6)
      .map(row => JSON.stringify(row))
      .join('\n')
    expect(await tablesOf([text(JSON.stringify(list(2), null, 2)), text(prose), text(log)])).toMatchObject({
      items: 2,
      content_2: 6,
    })
    expect(await tablesOf([text(prose), image, text(csv(7))])).toEqual({ items: 7, lines: 11 })
  })

  it('keep the names of lists in an object, whose fields are root; where a name is taken, the block stands before it', async () => {
    const page = (rows: number) => JSON.stringify({ next: rows, orders: list(rows), users: list(1) })
    expect(await tablesOf([text(prose), text(page(5)), text(csv(2 + 1))])).toMatchObject({
      orders: 5,
      users: 1,
      root: 1,
      items: 3,
    })
    expect(await tablesOf([text(page(5)), text(page(3))])).toMatchObject({
      orders: 5,
      users: 1,
      content_1_orders: 3,
      content_1_users: 1,
      root: 1,
      content_1_root: 1,
    })
  })

  it('that are an object each are rows of one table', async () => {
    const record = (id: number) => JSON.stringify({ id, title: `t${id}`, labels: ['a'] }, null, 2)
    expect(await tablesOf([text('3 issues:'), ...[1, 2, 3].map(id => text(record(id)))])).toMatchObject({
      items: 3,
    })
    const events = list(30).map((row, at) => JSON.stringify(at % 2 ? row : { at, tags: [{ a: 1 }] }))
    expect(await tablesOf(events.map(text))).toMatchObject({ items: 30 })
    const document = await documentOf([text(record(1)), text(record(2))])
    const [table] = await document.tables()
    expect((await all(document.rows(table!))).flat()).toMatchObject([{ id: 1 }, { id: 2 }])
    expect((await all(document.rowsJson(table!))).flatMap(json => JSON.parse(json))).toHaveLength(2)
  })

  it('of which all but one are blank are that one; texts that are no tables have lines alone', async () => {
    expect(await tablesOf([text(''), text(csv(3)), text(' \n')])).toEqual({ items: 3, lines: 8 })
    expect((await documentOf([text(''), text(JSON.stringify(list(3)))])).kind).toBe('json-text')
    expect(await tablesOf(Array.from({ length: 30 }, () => text(prose)))).toEqual({ lines: 89 })
  })

  it('of a resource begin behind its address', async () => {
    const resource = { type: 'resource', resource: { uri: 'file:///a.csv', text: csv(4) } }
    expect(await tablesOf([text(prose), resource])).toMatchObject({ items: 4 })
  })

  it('are described each', async () => {
    const content = [text(prose), text(csv(4)), text(JSON.stringify(list(2))), text('{"a":1}')]
    const document = await documentOf(content)
    const { blocks } = await describeText(
      new TextPieces([await document.slice(0, document.length)]),
      document.blocks!,
    )
    expect(blocks).toEqual([
      { content: 0, kind: 'text', count: 2 },
      { content: 1, kind: 'csv', count: 4 },
      { content: 2, kind: 'list', count: 2 },
      { content: 3, kind: 'object', count: 0 },
    ])
  })
})
