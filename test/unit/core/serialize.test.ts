import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { CircularReference, InvalidArgument, NotSerializable } from '../../../src/core/errors.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { isLossless, MAX_DEPTH, serializeInput, serializeValue } from '../../../src/core/serialize.ts'

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

class Private {
  #x = 1
  get x() {
    return this.#x
  }
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

describe('serializeInput goes by the same rule', () => {
  it.each([
    ['no input', undefined, '{}'],
    ['plain JSON', { b: [1, 'x', null, true] }, '{"b":[1,"x",null,true]}'],
    ['an undefined property', { a: undefined }, '{}'],
    ['minus zero', { a: -0 }, '{"a":0}'],
    ['a Date', { at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    ['a URL', { at: new URL('https://a.example/b') }, '{"at":"https://a.example/b"}'],
    ['a class instance', { p: new Point(1, 2) }, '{"p":{"x":1,"y":2}}'],
  ])('accepts %s', (_, input, json) => {
    expect(serializeInput(input)).toBe(json)
  })

  it.each([
    ['an invalid Date', { at: new Date(Number.NaN) }, 'input.at is an invalid Date'],
    ['a Buffer', { bytes: [Buffer.from('x')] }, 'input.bytes[0] is a Buffer'],
    ['a Set', { s: new Set() }, 'input.s is a Set'],
    ['an instance that keeps all in private', { a: new Private() }, 'input.a is a Private'],
    ['a Map', { m: new Map() }, 'input.m is a Map'],
    ['a BigInt', { n: 1n }, 'input.n is a BigInt'],
    ['NaN', { n: Number.NaN }, 'input.n is NaN'],
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

describe('toJSON is honoured as JSON.stringify does it', () => {
  const itself = { a: 1, toJSON: () => itself }
  class Money {
    constructor(readonly cents: number) {}
    toJSON(key: string) {
      return { key, cents: this.cents, toJSON: () => 'never asked' }
    }
  }
  it.each([
    ['which gives an object with a toJSON', { price: new Money(5) }],
    ['which gives the object itself', { itself }],
    ['in a list', [new Money(1), 2, new Date(0)]],
    ['beside members that stay', { a: 1, b: new Money(1), c: [1], d: undefined, e: 2 }],
    ['of a list', Object.assign([1, 2], { toJSON: () => [3] })],
    ['which gives a text', { toJSON: () => 'text' }],
    ['which gives null', { a: { toJSON: () => null } }],
  ])('%s', (_, value) => {
    expect(JSON.parse(serializeValue(value))).toEqual(
      JSON.parse(JSON.stringify(value), (key, inner) => (key === 'toJSON' ? undefined : inner)),
    )
    expect(serializeInput(value)).toBe(serializeValue(value))
  })

  it('is called once, and leaves the value as it was', () => {
    let calls = 0
    const inner = { toJSON: () => ++calls }
    const value = { list: [inner], inner }
    expect(serializeValue(value)).toBe('{"list":[1],"inner":2}')
    expect(calls).toBe(2)
    expect(value).toEqual({ list: [inner], inner })
  })

  it('may be that of BigInt, which many programs add', () => {
    const prototype = BigInt.prototype as { toJSON?: () => string }
    prototype.toJSON = function (this: bigint) {
      return `${this}`
    }
    try {
      expect(serializeValue({ n: 1n })).toBe('{"n":"1"}')
    } finally {
      delete prototype.toJSON
    }
    expect(() => serializeValue({ n: 1n })).toThrow('value.n is a BigInt')
  })

  it('cannot hide what JSON cannot hold', () => {
    expect(() => serializeValue({ a: { toJSON: () => Number.NaN } })).toThrow('value.a is NaN')
    expect(() => serializeValue([{ toJSON: () => undefined }])).toThrow('value[0] is an undefined')
    const endless = { toJSON: () => ({ next: endless }) }
    expect(() => serializeValue(endless)).toThrow(NotSerializable)
  })
})

describe('whether JSON holds all of a value', () => {
  const symbols = { a: 1, [Symbol('s')]: 2 }
  it.each<[string, unknown, boolean]>([
    ['a text', 'x', true],
    ['a number', 1.5, true],
    ['yes', true, true],
    ['null', null, true],
    ['nothing', undefined, true],
    ['exact digits', parseJson('[0.50]'), true],
    ['lists in objects in lists', [{ a: [{ b: null }] }], true],
    ['an object without prototype', Object.assign(Object.create(null), { a: 1 }), true],
    ['an object of another realm', runInNewContext('({ a: [1] })'), true],
    ['NaN', [Number.NaN], false],
    ['Infinity', Number.POSITIVE_INFINITY, false],
    ['a Date', { at: new Date(0) }, false],
    ['a Map', new Map(), false],
    ['a class instance', new Point(1, 2), false],
    ['a function', { f: () => 1 }, false],
    ['a symbol', Symbol('s'), false],
    ['a BigInt', 1n, false],
    ['a symbol key', symbols, false],
    ['a hole in a list', new Array(1), false],
    ['undefined in a list', [undefined], false],
    ['undefined in an object', { a: undefined }, true],
    ['a toJSON', { toJSON: () => 1 }, false],
    ['deep enough', nested(MAX_DEPTH), true],
    ['too deep', nested(MAX_DEPTH + 1), false],
  ])('%s: %s', (_, value, is) => {
    expect(isLossless(value)).toBe(is)
  })

  it('is a no for a cycle', () => {
    const a: unknown[] = []
    a.push(a)
    expect(isLossless(a)).toBe(false)
  })

  it('is a no for what is too large to be walked', () => {
    expect(isLossless(new Array(1_000_001).fill(1))).toBe(false)
  })
})

describe('what is refused', () => {
  it.each<[string, unknown, string]>([
    [
      'bytes',
      Buffer.from('x'),
      'value is a Buffer, which is not plain JSON. Convert it to a string, such as base64.',
    ],
    [
      'a buffer of bytes',
      new ArrayBuffer(1),
      'value is an ArrayBuffer, which is not plain JSON. Convert it to a string',
    ],
    [
      'a shared one',
      new SharedArrayBuffer(1),
      'value is a SharedArrayBuffer, which is not plain JSON. Convert it to a string',
    ],
    ['what a toJSON gives as bytes', { toJSON: () => new Uint8Array(1) }, 'value is an Uint8Array'],
    ['a Map', new Map(), 'value is a Map, which is not plain JSON. Convert it to plain objects, lists'],
    ['an invalid Date', new Date(Number.NaN), 'value is an invalid Date, which JSON cannot hold. Use null'],
    ['NaN', Number.NaN, 'value is NaN, which JSON cannot hold. Use null or a string'],
    ['a BigInt', 1n, 'value is a BigInt, which JSON cannot hold. Convert it to a string or a number.'],
    ['a function', () => 1, 'value is a function, which JSON cannot hold. Leave it out or use null.'],
    [
      'an instance of no name',
      new (class {
        #hidden = 1
        get hidden() {
          return this.#hidden
        }
      })(),
      'value is an object without a plain prototype',
    ],
    [
      'an empty object of a prototype without a constructor',
      Object.create(Object.create(null)),
      'value is an object without a plain prototype',
    ],
    ['a Map with members of its own', Object.assign(new Map(), { a: 1 }), 'value is a Map'],
    ['too deep a value', nested(MAX_DEPTH + 1), 'The value is nested deeper than 500 levels. Flatten it.'],
  ])('says what to do: %s', (_, value, message) => {
    expect(() => serializeValue(value)).toThrow(message)
  })

  it('is not what comes from another realm', () => {
    expect(serializeValue(runInNewContext('({ a: [1], b: {} })'))).toBe('{"a":[1],"b":{}}')
  })

  it('knows a cycle from an object in two places, one in the other too', () => {
    const inner = { a: 1 }
    expect(serializeValue({ inner, outer: { inner } })).toBe('{"inner":{"a":1},"outer":{"inner":{"a":1}}}')
  })
})
