import crypto, { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { canonical, Keys, keyOf } from '../../../src/core/key.ts'
import { serializeInput } from '../../../src/core/serialize.ts'

const key = (input: unknown, change: Partial<Parameters<typeof keyOf>[0]> = {}) =>
  keyOf({
    cacheName: 'c',
    toolName: 't',
    namespace: 'public',
    scope: null,
    input: serializeInput(input),
    ...change,
  })

describe('keyOf', () => {
  it('gives one key whatever the order of keys, at every depth', () => {
    expect(key({ a: 1, b: { c: 2, d: [3] } })).toBe(key({ b: { d: [3], c: 2 }, a: 1 }))
  })

  it('gives one key for what JSON cannot tell apart', () => {
    expect(key({ a: -0 })).toBe(key({ a: 0 }))
    expect(key({ a: 1, b: undefined })).toBe(key({ a: 1 }))
    expect(key(undefined)).toBe(key({}))
  })

  it.each([
    ['the order of a list', [1, 2], [2, 1]],
    ['a number and its text', { a: 1 }, { a: '1' }],
    ['null and absence', { a: null }, {}],
    ['an empty list and an empty object', [], {}],
    ['where one string ends and the next begins', ['a","b'], ['a', 'b']],
    ['__proto__ and nothing', JSON.parse('{"__proto__":1}'), {}],
  ])('tells apart %s', (_, left, right) => {
    expect(key(left)).not.toBe(key(right))
  })

  it.each(['cacheName', 'toolName', 'namespace'] as const)('depends on %s', part => {
    expect(key({}, { [part]: 'other' })).not.toBe(key({}))
  })

  it('depends on who may see the result', () => {
    expect(key({}, { scope: 'user:ann' })).not.toBe(key({}, { scope: 'user:bob' }))
  })

  it('is SHA-256 in hex of the canonical JSON, on every Node', () => {
    const json = '["c","t","public",null,{"a":1,"b":"ä"}]'
    expect(key({ b: 'ä', a: 1 })).toBe(createHash('sha256').update(json).digest('hex'))
  })

  it('cannot be forged by moving text between the parts', () => {
    expect(key({}, { toolName: 'a', namespace: 'b","c' })).not.toBe(
      key({}, { toolName: 'a","b', namespace: 'c' }),
    )
  })
})

describe('canonical', () => {
  it('is JSON of an equal value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        const plain = JSON.parse(JSON.stringify(value))
        expect(JSON.parse(canonical(plain))).toEqual(plain)
      }),
    )
  })
})

describe('Keys', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '"', '\\n', '\\', ','), maxLength: 3 })
  const parts = fc.record({
    cacheName: text,
    toolName: text,
    namespace: text,
    scope: fc.jsonValue({ maxDepth: 2 }).map(value => JSON.parse(JSON.stringify(value))),
    input: fc.jsonValue({ maxDepth: 2 }).map(value => JSON.stringify(value)),
  })

  it('gives each call its own key, however often and in whatever order they come', () => {
    const keys = new Keys()
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 10 }), calls => {
        for (const call of [...calls, ...calls]) expect(keys.of(call)).toBe(keyOf(call))
      }),
    )
  })

  describe('are not made twice', () => {
    afterEach(() => vi.restoreAllMocks())

    /** How many of these calls a key was made for. */
    function made(...inputs: string[]): number {
      const hash = vi.spyOn(crypto, 'hash').mockClear()
      const keys = new Keys()
      for (const input of inputs)
        keys.of({ cacheName: 'c', toolName: 't', namespace: 'public', scope: null, input })
      return hash.mock.calls.length
    }
    const text = (length: number) => JSON.stringify('x'.repeat(length - 2))

    it('for the same call', () => expect(made('1', '2', '1', '2')).toBe(2))

    it('unless its input is long', () => {
      expect(made(text(2_000), text(2_000))).toBe(1)
      expect(made(text(2_001), text(2_001))).toBe(2)
    })

    it('unless so many others came between', () => {
      const others = Array.from({ length: 999 }, (_, n) => `${n}`)
      expect(made('"a"', ...others, '"a"')).toBe(1_000)
      expect(made('"a"', ...others, '"one more"', '"a"', '"a"')).toBe(1_002)
    })
  })

  it('holds its ground beyond what it keeps, and for an input of any length', () => {
    const keys = new Keys()
    const call = (input: unknown) => ({
      cacheName: 'c',
      toolName: 't',
      namespace: 'public',
      scope: null,
      input: JSON.stringify(input),
    })
    for (let i = 0; i < 2_500; i++) expect(keys.of(call({ i }))).toBe(keyOf(call({ i })))
    const long = { text: 'x'.repeat(5_000) }
    for (let i = 0; i < 2; i++) expect(keys.of(call(long))).toBe(keyOf(call(long)))
  })
})
