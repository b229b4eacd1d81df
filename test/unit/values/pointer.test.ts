import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { isJsonObject, type JsonValue } from '../../../src/core/json.ts'
import { stringifyJson } from '../../../src/core/json-text.ts'
import { pointerOf, toReference } from '../../../src/core/part.ts'
import { atOnce } from '../../../src/core/steps.ts'
import { takePart } from '../../../src/values/pointer.ts'
import type { Used } from '../../../src/values/projection.ts'
import { PROXIED_RESULT, RESULT_PROJECTIONS } from '../../../src/values/result-projections.ts'
import { json } from '../preview/values.ts'

const REF = `t:${'a'.repeat(32)}`

function take(of: Used, fragment: string, sees = true): JsonValue {
  const part = toReference('t', `${REF}#${fragment}`)?.part
  if (!part) throw new Error('no part')
  return takePart(of, part, sees)
}

const text = (value: string) => ({ type: 'text', text: value })
const image = { type: 'image', data: 'aGVsbG8=', mimeType: 'image/png' }

/** What a result of another server becomes in use. */
const usedResult = (result: { content: JsonValue[]; structuredContent?: JsonValue }) =>
  atOnce(RESULT_PROJECTIONS[PROXIED_RESULT]!.use(result))

function* partsOf(value: JsonValue, steps: string[] = []): Iterable<[string[], JsonValue]> {
  yield [steps, value]
  if (Array.isArray(value))
    for (const [at, item] of value.entries()) yield* partsOf(item, [...steps, `${at}`])
  else if (isJsonObject(value))
    for (const key of Object.keys(value)) yield* partsOf(value[key] as JsonValue, [...steps, key])
}

describe('a JSON Pointer', () => {
  it('finds every part of any value, and of the text that is its JSON', () => {
    fc.assert(
      fc.property(json, value => {
        const forms =
          isJsonObject(value) || Array.isArray(value) ? [value, JSON.stringify(value, null, 2)] : [value]
        for (const [steps, part] of partsOf(value)) {
          for (const form of forms.slice(steps.length === 0 ? 1 : 0, 2)) {
            if (steps.length > 0) expect(take({ value: form }, pointerOf(steps))).toEqual(part)
          }
        }
        expect(take({ value }, '')).toEqual(value)
      }),
      { numRuns: 200 },
    )
  })

  it('keeps the digits of a text', () => {
    const value = '{"rows": [1.50, 12345678901234567890, 1e2, {"n": 0.10}]}'
    expect(stringifyJson(take({ value }, '/rows'))).toBe('[1.50,12345678901234567890,1e2,{"n":0.10}]')
    expect(stringifyJson(take({ value }, '/rows/1'))).toBe('12345678901234567890')
  })

  it.each([
    ['/items/7', /#\/items, is a list with the positions 0 to 2/],
    ['/items/-1', /#\/items, is a list/],
    ['/items/-', /#\/items, is a list/],
    ['/items/01', /#\/items, is a list/],
    ['/items/length', /#\/items, is a list/],
    ['/items/0/nam', /#\/items\/0, has the keys name, tags/],
    ['/items/0/name/0', /#\/items\/0\/name, is a text/],
    ['/meta/x', /#\/meta, is null/],
    ['/empty/0', /#\/empty, is an empty list/],
    ['/__proto__', /The value itself has the keys items, meta, empty/],
    ['/constructor/name', /The value itself has the keys/],
    ['/toString', /The value itself has the keys/],
  ])('that leads nowhere says what is there: %s', (pointer, message) => {
    const value = { items: [{ name: 'a', tags: [] }, 1, 2], meta: null, empty: [] }
    expect(() => take({ value }, pointer)).toThrow(InvalidArgument)
    expect(() => take({ value }, pointer)).toThrow(message)
    expect(() => take({ value: JSON.stringify(value) }, pointer)).toThrow(message)
  })

  it('names few of many keys, and tells nothing to who may not see', () => {
    const value = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, at) => [`${'k'.repeat(500)}${at}`, at]),
    )
    const refusal = (sees: boolean) => {
      try {
        return take({ value }, '/none', sees)
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(refusal(true)).toContain('and 9970 more')
    expect((refusal(true) as string).length).toBeLessThan(3_000)
    expect(refusal(false)).not.toMatch(/kkk|none/)
  })

  it('leads to a member called __proto__ where there is one', () => {
    expect(take({ value: '{"__proto__":{"x":1}}' }, '/__proto__/x')).toBe(1)
    expect(take({ value: JSON.parse('{"__proto__":{"x":1}}') as JsonValue }, '/__proto__/x')).toBe(1)
  })

  it('leads into each form of a result', () => {
    const wrapped = usedResult({
      content: [text('line 1\nline 2')],
      structuredContent: { content: 'line 1\nline 2' },
    })
    expect(take(wrapped, '/content')).toBe('line 1\nline 2')
    expect(take(wrapped, '/content/0')).toBe('line 1\nline 2')
    expect(take(wrapped, 'L2')).toBe('line 2')
    const python = usedResult({
      content: [text('[{"id": 1.0}]')],
      structuredContent: { result: [{ id: 1 }] },
    })
    expect(take(python, '/result/0')).toEqual({ id: 1 })
    expect(take(python, '/0/id')).toBe(1)
    const both = usedResult({ content: [text('# Doc')], structuredContent: { rows: [1, 2] } })
    expect(take(both, '/text')).toBe('# Doc')
    expect(take(both, '/structured/rows/1')).toBe(2)
  })

  it('gives each text of several, and media as their blocks', () => {
    const used = usedResult({ content: [text('one'), image, text('two')] })
    expect(used.value).toBe('one\n\ntwo')
    expect(take(used, '/content/0')).toBe('one')
    expect(take(used, '/content/1')).toEqual(image)
    expect(take(used, '/content/2')).toBe('two')
    expect(take(used, '/content/1/mimeType')).toBe('image/png')
    expect(() => take(used, '/content/3')).toThrow(InvalidArgument)
  })
})

describe('lines', () => {
  it.each([
    ['a\nb\nc', 'L1', 'a'],
    ['a\nb\nc', 'L2-L3', 'b\nc'],
    ['a\nb\nc\n', 'L3', 'c'],
    ['a\r\nb\r\nc', 'L1-L2', 'a\r\nb'],
    ['a\n\nc', 'L2', ''],
    ['\n', 'L1', ''],
    ['one', 'L1', 'one'],
  ])('of %j: %s', (value, lines, expected) => {
    expect(take({ value }, lines)).toBe(expected)
  })

  it.each([
    ['a\nb\nc\n', 'L4', /3 lines/],
    ['a\nb', 'L1-L1000000000', /2 lines/],
    ['', 'L1', /0 lines/],
    ['a', 'L999999999', /1 line/],
  ])('of %j that are not there: %s', (value, lines, message) => {
    expect(() => take({ value }, lines)).toThrow(message)
  })

  it('are those of the text that a value came in, and no other value has any', () => {
    expect(take({ value: { a: 1 }, text: '{\n"a": 1}' }, 'L2')).toBe('"a": 1}')
    expect(() => take({ value: { a: 1 } }, 'L1')).toThrow(/Only a text has lines.*has the keys a/)
  })
})
