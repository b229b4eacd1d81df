// As much of vitest as unit tests need, so that a file of tests runs again in some milliseconds.
import FakeTimers from '@sinonjs/fake-timers'
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  customMatchers,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect'
import { fn, restoreAllMocks, spyOn } from '@vitest/spy'
import * as chai from 'chai'

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin)

export const expect = (value, message) => chai.expect(value, message)
Object.assign(expect, chai.expect, globalThis[ASYMMETRIC_MATCHERS_OBJECT])
setState({ assertionCalls: 0, isExpectingAssertions: false }, expect)
chai.expect.extend(expect, customMatchers)

/** As in vitest, but for its patience: a mutant that keeps a condition from coming true is soon found. */
const PATIENCE = { timeout: 2_000, interval: 10 }
const realSetTimeout = setTimeout

async function waitFor(check, options = {}) {
  const { timeout, interval } = { ...PATIENCE, ...(typeof options === 'number' ? {} : options) }
  for (const end = Date.now() + Math.min(timeout, PATIENCE.timeout); ; ) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
    }
    await new Promise(resolve => realSetTimeout(resolve, interval))
  }
}

/** `expect.poll(read).toBe(…)`: the matcher is tried until it holds. */
expect.poll = read => {
  const tried = path =>
    new Proxy(() => {}, {
      get: (_, name) => tried([...path, name]),
      apply: (_, __, args) =>
        waitFor(async () => {
          let matcher = chai.expect(await read())
          for (const name of path.slice(0, -1)) matcher = matcher[name]
          matcher[path.at(-1)](...args)
        }),
    })
  return tried([])
}

let timers

export const vi = {
  ...{ fn, spyOn, restoreAllMocks, waitFor },
  waitUntil: (check, options) =>
    waitFor(async () => {
      const value = await check()
      if (!value) throw new Error('It is not so yet.')
      return value
    }, options),
  useFakeTimers() {
    timers = FakeTimers.install({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
    })
  },
  useRealTimers() {
    timers?.uninstall()
    timers = undefined
  },
  advanceTimersByTime: ms => timers.tick(ms),
  getTimerCount: () => timers.countTimers(),
}

const newGroup = outer => ({
  ...{ outer, beforeAll: [], afterAll: [], beforeEach: [], afterEach: [], isOpen: false },
  name: outer ? outer.name : '',
})

let group = newGroup()
/** What is to be done after the test that runs. */
let finishers = []

const chainOf = inner => (inner.outer ? [...chainOf(inner.outer), inner] : [inner])

/** The hooks for all tests of a group run before the first of them that runs, and after the last. */
async function openGroups(chain) {
  for (const one of chain) {
    if (one.isOpen) continue
    one.isOpen = true
    globalThis.openGroups.push(one)
    for (const hook of one.beforeAll) await hook()
  }
}

/** After the tests of a mutant, whatever became of them. */
globalThis.openGroups ??= []
globalThis.closeGroups ??= async () => {
  for (const one of globalThis.openGroups.splice(0).reverse()) {
    one.isOpen = false
    for (const hook of one.afterAll) await hook()
  }
}

export function it(name, ...rest) {
  const test = rest.find(argument => typeof argument === 'function')
  const chain = chainOf(group)
  globalThis.collectedTests.push({
    name: `${group.name}${name}`,
    async run() {
      await openGroups(chain)
      finishers = []
      try {
        for (const one of chain) for (const hook of one.beforeEach) await hook()
        await test({ expect, onTestFinished })
      } finally {
        for (const one of chain.toReversed()) for (const hook of one.afterEach) await hook()
        for (const finish of finishers.splice(0).reverse()) await finish()
      }
    },
  })
}

export function describe(name, define) {
  const outer = group
  group = newGroup(outer)
  group.name = `${outer.name}${name} > `
  define()
  group = outer
}

/** One of `define` for each row. As in vitest, a row is a list of arguments where all rows are lists. */
const eachOf =
  define =>
  rows =>
  (name, ...rest) => {
    const body = rest.find(argument => typeof argument === 'function')
    const areLists = rows.every(Array.isArray)
    for (const row of rows) define(name, () => body(...(areLists ? row : [row])))
  }

const skipped = () => {}
for (const define of [it, describe]) {
  define.each = eachOf(define)
  define.skip = skipped
  define.skipIf = isSo => (isSo ? skipped : define)
  define.runIf = isSo => (isSo ? define : skipped)
}
skipped.each = () => skipped

export const test = it
export const beforeAll = hook => group.beforeAll.push(hook)
export const afterAll = hook => group.afterAll.unshift(hook)
export const beforeEach = hook => group.beforeEach.push(hook)
export const afterEach = hook => group.afterEach.unshift(hook)
export const onTestFinished = hook => finishers.push(hook)
