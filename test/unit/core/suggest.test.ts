import { describe, expect, it } from 'vitest'
import { hint, nearestFirst, suggest } from '../../../src/core/suggest.ts'

const KNOWN = ['asyncTimeout', 'hardTimeout', 'ttl', 'tags', 'memoize']

describe('the word that was probably meant', () => {
  it.each<[string, string | undefined]>([
    ['asynctimeout', 'asyncTimeout'],
    ['ASYNCTIMEOUT', 'asyncTimeout'],
    ['hardTimout', 'hardTimeout'],
    ['memoise', 'memoize'],
    ['memo', undefined],
    ['tag', 'tags'],
    ['tll', 'ttl'],
    ['tt', 'ttl'],
    ['t', 'ttl'],
    ['xyz', undefined],
    ['', undefined],
    // Long names may differ in a third of their letters.
    ['asyncTimexxxx', 'asyncTimeout'],
    ['asyncTixxxxx', undefined],
    ['timeout', undefined],
    ['ttl'.padEnd(1_000_000, 'x'), undefined],
  ])('for %.20s is %s', (word, meant) => {
    expect(suggest(word, KNOWN)).toBe(meant)
  })

  it('is none where none is known', () => expect(suggest('a', [])).toBeUndefined())

  it('stands in a hint, else all that there is', () => {
    expect(hint('tll', ['ttl', 'tags'])).toBe("Did you mean 'ttl'?")
    expect(hint('something', ['ttl', 'tags'])).toBe('There are: ttl, tags.')
  })
})

it('all known words, those first that look most like it, else in their own order', () => {
  expect(nearestFirst('hardtimeout', KNOWN)).toEqual([
    'hardTimeout',
    'asyncTimeout',
    'memoize',
    'ttl',
    'tags',
  ])
  expect(nearestFirst('b', ['c', 'd', 'B'])).toEqual(['B', 'c', 'd'])
})

it.each<[string, string[], string]>([
  ['kitten', ['sitting__', 'mitten', 'kit'], 'mitten'],
  ['abc', ['bc', 'xyz'], 'bc'],
  ['bc', ['abcdef', 'abc'], 'abc'],
  ['abcd', ['badc', 'abxd'], 'abxd'],
])('%s is nearest of %j to %s', (word, known, nearest) => {
  expect(nearestFirst(word, known)[0]).toBe(nearest)
})
