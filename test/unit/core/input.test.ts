import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import {
  checkResolveRefs,
  foreignReferencesIn,
  mayHoldReferences,
  mayNameReferences,
  type ResolveRefs,
  referencesIn,
  replaceReferences,
  wholeReferencesIn,
} from '../../../src/core/input.ts'
import type { JsonValue } from '../../../src/core/json.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { pathOf } from '../../../src/core/map-json.ts'

const A = `files:${'a'.repeat(32)}`
const B = `files:${'b'.repeat(32)}`
const FOREIGN = `other:${'a'.repeat(32)}`

describe('resolveRefs', () => {
  it.each<[unknown, unknown]>([
    [undefined, true],
    [true, true],
    [false, false],
    ['deep', 'deep'],
    [[], []],
    [
      ['rows', 'more'],
      ['rows', 'more'],
    ],
  ])('takes %j', (given, taken) => {
    expect(checkResolveRefs(given as ResolveRefs)).toEqual(taken)
  })

  it.each<unknown>(['shallow', '', 1, null, {}, ['rows', 1], [undefined]])('refuses %j', given => {
    expect(() => checkResolveRefs(given as ResolveRefs)).toThrow(InvalidArgument)
    expect(() => checkResolveRefs(given as ResolveRefs)).toThrow(/true, false, 'deep', or a list of names/)
  })
})

describe('the references in an input', () => {
  const input = { rows: A, more: { deep: [1, B, FOREIGN, `see ${A}`] }, again: A, none: null }

  it.each<[ResolveRefs, string[]]>([
    [true, [A, A, B]],
    ['deep', [A, A, B]],
    [false, []],
    [[], []],
    [['more'], [B]],
    [
      ['rows', 'again'],
      [A, A],
    ],
    [['length', 'deep'], []],
  ])('where resolveRefs is %j', (where, found) => {
    expect(referencesIn('files', input, where).sort()).toEqual(found)
  })

  it('are all of them by default, and the input may be one itself', () => {
    expect(referencesIn('files', input)).toHaveLength(3)
    expect(referencesIn('files', A)).toEqual([A])
    expect(referencesIn('files', [A])).toEqual([A])
  })

  it('within named arguments need an object with arguments', () => {
    for (const given of [A, null, undefined, 7]) expect(referencesIn('files', given, ['rows'])).toEqual([])
  })

  it('of other caches are told apart', () => {
    expect(foreignReferencesIn('files', input)).toEqual([FOREIGN])
    expect(foreignReferencesIn('files', input, ['rows'])).toEqual([])
    expect(foreignReferencesIn('files', { md5: 'a'.repeat(32) })).toEqual([])
  })

  it('are found in whatever a caller gives: cycles, any depth, one object in two places', () => {
    const circular: Record<string, unknown> = { a: A }
    circular.self = circular
    expect(referencesIn('files', circular)).toEqual([A])
    let deep: unknown = A
    for (let level = 0; level < 10_000; level++) deep = [deep]
    expect(referencesIn('files', deep)).toEqual([A])
    // Looked into once: an input of shared objects must not cost as much as its JSON.
    const shared = { a: A }
    expect(referencesIn('files', [shared, shared])).toEqual([A])
    expect(referencesIn('files', { f: () => A, s: Symbol(A) })).toEqual([])
  })
})

describe('an input with its references replaced', () => {
  const replaced = (value: JsonValue, where: ResolveRefs = true) => {
    const at: string[] = []
    const result = replaceReferences('files', value, where, (refId, trail) => {
      at.push(`${pathOf(trail, 100)?.join('/')}=${refId.slice(6, 7)}`)
      return { was: refId.slice(6, 7) }
    })
    return { result, at: at.sort() }
  }

  it('has values in all places, and tells each place', () => {
    const input = { rows: A, more: [1, { x: B }, FOREIGN] }
    expect(replaced(input)).toEqual({
      result: { rows: { was: 'a' }, more: [1, { x: { was: 'b' } }, FOREIGN] },
      at: ['more/1/x=b', 'rows=a'],
    })
    expect(input.rows).toBe(A)
    expect(replaced(A)).toEqual({ result: { was: 'a' }, at: ['=a'] })
    expect(replaced({ rows: A }, 'deep').result).toEqual({ rows: { was: 'a' } })
  })

  it('has them within the named arguments alone', () => {
    expect(replaced({ rows: [A], more: B }, ['rows'])).toEqual({
      result: { rows: [{ was: 'a' }], more: B },
      at: ['rows/0=a'],
    })
    for (const input of [A, [A], null, 7]) expect(replaced(input, ['0', 'rows']).result).toEqual(input)
  })

  it('is the input itself where none is replaced', () => {
    const input = { rows: A }
    expect(replaced(input, false)).toEqual({ result: input, at: [] })
    expect(replaced(input, false).result).toBe(input)
  })

  it('keeps a member called __proto__ a member', () => {
    const input = JSON.parse(`{"__proto__":"${A}","rows":"${B}"}`)
    for (const where of [true, ['rows']] as const) {
      const { result } = replaced(input, where)
      expect(Object.keys(result as object)).toEqual(['__proto__', 'rows'])
      expect(Object.getPrototypeOf(result)).toBe(Object.prototype)
    }
  })

  it('keeps the digits of its numbers', () => {
    const { result } = replaced(parseJson(`{"n":1.50,"rows":"${A}"}`), ['rows'])
    expect(String((result as Record<string, unknown>).n)).toBe('1.50')
  })
})

describe('references, and what reads like them', () => {
  const part = `${A}#/rows/0`

  it('whole ones are those that name no part', () => {
    expect(wholeReferencesIn('files', { rows: A, row: part, other: FOREIGN })).toEqual([A])
    expect(referencesIn('files', { rows: A, row: part })).toEqual([A, A])
    expect(wholeReferencesIn('files', { rows: A }, ['more'])).toEqual([])
  })

  it.each<[string, boolean]>([
    [A, true],
    [FOREIGN, true],
    [part, true],
    [`${A}x`, false],
    [`files:${'a'.repeat(31)}`, false],
    [`files:${'g'.repeat(32)}`, false],
    ['a'.repeat(33), false],
    [`see ${A} and more`, false],
  ])('a value with %j may hold references: %s', (text, may) => {
    expect(mayHoldReferences({ deep: [text] })).toBe(may)
    expect(mayHoldReferences({ deep: [text] }, ['other'])).toBe(false)
  })

  it('a JSON text may name references wherever they stand in it', () => {
    expect(mayNameReferences(JSON.stringify({ note: `see ${A} and more` }))).toBe(true)
    expect(
      mayNameReferences(JSON.stringify({ short: `files:${'a'.repeat(31)}`, other: 'a'.repeat(40) })),
    ).toBe(false)
  })
})
