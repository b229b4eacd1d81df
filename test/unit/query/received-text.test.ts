import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { stringifyJson } from '../../../src/core/json-text.ts'
import { tablesOfJson } from '../../../src/query/child/document.ts'
import { ReceivedText } from '../../../src/query/child/received-text.ts'
import { SegmentReader } from '../../../src/values/segments/reader.ts'
import { segmentDocument } from '../../../src/values/segments/segment-document.ts'
import { wholeDocument } from '../../../src/values/segments/whole-document.ts'
import type { ValueDocument } from '../../../src/values/value-document.ts'
import { write } from '../values/segments/written.ts'

const rows = Array.from({ length: 60 }, (_, id) => ({ id, note: id % 7 === 0 ? 'ä€😀'.repeat(40) : 'x' }))
const value = { next: null, data: { rows, map: Object.fromEntries(rows.map(row => [`k${row.id}`, row])) } }

describe('a text that is received', () => {
  it('is read as far as it has come, whatever its pieces are', async () => {
    const text = new ReceivedText()
    let early: string | undefined
    const reading = text.slice(2, 6).then(found => {
      early = found
    })
    text.push('abc')
    await Promise.resolve()
    expect(early).toBeUndefined()
    text.push('defg')
    await reading
    expect(early).toBe('cdef')
    const rest = text.slice(5, 100)
    text.push('hi')
    text.end()
    expect(await rest).toBe('fghi')
    expect((await text.takeAll()).join('')).toBe('abcdefghi')
  })
})

/** The tables of a document as the child reads them: by what is where, from the text. */
async function received(document: ValueDocument): Promise<Record<string, JsonValue[]>> {
  const { length, containers = [] } = document
  const text = new ReceivedText()
  const index = { form: 'json', length, jsonBytes: 0, segments: [length], containers } as const
  const reader = new SegmentReader(index, () => text.slice(0, length))
  const reading = tablesOfJson(reader)
  for await (const piece of document.text()) text.push(piece)
  text.end()
  const found: Record<string, JsonValue[]> = {}
  for (const { name, each } of await reading) {
    found[name] = []
    await each(row => found[name]?.push(row))
  }
  return found
}

describe('what is where in a document', () => {
  it('holds for its text, of all of a value and of a part', async () => {
    const { reader } = await write(value, 300)
    const expected = { rows, map: rows.map(row => ({ key: `k${row.id}`, ...row })), root: [value] }
    expect(await received(segmentDocument(reader))).toEqual(expected)
    expect(await received(await wholeDocument(value))).toEqual(expected)
    const list = reader.index.containers.findIndex(({ within }) => within?.key === 'rows')
    expect(await received(segmentDocument(reader, list))).toEqual({ items: rows })
    expect(await received(await wholeDocument(` ${stringifyJson(value)}\n`))).toEqual(expected)
    expect(await received(await wholeDocument(7))).toEqual({ root: [7] })
  })
})
