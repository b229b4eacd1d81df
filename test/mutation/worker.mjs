// Runs the tests of bundles under one mutant after another. A mutant that never ends is ended with this thread.
import { pathToFileURL } from 'node:url'
import { parentPort } from 'node:worker_threads'

// How instrumented code is told which mutant is on, and tells which test came by which mutant.
const state = {}
globalThis.__stryker__ = state
const loaded = new Map()
let loads = 0

/** Anew: what a module does when it is loaded may be mutated, too. */
async function load(bundle) {
  globalThis.collectedTests = []
  await import(`${pathToFileURL(bundle).href}?${loads++}`)
  return globalThis.collectedTests
}

async function cover(bundle) {
  Object.assign(state, { activeMutant: undefined, currentTestId: undefined, mutantCoverage: undefined })
  const tests = await load(bundle)
  const failing = new Map()
  const took = []
  for (const [number, test] of tests.entries()) {
    state.currentTestId = String(number)
    const begin = performance.now()
    await test.run().catch(error => failing.set(number, `${test.name}: ${error.message?.slice(0, 200)}`))
    took.push(performance.now() - begin)
  }
  await globalThis.closeGroups?.()
  const { static: atLoad = {}, perTest = {} } = state.mutantCoverage ?? {}
  const count = tests.length - failing.size
  return { bundle, count, failing, took, atLoad: Object.keys(atLoad), perTest: Object.entries(perTest) }
}

async function isKilled({ mutant, plan }) {
  try {
    for (const { bundle, anew, tests: numbers } of plan) {
      state.activeMutant = undefined
      if (!anew && !loaded.has(bundle)) loaded.set(bundle, await load(bundle))
      state.activeMutant = mutant
      const tests = anew ? await load(bundle) : loaded.get(bundle)
      for (const number of numbers) await tests[number]?.run()
    }
    return false
  } catch {
    return true
  } finally {
    state.activeMutant = undefined
    await globalThis.closeGroups?.()
  }
}

process.on('unhandledRejection', () => {})
parentPort.on('message', async message => {
  const answer = message.bundle
    ? await cover(message.bundle).catch(error => ({ refused: error.message }))
    : await isKilled(message)
  parentPort.postMessage(answer)
})
