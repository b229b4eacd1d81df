import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import type { Reporter, TestModule } from 'vitest/node'

/** Ends every run with one plain line, for people and programs that read the end of a log. */
const closingLine: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state] += 1
      count.failed += failuresOutsideOfTests(module)
    }
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped + count.pending} skipped`)
  },
}

/** A file that does not load, or a hook that fails, is a failure although no test of it failed. */
function failuresOutsideOfTests(module: TestModule): number {
  const suites = [...module.children.allSuites()].filter(suite => suite.errors().length > 0)
  return suites.length + (module.errors().length > 0 ? 1 : 0)
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    // Most of a test's time goes by in waiting for processes: a core for each file, none left over.
    maxWorkers: availableParallelism(),
    hookTimeout: 30_000,
    // A condition is waited for, never a time; this only ends a test that fails.
    expect: { poll: { timeout: 10_000 } },
    reporters: ['default', closingLine],
  },
})
