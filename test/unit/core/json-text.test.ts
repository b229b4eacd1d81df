import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ExactNumber, toNumber } from '../../../src/core/exact-number.ts'
import { isJsonObject, type JsonValue } from '../../../src/core/json.ts'
import { copyJson, parseJson, stringifyJson } from '../../../src/core/json-text.ts'
import { anyText } from '../../any-text.ts'

/** Numbers as other languages write them. */
const numberText = fc.oneof(
  fc.constantFrom('0', '-0', '-0.0', '0.0', '1.0', '0.50', '1e400', '-1E-400', '1e5', '1E+2', '0.1', '1e21'),
  fc.constantFrom(
    '725653563933458437',
    '9007199254740993',
    '123456789012345',
    '0.30000000000000004',
    '-7',
    '12.05',
  ),
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(number => JSON.stringify(number)),
  fc
    .tuple(fc.bigInt(), fc.nat(), fc.integer({ min: -400, max: 400 }))
    .map(([whole, part, e]) => `${whole}.${part}e${e}`),
  fc.tuple(fc.maxSafeInteger(), fc.stringMatching(/^\d{1,20}$/)).map(([whole, part]) => `${whole}.${part}`),
)
const stringText = fc
  .oneof(fc.string(), anyText(), fc.constantFrom('__proto__', 'a\\', '"', 'exact-number:1', '1.0, 2'))
  .map(text => JSON.stringify(text))
const { jsonText } = fc.letrec<{ jsonText: string }>(tie => ({
  jsonText: fc.oneof(
    { maxDepth: 6 },
    numberText,
    stringText,
    fc.constantFrom('true', 'false', 'null'),
    fc.array(tie('jsonText'), { maxLength: 5 }).map(items => `[${items.join(',')}]`),
    fc
      .uniqueArray(fc.tuple(stringText, tie('jsonText')), { maxLength: 5, selector: ([key]) => key })
      // Keys that are integers change places in every JavaScript object.
      .map(
        members =>
          `{${members
            .filter(([key]) => !/^"\d+"$/.test(key))
            .map(pair => pair.join(':'))
            .join(',')}}`,
      ),
  ),
}))

/** The nearest that JavaScript has. */
function asNative(value: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue
}

test('what is read is written as it was, to the last digit', () => {
  fc.assert(
    fc.property(jsonText, text => {
      expect(stringifyJson(parseJson(text))).toBe(text)
    }),
    { numRuns: 2_000 },
  )
})

test('what is read is what JSON.parse reads, but for the digits', () => {
  fc.assert(
    fc.property(jsonText, text => {
      const spaced = text.replace(/^[[{]/, '$& \n\t').replace(/[\]}]$/, ' \r\n$&')
      const native = JSON.parse(spaced) as JsonValue
      expect(asNative(parseJson(spaced))).toEqual(asNative(native))
    }),
    { numRuns: 1_000 },
  )
})

test('what JSON.parse refuses is refused with its error', () => {
  fc.assert(
    fc.property(jsonText, fc.nat(), fc.string({ maxLength: 2 }), (text, at, put) => {
      const place = at % (text.length + 1)
      const broken = text.slice(0, place) + put + text.slice(place + 1)
      const outcome = (read: (text: string) => unknown) => {
        try {
          read(broken)
          return 'read'
        } catch (error) {
          return String(error)
        }
      }
      expect(outcome(parseJson)).toBe(outcome(JSON.parse))
    }),
    { numRuns: 1_000 },
  )
})

test('numbers that a double holds stay numbers', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      const text = JSON.stringify(value)
      expect(parseJson(text)).toEqual(JSON.parse(text))
      expect(stringifyJson(value as JsonValue)).toBe(text)
    }),
    { numRuns: 1_000 },
  )
})

test('an exact number computes like a number and is no object', () => {
  const [price] = parseJson('[0.50]') as [number]
  expect(price + 1).toBe(1.5)
  expect(`${price}`).toBe('0.50')
  expect(isJsonObject(price)).toBe(false)
  expect(price).toBeInstanceOf(ExactNumber)
  expect(JSON.stringify({ price })).toBe('{"price":0.5}')
})

test('a text that looks like a mark stays a text', () => {
  const text = '{"exact-number:2":["exact-number:1",1.0,"\\"exact-number:3\\""]}'
  expect(stringifyJson(parseJson(text))).toBe(text)
})

test('of two members of one name the last counts, at the place of the first', () => {
  expect(stringifyJson(parseJson('{"a":1.0,"b":2,"a":3.0}'))).toBe('{"a":3.0,"b":2}')
})

test('a member called __proto__ is data', () => {
  const value = parseJson('{"__proto__":{"admin":1.0}}') as { admin?: unknown }
  expect(value.admin).toBeUndefined()
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
  expect(stringifyJson(value as JsonValue)).toBe('{"__proto__":{"admin":1.0}}')
})

test.each([600, 3_000, 20_000])('%d levels are read, copied and written', depth => {
  for (const innermost of ['1', '1.0']) {
    const list = '['.repeat(depth) + innermost + ']'.repeat(depth)
    const object = '{"a":'.repeat(depth) + innermost + '}'.repeat(depth)
    expect(stringifyJson(copyJson(parseJson(list))) === list).toBe(true)
    expect(stringifyJson(copyJson(parseJson(object))) === object).toBe(true)
  }
})

test('an exact number computes as a number, shows its digits, and is a double to whoever knows no better', () => {
  const exact = parseJson('0.50') as unknown as ExactNumber
  expect([+exact, `${exact}`, JSON.stringify([exact])]).toEqual([0.5, '0.50', '[0.5]'])
  expect(stringifyJson([exact, exact] as never)).toBe('[0.50,0.50]')
  expect(() => stringifyJson([exact, 1n] as never)).toThrow(TypeError)
  expect(JSON.stringify([exact])).toBe('[0.5]')
  expect([exact, 7, '7', null].map(toNumber)).toEqual([0.5, 7, undefined, undefined])
})
