import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import {
  checkChoice,
  checkCount,
  checkLimit,
  checkNames,
  checkPreview,
  givenOptions,
} from '../../../src/core/options.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { scene } from '../flow/scene.ts'

describe('a misspelled option', () => {
  const misspelled = { polcy: {} } as object

  it('says what a store is, where it was given something else', () => {
    for (const store of ['sqlite', {}]) {
      expect(() => new RefCache({ store: store as never })).toThrow(/store is what memoryStore\(\)/)
    }
  })

  it('of a cache is refused, with the names that there are', () => {
    expect(() => new RefCache({ defaultTTL: '1h' } as object)).toThrow(/defaultTTL.*defaultTtl/)
  })

  it('of a tool is refused', () => {
    expect(() => scene().cache.cached({ name: 'x', ...misspelled }, () => 1)).toThrow(
      /'x' has no option 'polcy'/,
    )
  })

  it('of a value that is stored is refused, and nothing is stored', async () => {
    const { cache } = scene()
    await expect(cache.set('x', 1, misspelled)).rejects.toThrow(InvalidArgument)
    expect(await cache.clear()).toBe(0)
  })
})

describe('a count', () => {
  it.each([1, 2, Number.MAX_SAFE_INTEGER])('may be %d', count =>
    expect(checkCount(count, 'pageSize')).toBe(count),
  )

  it.each<[unknown, string]>([
    [0, '0'],
    [-1, '-1'],
    [1.5, '1.5'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [2 ** 53, '9007199254740992'],
    [true, 'true'],
    [null, 'null'],
    [undefined, 'undefined'],
    // Its content could be a secret.
    ['5', 'a string'],
    [{}, 'a object'],
    [10n, 'a bigint'],
  ])('may not be %s, and the error says what was given', (count, shown) => {
    const refused = (() => checkCount(count as number, 'pageSize')).bind(undefined)
    expect(refused).toThrow(InvalidArgument)
    expect(refused).toThrow(`pageSize must be an integer of 1 or more; got ${shown}.`)
  })
})

describe('a choice', () => {
  it('is one of a few words, or left open', () => {
    expect(checkChoice('b', ['a', 'b'], 'mode')).toBe('b')
    expect(checkChoice(undefined, ['a', 'b'], 'mode')).toBeUndefined()
    for (const other of ['c', '', 'A', null, 1]) {
      expect(() => checkChoice(other as string, ['a', 'b'], 'mode')).toThrow('mode is one of a, b.')
    }
  })
})

describe('the options of a preview', () => {
  it.each([
    {},
    { maxSize: 1 },
    { strategy: 'sample' },
    { maxSize: 5, strategy: 'truncate' },
    { strategy: 'paginate', maxSize: undefined },
  ] as const)('may be %j', preview => expect(checkPreview(preview)).toBe(preview))

  it.each<[object, RegExp]>([
    [{ maxSize: 0 }, /preview\.maxSize must be an integer/],
    [{ strategy: 'all' }, /preview\.strategy is one of sample, truncate, paginate/],
    [{ maxsize: 1 }, /preview has no option 'maxsize'.*'maxSize'/],
    [null as never, /options of preview are an object/],
  ])('may not be %j', (preview, message) => expect(() => checkPreview(preview)).toThrow(message))
})

describe('the names of options', () => {
  const names = { alpha: true, beta: true } as const
  const check = (options: unknown) => () => checkNames(options as { alpha?: 1; beta?: 1 }, names, 'It')

  it.each([[{}], [{ alpha: 1 }], [{ alpha: undefined, beta: 1 }]])('are known: %j', options => {
    expect(check(options)).not.toThrow()
  })

  it.each<[unknown, string]>([
    [{ alhpa: 1 }, "It has no option 'alhpa'. Did you mean 'alpha'?"],
    [{ beta: 1, somethingElse: 1 }, "It has no option 'somethingElse'. There are: alpha, beta."],
    // A name that every object has is none of ours.
    [{ toString: 1 }, "It has no option 'toString'. There are: alpha, beta."],
    [{ ['x'.repeat(500)]: 1 }, `It has no option '${'x'.repeat(50)}'. There are: alpha, beta.`],
    [
      { [`alpha${'x'.repeat(500)}`]: 1 },
      `It has no option 'alpha${'x'.repeat(45)}'. There are: alpha, beta.`,
    ],
    [null, 'The options of It are an object.'],
    ['alpha', 'The options of It are an object.'],
    [undefined, 'The options of It are an object.'],
  ])('are unknown: %j', (options, message) => {
    expect(check(options)).toThrow(InvalidArgument)
    expect(check(options)).toThrow(message)
  })

  it('that are undefined replace no default', () => {
    const given: object = givenOptions({ a: undefined, b: null, c: 0 })
    expect({ a: 1, ...given }).toEqual({ a: 1, b: null, c: 0 })
  })
})

it('a limit may be 0, and is a whole number', () => {
  expect([0, 7].map(limit => checkLimit(limit, 'limit'))).toEqual([0, 7])
  for (const wrong of [-1, 0.5, '0'])
    expect(() => checkLimit(wrong as number, 'limit')).toThrow(/^limit must be/)
})

it.each(['inlineLimit', 'maxResultCharacters', 'maxSize'] as const)('preview.%s is a whole number', name => {
  expect(() => checkPreview({ [name]: 0.5 })).toThrow(`preview.${name} must be`)
})
