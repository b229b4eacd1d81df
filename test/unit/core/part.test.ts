import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { pointerOf, toForeignReference, toReference } from '../../../src/core/part.ts'

const ID = 'a'.repeat(32)
const REF = `files:${ID}`

describe('a reference with a fragment', () => {
  it.each([
    ['', []],
    ['/items/3/body', ['items', '3', 'body']],
    ['/a~1b/~0~01', ['a/b', '~~1']],
    ['/', ['']],
    ['/ /%41/#', [' ', '%41', '#']],
  ])('names the part at #%s', (fragment, steps) => {
    expect(toReference('files', `${REF}#${fragment}`)).toEqual({
      refId: REF,
      part: { kind: 'pointer', steps },
    })
    expect(pointerOf(steps)).toBe(fragment)
  })

  it.each([
    ['L1', 1, 1],
    ['L120-L180', 120, 180],
    ['L1-L1000000000', 1, 1_000_000_000],
  ])('names lines at #%s', (fragment, first, last) => {
    const part = { kind: 'lines', first, last }
    expect(toReference('files', `${REF}#${fragment}`)).toEqual({ refId: REF, part })
  })

  it.each([
    'items',
    'L',
    'L0',
    'L1-2',
    'L9-L1',
    'L-1',
    'L1e9',
    'l1',
    'L1-L2-L3',
    'L10000000000000000000000',
    ' /a',
    '/a~',
    '/a~2',
    'x'.repeat(1_000_000),
    `/${'x'.repeat(1_000_000)}`,
    '/0'.repeat(10_000),
    '/0'.repeat(2_000),
  ])('is refused where it names no part: %.30s', fragment => {
    expect(() => toReference('files', `${REF}#${fragment}`)).toThrow(InvalidArgument)
  })

  it.each([
    'https://example.com/#top',
    `files:${ID.slice(1)}#/a`,
    `files:${ID}b#/a`,
    ` ${REF}#/a`,
    `see ${REF}#nothing`,
    `${REF}/a`,
    '#/a',
    'files:#/a',
    `other:${ID}#anything`,
  ])('is a text like any other where the reference is none of ours: %s', text => {
    expect(toReference('files', text)).toBeUndefined()
  })

  it('is told apart where it is of another cache', () => {
    expect(toForeignReference('files', `other:${ID}#/a`)).toBe(`other:${ID}`)
    expect(toForeignReference('files', `other:${ID}`)).toBe(`other:${ID}`)
    expect(toForeignReference('files', `${REF}#/a`)).toBeUndefined()
    expect(toForeignReference('files', 'https://example.com/#top')).toBeUndefined()
  })
})
