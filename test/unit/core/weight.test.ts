import { expect, it } from 'vitest'
import { weightOf } from '../../../src/core/weight.ts'

const CONTAINER = 48
const MEMBER = 16

it.each<[string, number]>([
  ['', 0],
  ['null', 0],
  ['12345', 0],
  ['[]', CONTAINER],
  ['{}', CONTAINER],
  ['[1,2]', CONTAINER + MEMBER],
  ['{"a":1}', CONTAINER + MEMBER],
  ['{"a":1,"b":2}', CONTAINER + 3 * MEMBER],
  ['[{},{}]', 3 * CONTAINER + MEMBER],
  // What stands in a string is a string.
  ['"{}[],:"', 0],
  ['"a\\"[,"', 0],
  ['"a\\\\"', 0],
  ['["\\\\",1]', CONTAINER + MEMBER],
  ['["","",{}]', 2 * CONTAINER + 2 * MEMBER],
])('%s takes the memory of its text and of what it holds', (json, held) => {
  expect(weightOf(json)).toBe(json.length + held)
})

it('sees what is short to write and large to hold', () => {
  const lists = `[${Array.from({ length: 1_000 }, () => '[]').join()}]`
  expect(weightOf(lists)).toBeGreaterThan(15 * lists.length)
})
