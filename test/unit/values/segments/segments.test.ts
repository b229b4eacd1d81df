import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ExactNumber } from '../../../../src/core/exact-number.ts'
import type { JsonValue } from '../../../../src/core/json.ts'
import { parseJson, stringifyJson } from '../../../../src/core/json-text.ts'
import { paced } from '../../../../src/core/steps.ts'
import { ValueWriter } from '../../../../src/values/segments/writer.ts'
import { anyText } from '../../../any-text.ts'
import { MAX_BYTES, write } from './written.ts'

/** JSON whose parts vary a lot in size, with keys and texts of every kind. */
const json = fc.jsonValue({ maxDepth: 5, stringUnit: 'grapheme' }) as fc.Arbitrary<JsonValue>
const large = fc.oneof(
  fc.array(json, { minLength: 5, maxLength: 40 }),
  fc.dictionary(fc.string({ unit: 'grapheme' }), json, { minKeys: 5, maxKeys: 40 }),
  fc.record({ head: json, rows: fc.array(json, { minLength: 5, maxLength: 40 }), tail: json }),
  fc.array(fc.string({ unit: 'grapheme', minLength: 20, maxLength: 200 }), { minLength: 3 }),
)
const segmentLength = fc.integer({ min: 16, max: 200 })

describe('a value in segments', () => {
  it('is its compact JSON, to the last character, when the segments are put together', async () => {
    await fc.assert(
      fc.asyncProperty(large, segmentLength, async (value, length) => {
        fc.pre(JSON.stringify(value).length > length)
        const { segments, index, reader } = await write(value, length)
        expect(segments.join('')).toBe(JSON.stringify(value))
        expect(index.jsonBytes).toBe(Buffer.byteLength(JSON.stringify(value)))
        for (const segment of segments) expect(segment.length).toBeLessThanOrEqual(length)
        expect(stringifyJson(await paced(reader.value()))).toBe(JSON.stringify(value))
      }),
      { numRuns: 300 },
    )
  })

  it('gives any of its parts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(json, { minLength: 5, maxLength: 60 }),
        segmentLength,
        async (list, length) => {
          fc.pre(JSON.stringify(list).length > length)
          const { index, reader } = await write(list, length)
          expect(index.containers[0]).toMatchObject({ kind: 'list', count: list.length })
          for (const [first, count] of [
            [0, 1],
            [3, 2],
            [list.length - 1, 1],
            [1, list.length],
          ] as const) {
            const text = await paced(reader.parts(0, first, count))
            expect(JSON.parse(`[${text}]`)).toEqual(
              JSON.parse(JSON.stringify(list.slice(first, first + count))),
            )
          }
        },
      ),
      { numRuns: 200 },
    )
  })

  it('knows the lists and objects within that are larger than a segment', async () => {
    const rows = Array.from({ length: 50 }, (_, id) => ({ id, name: `row ${id}` }))
    const { index, reader } = await write({ meta: { page: 1 }, data: { 'my/rows': rows }, next: null }, 100)
    const kinds = index.containers.map(({ kind, count, within }) => [
      kind,
      count,
      within?.container,
      within?.key,
    ])
    expect(kinds).toEqual([
      ['object', 3, undefined, undefined],
      ['object', 1, 0, 'data'],
      ['list', 50, 1, 'my/rows'],
    ])
    expect(JSON.parse(await paced(reader.parts(2, 42, 1)))).toEqual(rows[42])
    expect(await paced(reader.parts(0, 2, 1))).toBe('"next":null')
  })

  it('is, for a text, that text, cut between lines', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { minLength: 10, maxLength: 60 }),
        segmentLength,
        async (lines, length) => {
          const text = lines.join('\n')
          fc.pre(text.length > length && !/\p{Surrogate}/u.test(text))
          const { segments, index, reader } = await write(text, length)
          expect(index.form).toBe('text')
          expect(segments.join('')).toBe(text)
          expect(index.jsonBytes).toBe(Buffer.byteLength(JSON.stringify(text)))
          const ended = text.split(/(?<=\n)/)
          expect(index.containers[0]?.count).toBe(ended.length)
          expect(await paced(reader.parts(0, 3, 4))).toBe(ended.slice(3, 7).join(''))
          expect(await paced(reader.parts(0, ended.length - 1, 9))).toBe(ended.at(-1))
          expect(await paced(reader.value())).toBe(text)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('keeps half a surrogate pair, which UTF-8 cannot hold, as an escape', async () => {
    const text = `${'a'.repeat(100)}\ud83d${'b'.repeat(100)}`
    const { index, reader } = await write(text, 32)
    expect(index.form).toBe('json')
    expect(await paced(reader.value())).toBe(text)
  })

  it('keeps a string within that is longer than a segment', async () => {
    await fc.assert(
      fc.asyncProperty(anyText({ minLength: 100, maxLength: 600 }), segmentLength, async (text, length) => {
        const value = { content: [{ type: 'text', text }], 'a"b': [1, text, 2] }
        const { segments, reader } = await write(value, length)
        expect(segments.join('')).toBe(JSON.stringify(value))
        expect(await paced(reader.value())).toEqual(value)
      }),
      { numRuns: 200 },
    )
  })

  it('keeps members called __proto__, keys that are numbers, and digits', async () => {
    const text = `{"__proto__":{"a":[${'1.50,'.repeat(50)}1e400]},"10":1,"b":{"__proto__":12345678901234567890}}`
    const { reader } = await write(parseJson(text), 40, true)
    const value = await paced(reader.value())
    // Keys that are integers come first, as in every object of JavaScript.
    expect(stringifyJson(value)).toBe(stringifyJson(parseJson(text)))
    expect(Object.keys(value as object)).toEqual(['10', '__proto__', 'b'])
    expect((value as { b: object }).b).not.toBeInstanceOf(ExactNumber)
  })

  it('may be nested to any depth', async () => {
    const depth = 20_000
    const text = `${'[1,'.repeat(depth)}0${']'.repeat(depth)}`
    const { segments, reader } = await write(parseJson(text), 1000, true)
    expect(segments.join('')).toBe(text)
    expect(stringifyJson(await paced(reader.value()))).toBe(text)
  })
})

