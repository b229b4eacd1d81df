// As much of vitest as pure unit tests need, so that a file of tests runs again in some milliseconds.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import { fn, spyOn } from '@vitest/spy'
import * as chai from 'chai'

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin)

export const expect = (value, message) => chai.expect(value, message)
Object.assign(expect, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT])
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect)

export const vi = { fn, spyOn }

let group = { name: '', before: [], after: [] }

export function it(name, ...rest) {
  const test = rest.find(argument => typeof argument === 'function')
  const { before, after, name: of } = group
  globalThis.collectedTests.push({
    name: `${of}${name}`,
    async run() {
      for (const hook of before) await hook()
      try {
        await test()
      } finally {
        for (const hook of after) await hook()
      }
    },
  })
}

export function describe(name, define) {
  const outer = group
  group = { name: `${outer.name}${name} > `, before: [...outer.before], after: [...outer.after] }
  define()
  group = outer
}

/** One of `define` for each row. */
const eachOf =
  define =>
  rows =>
  (name, ...rest) => {
    const body = rest.find(argument => typeof argument === 'function')
    for (const row of rows) define(name, () => body(...(Array.isArray(row) ? row : [row])))
  }
it.each = eachOf(it)
describe.each = eachOf(describe)

export const test = it
export const beforeEach = hook => group.before.push(hook)
export const afterEach = hook => group.after.unshift(hook)
