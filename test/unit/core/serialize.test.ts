import { describe, expect, it } from 'vitest'
import { CircularReference, InvalidArgument, NotSerializable } from '../../../src/core/errors.ts'
import { MAX_DEPTH, serializeInput, serializeValue } from '../../../src/core/serialize.ts'

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

function nested(levels: number): unknown {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = [value]
  return value
}

describe('serializeValue has JSON semantics and refuses what JSON would lose in silence', () => {
  it.each([
    ['nothing at all', undefined, 'null'],
    ['null', null, 'null'],
    ['minus zero', -0, '0'],
    ['a Date', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['an undefined property', { a: 1, b: undefined }, '{"a":1}'],
    ['a class instance', new Point(1, 2), '{"x":1,"y":2}'],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['an own __proto__ key', JSON.parse('{"__proto__":{"a":1}}'), '{"__proto__":{"a":1}}'],
    ['a member whose toJSON gives nothing', { a: { toJSON: () => undefined }, b: 1 }, '{"b":1}'],
    ['a value whose toJSON gives nothing', { toJSON: () => undefined }, 'null'],
    ['a lone surrogate', '\ud800', '"\\ud800"'],
    ['the same object twice', (o => [o, o])({ a: 1 }), '[{"a":1},{"a":1}]'],
  ])('accepts %s', (_, value, json) => {
    expect(serializeValue(value)).toBe(json)
  })

  it.each([
    ['NaN', Number.NaN, 'value is NaN'],
    ['Infinity', [Number.POSITIVE_INFINITY], 'value[0] is Infinity'],
    ['a BigInt', { n: 1n }, 'value.n is a BigInt'],
    ['a function', { f: () => 1 }, 'value.f is a function'],
    ['a symbol', [Symbol('s')], 'value[0] is a symbol'],
    ['undefined in a list', [1, undefined], 'value[1] is an undefined'],
    // biome-ignore lint/suspicious/noSparseArray: a hole is the case
    ['a hole in a list', [1, , 3], 'value[1] is an undefined'],
    ['a Map', { m: new Map() }, 'value.m is a Map'],
    ['a Set', new Set([1]), 'value is a Set'],
    ['an Error', new Error('secret'), 'value is an Error'],
    ['a RegExp', /a/, 'value is a RegExp'],
    ['a Promise', Promise.resolve(1), 'value is a Promise'],
    ['bytes', new Uint8Array(3), 'value is an Uint8Array'],
  ])('refuses %s and says where', (_, value, message) => {
    expect(() => serializeValue(value)).toThrow(NotSerializable)
    expect(() => serializeValue(value)).toThrow(message)
  })

  it('refuses a cycle, and names where it closes', () => {
    const a: Record<string, unknown> = {}
    a.list = [{ back: a }]
    expect(() => serializeValue(a)).toThrow(CircularReference)
    expect(() => serializeValue(a)).toThrow('value.list[0].back')
  })

  it(`accepts ${MAX_DEPTH} levels and refuses more, a hundred thousand included`, () => {
    expect(serializeValue(nested(MAX_DEPTH))).toHaveLength(MAX_DEPTH * 2 + 1)
    expect(() => serializeValue(nested(MAX_DEPTH + 1))).toThrow(NotSerializable)
    expect(() => serializeValue(nested(100_000))).toThrow(NotSerializable)
  })
})

describe('serializeInput accepts plain JSON only, because keys are made of it', () => {
  it.each([
    ['no input', undefined, '{}'],
    ['plain JSON', { b: [1, 'x', null, true] }, '{"b":[1,"x",null,true]}'],
    ['an undefined property', { a: undefined }, '{}'],
    ['minus zero', { a: -0 }, '{"a":0}'],
  ])('accepts %s', (_, input, json) => {
    expect(serializeInput(input)).toBe(json)
  })

  it.each([
    ['a Date', { at: new Date(0) }, 'toISOString'],
    ['a Map', { m: new Map() }, 'input.m is a Map'],
    ['a BigInt', { n: 1n }, 'input.n is a BigInt'],
    ['NaN', { n: Number.NaN }, 'input.n is NaN'],
    ['a class instance', { p: new Point(1, 2) }, 'input.p is a Point'],
    ['a function', { f() {} }, 'input.f is a function'],
  ])('refuses %s', (_, input, message) => {
    expect(() => serializeInput(input)).toThrow(InvalidArgument)
    expect(() => serializeInput(input)).toThrow(message)
  })

  it('refuses a cycle', () => {
    const a: unknown[] = []
    a.push(a)
    expect(() => serializeInput(a)).toThrow(CircularReference)
  })
})