describe('reading a value in segments', () => {
  it('loads the segments of what is asked for, and no others', async () => {
    const list = Array.from({ length: 20_000 }, (_, id) => ({
      id,
      text: `a record of some length, number ${id}`,
    }))
    const { segments, reader, loaded } = await write(list)
    expect(segments.length).toBeGreaterThan(8)
    expect(JSON.parse(`[${await paced(reader.parts(0, 15_000, 10))}]`)).toEqual(list.slice(15_000, 15_010))
    expect(new Set(loaded).size).toBeLessThanOrEqual(2)
  })
})

describe('a value that is written', () => {
  it('loads nothing of a very long line for the lines behind it', async () => {
    const text = `head\n${'x'.repeat(5_000)}\n${Array.from({ length: 8 }, (_, at) => `line ${at}`).join('\n')}`
    const { reader, loaded } = await write(text, 200)
    expect(await paced(reader.parts(0, 5, 1))).toBe('line 3\n')
    expect(loaded.length).toBeLessThanOrEqual(2)
    expect(await paced(reader.parts(0, 2, 3))).toBe('line 0\nline 1\nline 2\n')
  })

  it('of up to a megabyte is read at once', async () => {
    const small = Array.from({ length: 9000 }, (_, id) => ({ id, text: 'x'.repeat(80) }))
    const expected = JSON.stringify(small)
    expect(expected.length).toBeGreaterThan(900_000)
    expect(expected.length).toBeLessThan(1_048_576)
    const writer = new ValueWriter(small, { maxBytes: MAX_BYTES })
    small.length = 0
    const segments: string[] = []
    await writer.write(async segment => {
      segments.push(segment)
    })
    expect(segments.join('')).toBe(expected)
  })

  it('has a bound', async () => {
    const list = Array.from({ length: 10_000 }, (_, id) => id)
    expect(() => new ValueWriter(list, { maxBytes: 1000 })).toThrow('more than 1000 bytes')
    const large = Array.from({ length: 200_000 }, () => 'ten bytes ')
    const writer = new ValueWriter(large, { maxBytes: 2_000_000 })
    await expect(writer.write(async () => {})).rejects.toThrow('more than 2000000 bytes')
  })

  it('is refused where JSON cannot hold it, with the place', async () => {
    const list: unknown[] = Array.from({ length: 200_000 }, () => 'ten bytes ')
    list.push({ a: [Number.NaN] })
    await expect(new ValueWriter(list, { maxBytes: MAX_BYTES }).write(async () => {})).rejects.toThrow(
      'value[200000].a[0] is NaN',
    )
    const cyclic: Record<string, unknown> = { list: Array.from({ length: 100_000 }, () => 'ten bytes ') }
    cyclic.self = cyclic
    await expect(new ValueWriter(cyclic, { maxBytes: MAX_BYTES }).write(async () => {})).rejects.toThrow(
      'value.self refers back',
    )
  })
})
