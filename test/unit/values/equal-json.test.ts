import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { atOnce, type Steps } from '../../../src/core/steps.ts'
import { equalJson, parsedJson, textEqualsJson } from '../../../src/values/equal-json.ts'

const json = fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }) as fc.Arbitrary<JsonValue>
const space = fc.constantFrom(undefined, 2, '\t')
const equals = (text: string, value: unknown) => atOnce(textEqualsJson(text, value))

describe('whether a text is the JSON of a value', () => {
  it('is what parsing the text says', () => {
    fc.assert(
      fc.property(json, json, space, (value, other, space) => {
        const text = JSON.stringify(value, null, space)
        const plain = JSON.parse(text) as JsonValue
        expect(equals(` ${text}\n`, plain)).toBe(true)
        const there = JSON.parse(JSON.stringify(other)) as JsonValue
        expect(equals(text, there)).toBe(equalJson(plain, there))
      }),
    )
  })

  it('is no for a text that is damaged anywhere, unless it still says the same', () => {
    const damage = fc.constantFrom('', ',', '"', '}', ']', '{', '[', ':', '0', '\\', 'x', '\n')
    fc.assert(
      fc.property(json, space, fc.nat(), damage, (value, space, at, by) => {
        const text = JSON.stringify(value, null, space)
        const place = at % text.length
        const damaged = text.slice(0, place) + by + text.slice(place + 1)
        const plain = JSON.parse(text) as JsonValue
        const parsed = parsedJson(damaged.trim())
        expect(equals(damaged, plain)).toBe(parsed !== undefined && equalJson(parsed, plain))
      }),
      { numRuns: 1_000 },
    )
  })

  it('takes keys in any order, none of them twice', () => {
    const value = { b: 1, a: { 2: [], 1: {} } }
    expect(equals('{"a":{"1":{},"2":[]},"b":1}', value)).toBe(true)
    expect(equals('{"b":1,"a":{"2":[],"1":{}}}', value)).toBe(true)
    expect(equals('{"b":1,"b":1}', value)).toBe(false)
    expect(equals('{"a":1,"b":2,"a":1}', { a: 1, b: 2, c: 3 })).toBe(false)
    expect(equals('{"__proto__":1}', {})).toBe(false)
    expect(equals('{"__proto__":1}', parseJson('{"__proto__":1}'))).toBe(true)
    expect(equals('{"\\u0061":1}', { a: 1 })).toBe(true)
  })

  it('takes numbers by their digits', () => {
    expect(equals('[1.50,1e3,-0]', parseJson('[1.5,1000.0,0]'))).toBe(true)
    expect(equals('12345678901234567890', parseJson('12345678901234567890'))).toBe(true)
    expect(equals('12345678901234567890', parseJson('12345678901234567891'))).toBe(false)
    for (const word of ['01', 'true', 'null', '"0"', '', 'NaN', '0x0']) expect(equals(word, 0)).toBe(false)
  })

  it('takes what converts itself as what it becomes, and leaves out what is undefined', () => {
    const value = { at: new Date(0), none: undefined, list: [{ toJSON: () => ({ x: 1 }) }] }
    expect(equals(JSON.stringify(value), value)).toBe(true)
    expect(equals('{"at":"1970-01-01T00:00:00.000Z","none":1,"list":[{"x":1}]}', value)).toBe(false)
  })

  it('goes in steps, also through one long string, and as deep as one likes', () => {
    const rows = Array.from({ length: 50_000 }, (_, id) => ({ id, name: `record ${id}` }))
    expect(largestStep(textEqualsJson(JSON.stringify(rows, null, 1), rows))).toBeLessThan(150_000)
    const long = 'a "quoted" line\n'.repeat(200_000)
    expect(largestStep(textEqualsJson(JSON.stringify([long]), [long]))).toBeLessThan(150_000)
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    expect(equals(deep, parseJson(deep))).toBe(true)
  })
})

/** The most work of one step. */
function largestStep(steps: Steps<boolean>): number {
  let largest = 0
  for (;;) {
    const step = steps.next()
    if (!step.done) {
      largest = Math.max(largest, step.value)
      continue
    }
    expect(step.value).toBe(true)
    return largest
  }
}
