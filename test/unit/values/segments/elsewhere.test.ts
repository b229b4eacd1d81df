import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { EncodedValue } from '../../../../src/core/codec.ts'
import { NotSerializable, ValueTooLarge } from '../../../../src/core/errors.ts'
import { parseJson } from '../../../../src/core/json-text.ts'
import {
  type EncodeElsewhere,
  encodeSource,
  encodeValue,
  encodeWritten,
} from '../../../../src/values/segments/encode.ts'
import { ValueWriter } from '../../../../src/values/segments/writer.ts'

const ENCODING = { maxBytes: 20_000_000, compress: false }
const rows = Array.from({ length: 20_000 }, (_, id) => ({
  id,
  name: `row ${id}`,
  '2': id / 7,
  ok: id % 3 === 0,
}))
const log = rows
  .map(({ id, name }) => `2026-11-27T10:00:00Z ${id % 5 ? 'INFO' : 'WARN'} ${name} ü`)
  .join('\n')
const text = (value: string) => ({ type: 'text', text: value })

/** A comparison of long arrays takes seconds. */
function digest({ bytes, segments = [], valueBytes }: EncodedValue) {
  const sha = (part: Uint8Array) => createHash('sha256').update(part).digest('hex')
  return { bytes: sha(bytes), segments: segments.map(sha), valueBytes }
}

/** Another thread, as far as its messages go. */
const another: EncodeElsewhere = ({ pieces, ...source }, encoding) =>
  encodeSource([...pieces].join(''), structuredClone(source), structuredClone(encoding))

/** What a thread says that dies when it has heard a part. */
const dying: EncodeElsewhere = async ({ pieces }) => {
  for (const piece of pieces) if (piece.length > 0) break
  return undefined
}

const VALUES: Array<[string, unknown, Parameters<typeof encodeValue>[2]?]> = [
  ['a list', rows],
  [
    'a list of dates and of what is left out',
    rows.map(row => ({ ...row, at: new Date(0), gone: undefined })),
  ],
  ['a list within an object', { total: rows.length, rows, next: null }],
  ['a log', log.repeat(2)],
  ['a text that is JSON', JSON.stringify(rows, null, 2)],
  ['a text with half a character', `${log.repeat(2)}\ud800`],
  ['a result of one text', { content: [text(log.repeat(2))] }, { projection: 'toolResult' }],
  ['a result of several texts', { content: [text(log), text(log)] }, { projection: 'toolResult' }],
  [
    'a result in both fields',
    { content: [text(JSON.stringify({ rows }))], structuredContent: { rows } },
    { projection: 'toolResult' },
  ],
  [
    "another program's JSON, with numbers that no double holds",
    parseJson(`[${rows.map(() => '12345678901234567890.10').join(',')}]`),
    { verbatim: true },
  ],
]

describe('a large value that is encoded in another thread', () => {
  it.each(VALUES)('%s has the same bytes as here', async (_, value, tool) => {
    const there = await encodeValue(value, ENCODING, tool, another)
    expect(digest(there)).toEqual(digest(await encodeValue(value, ENCODING, tool)))
  })

  it.each(VALUES)('%s loses nothing when the thread dies half-way', async (_, value, tool) => {
    const here = await encodeValue(value, ENCODING, tool, dying)
    expect(digest(here)).toEqual(digest(await encodeValue(value, ENCODING, tool)))
  })

  it('JSON that is stored as it was written stays so', async () => {
    const json = JSON.stringify(rows, null, 1)
    const written = async (elsewhere?: EncodeElsewhere) => {
      const segments: Uint8Array[] = []
      const writer = ValueWriter.ofJson(json, ENCODING)
      const encoded = await encodeWritten(writer, ENCODING, segment => void segments.push(segment), elsewhere)
      return digest({ ...encoded, segments })
    }
    expect(await written(another)).toEqual(await written())
  })

  it('is not asked for where the value is small', async () => {
    const never: EncodeElsewhere = () => expect.fail('asked')
    expect(await encodeValue(rows.slice(0, 100), ENCODING, {}, never)).toBeTruthy()
  })

  it.each([
    ['is too large', rows.concat(rows), { maxBytes: 1_500_000, compress: false }, ValueTooLarge],
    ['holds what is no JSON', [...rows, { id: 1n }], ENCODING, NotSerializable],
  ])('says so where the value %s', async (_, value, encoding, error) => {
    await expect(encodeValue(value, encoding, {}, another)).rejects.toThrow(error)
  })
})
