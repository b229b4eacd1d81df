import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../../src/core/json.ts'
import { paced } from '../../../../src/core/steps.ts'
import { embeddedJson } from '../../../../src/preview/embedded-json.ts'
import { Source } from '../../../../src/preview/preview.ts'
import { jsonInText } from '../../../../src/values/segments/json-in-text.ts'
import { tablesOf } from '../../../../src/values/tables.ts'

const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }) as fc.Arbitrary<JsonValue>
const value = fc.oneof(
  fc.array(json, { minLength: 3, maxLength: 30 }),
  fc.dictionary(fc.string({ unit: 'grapheme' }), json, { minKeys: 3, maxKeys: 30 }),
  fc.record({ head: json, rows: fc.array(fc.record({ id: json }), { minLength: 3, maxLength: 30 }) }),
)
const spaces = fc.constantFrom(undefined, 1, 2, '\t')
const segmentLength = fc.integer({ min: 16, max: 200 })

/** A text with one character left out, doubled, or changed for another one. */
const damage = fc.record({
  at: fc.nat(),
  by: fc.constantFrom('', ',', '"', '}', ']', '{', '[', ':', '0', '\\', 'x'),
})

describe('JSON in a text', () => {
  it('is found with its larger parts and its tables', async () => {
    await fc.assert(
      fc.asyncProperty(value, spaces, segmentLength, async (value, space, length) => {
        const plain = JSON.parse(JSON.stringify(value)) as JsonValue
        const text = `\n${JSON.stringify(plain, null, space)} `
        const found = await paced(jsonInText(text, length))
        expect(found?.containers[0]).toMatchObject({ start: 1, end: text.length - 1 })
        for (const { start, end, kind, count } of found?.containers ?? []) {
          const part = JSON.parse(text.slice(start, end)) as JsonValue
          expect(kind).toBe(Array.isArray(part) ? 'list' : typeof part)
          expect(count).toBe(typeof part === 'string' ? part.length : Object.keys(part as object).length)
        }
        expect(found?.tables.map(({ name, shape }) => [name, shape.rows])).toEqual(
          tablesOf(plain).map(({ name, of }) => [name, Object.keys(of).length]),
        )
      }),
      { numRuns: 200 },
    )
  })

  it('is none where it is damaged anywhere, or reading it would lose something', async () => {
    await fc.assert(
      fc.asyncProperty(value, spaces, segmentLength, damage, async (value, space, length, { at, by }) => {
        const text = JSON.stringify(value, null, space)
        const place = at % text.length
        const damaged = text.slice(0, place) + by + text.slice(place + 1)
        const whole = await embeddedJson(new Source(damaged))
        expect((await paced(jsonInText(damaged, length))) !== undefined).toBe(whole !== undefined)
      }),
      { numRuns: 600 },
    )
    for (const text of [
      '[1,2',
      '{"a":1,"a":2}',
      '{"b":1,"1":2}',
      '[1,,2]',
      '[1] [2]',
      '[1}',
      '{"a" 1}',
      '[,]',
    ]) {
      expect(await paced(jsonInText(text, 16))).toBeUndefined()
    }
  })
})
