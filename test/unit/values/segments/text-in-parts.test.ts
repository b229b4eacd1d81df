import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../../src/core/json.ts'
import { JsonReader } from '../../../../src/core/json-reader.ts'
import { parseJson } from '../../../../src/core/json-text.ts'
import { partsOf } from '../../../../src/core/string-parts.ts'
import { PROXIED_RESULT } from '../../../../src/values/result-projections.ts'
import { ValueWriter } from '../../../../src/values/segments/writer.ts'
import { isWellFormed } from '../../../../src/values/text-pieces.ts'

interface Result extends Record<string, JsonValue> {
  content: Array<{ type: string; text: string }>
}

function read(json: string, lengths: readonly number[]): Result {
  const reader = new JsonReader()
  for (let at = 0, piece = 0; at < json.length; piece++) {
    const length = lengths[piece % lengths.length] as number
    reader.push(json.slice(at, at + length))
    at += length
  }
  return reader.end() as Result
}

async function written(value: JsonValue, projection?: string) {
  const segments: string[] = []
  const options = { maxBytes: 1e9, verbatim: true, projection }
  const outcome = await new ValueWriter(value, options).write(async segment => void segments.push(segment))
  return { outcome, segments }
}

/** Characters of two units come as they are, or as two escapes. */
const UNITS = ['plain ', 'é', '"', '\\', '\n', '\u{1f600}', '\u0001', 'ERROR a, b\n']
/** Some segments, or so much that it is read on while it is written (`LARGE_VALUE`). */
const LENGTHS = [300_000, 300_000, 1_100_000]

const units = fc.array(fc.constantFrom(...UNITS), { minLength: 1, maxLength: 12 })
const length = fc.constantFrom(...LENGTHS)
const lengths = fc.array(fc.integer({ min: 20_000, max: 99_999 }), { minLength: 1, maxLength: 5 })

const TEXTS: Record<string, (unit: string, length: number) => string> = {
  prose: (unit, length) => unit.repeat(length / unit.length),
  'JSON lines': (unit, length) => `${JSON.stringify({ unit, a: 1 })}\n`.repeat(length / (unit.length + 15)),
  JSON: (unit, length) =>
    JSON.stringify(Array(Math.ceil(length / (unit.length + 15))).fill({ unit, a: 1 }), null, 1),
  'JSON with a long text': (unit, length) =>
    JSON.stringify({ unit: unit.repeat(length / unit.length), rows: [1, 2] }),
  'half a character at the end': (unit, length) => `${unit.repeat(length / unit.length)}\ud83d`,
}

function escaped(json: string): string {
  return json.replace(/[\ud800-\udfff]/g, unit => `\\u${unit.charCodeAt(0).toString(16)}`)
}

describe('a long text that came in pieces', () => {
  it.each(Object.keys(TEXTS))('is stored as if it came at once: %s', async kind => {
    await fc.assert(
      fc.asyncProperty(units, length, lengths, fc.boolean(), async (units, length, lengths, isEscaped) => {
        const text = TEXTS[kind]?.(units.join(''), length) as string
        const json = JSON.stringify({ content: [{ type: 'text', text }], _meta: { a: 1 } })
        const source = isEscaped ? escaped(json) : json
        for (const projection of [undefined, PROXIED_RESULT]) {
          const inParts = await written(read(source, lengths), projection)
          expect(inParts).toEqual(await written(parseJson(source), projection))
        }
      }),
      { numRuns: 4 },
    )
  })

  it.each([
    [
      'beside another one',
      { content: ['one', 'two'].map(text => ({ type: 'text', text: `${text}\n`.repeat(3e5) })) },
    ],
    [
      'beside other data',
      { content: [{ type: 'text', text: 'a line\n'.repeat(2e5) }], structuredContent: { a: [1] } },
    ],
    ['in a list', { content: [], structuredContent: { list: ['a\n'.repeat(6e5), 'b\n'.repeat(6e5)] } }],
  ])('is stored as if it came at once: %s', async (_, result) => {
    const json = JSON.stringify(result)
    const inParts = await written(read(json, [65_536]), PROXIED_RESULT)
    expect(inParts).toEqual(await written(parseJson(json), PROXIED_RESULT))
  })

  it('has parts that cut no character', () => {
    const text = '\u{1f600}'.repeat(50_000)
    for (const json of [JSON.stringify({ text }), escaped(JSON.stringify({ text }))]) {
      for (const length of [9_999, 10_000, 10_001, 10_003, 10_006]) {
        const value = read(json, [length])
        const parts = partsOf(value, 'text', value.text as string)
        expect(parts.length).toBeGreaterThan(1)
        expect(parts.join('')).toBe(text)
        expect(parts.every(isWellFormed)).toBe(true)
      }
    }
  })

  it('has no parts once another one stands in its place', () => {
    const long = 'x'.repeat(50_000)
    const json = `{"text":${JSON.stringify(long)},"text":"short"}`
    const value = read(json, [10_000])
    expect(partsOf(value, 'text', value.text as string)).toEqual(['short'])
    value.text = 'y'.repeat(50_000)
    expect(partsOf(value, 'text', value.text)).toEqual([value.text])
  })
})
