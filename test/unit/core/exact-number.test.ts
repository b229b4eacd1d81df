import { describe, expect, it } from 'vitest'
import { ExactNumber, MARKED_NUMBER, stringifyMarked } from '../../../src/core/exact-number.ts'

const price = new ExactNumber('0.50')

// First: nothing has been written with marks yet.
it('an exact number is the nearest double to JSON.stringify', () => {
  expect(JSON.stringify({ price })).toBe('{"price":0.5}')
})

describe('JSON with marks', () => {
  it('has a text in the place of each exact number, and says how many there are', () => {
    expect(stringifyMarked({ price, all: [price, 1] })).toEqual({
      json: '{"price":"exact-number:0.50","all":["exact-number:0.50",1]}',
      marked: 2,
    })
    expect(stringifyMarked([1, 'a'])).toEqual({ json: '[1,"a"]', marked: 0 })
    expect(stringifyMarked(undefined)).toEqual({ json: 'null', marked: 0 })
  })

  it('has no text for what is nested deeper than the stack', () => {
    let deep: unknown = price
    for (let level = 0; level < 100_000; level++) deep = [deep]
    expect(stringifyMarked(deep).json).toBeUndefined()
    expect(JSON.stringify([price])).toBe('[0.5]')
  })

  it('fails as JSON.stringify does, and leaves no marks behind', () => {
    expect(() => stringifyMarked([price, 1n])).toThrow(TypeError)
    expect(JSON.stringify([price])).toBe('[0.5]')
  })

  it('is JSON again when the marks are replaced by their digits', () => {
    const numbers = ['0.50', '-1E+400', '12345678901234567890', '1e-7'].map(source => new ExactNumber(source))
    const { json } = stringifyMarked([...numbers, 'exact-number:none'])
    expect(json?.replace(MARKED_NUMBER, '$1')).toBe(
      '[0.50,-1E+400,12345678901234567890,1e-7,"exact-number:none"]',
    )
  })
})
