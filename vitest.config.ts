import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type Reporter, type TestModule, type TestSpecification } from 'vitest/node'

/** Ends every run with one plain line, for people and programs that read the end of a log. */
const closingLine: Reporter = {
  onTestRunEnd(modules, unhandledErrors) {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        count[test.result().state] += 1
        if (test.diagnostic()?.flaky)
          console.log(`PASSED ONLY AT A SECOND TRY: ${module.relativeModuleId} > ${test.fullName}`)
      }
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

/** Too slow for every change: the doors of MCP on every store, long kill matrices, other runtimes and bundlers. */
const slow = ['test/**/*.slow.test.ts', 'test/smoke/**/*.test.ts']

/** What takes longest of it begins first: begun last, it would keep one core alone. Where nothing is known yet, Vitest goes by the size of files. */
const longest = [
  'task-matrix',
  'conformance-stdio',
  'attacks-',
  'conformance-wrap',
  'runtimes',
  'live-page-states',
  'wrap-servers',
  'examples',
  'docs',
  'live-page',
  'template',
  'site',
  'types',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const rank = ({ moduleId }: TestSpecification) =>
      longest.findIndex(name => moduleId.includes(`/${name}`) && /\.slow\.test\.ts$|\/smoke\//.test(moduleId))
    const first = sorted.filter(file => rank(file) >= 0).sort((a, b) => rank(a) - rank(b))
    return [...first, ...sorted.filter(file => rank(file) < 0)]
  }
}

/** What stays within this process and cleans up behind itself. */
const within = ['test/unit/**/*.test.ts', 'test/contract/**/*.test.ts']

/** Look at what their own process has started or loaded, or change what is loaded, so nothing of other files may be left there. */
const apart = [
  'test/e2e/query-limits*.test.ts',
  'test/e2e/token-table.test.ts',
  'test/unit/cli/store-option.test.ts',
  'test/unit/stores/sqlite-beginning.test.ts',
]

/** Bundles the programs that these tests start. */
const programs = ['test/e2e/fixtures/programs.ts']

/** Tests of real processes share CI's two cores with strangers. There they get a second try, and the log names who needed it. */
const retry = process.env.CI ? 1 : 0

export default defineConfig({
  test: {
    globalSetup: ['scripts/pack-tokens.mjs', 'scripts/bundle-card.mjs'],
    // Nothing waits for these: they only end a test that fails, on a machine that is busy too.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Most of a test's time goes by in waiting for processes: a core for each file, and one file more.
    maxWorkers: availableParallelism() + 1,
    // A condition is waited for, never a time; this only ends a test that fails.
    expect: { poll: { timeout: 30_000 } },
    reporters: ['default', closingLine],
    // What one project has transformed the next one reads: unit and e2e load the same modules, and so does the slow run after them.
    experimental: { fsModuleCache: true },
    sequence: { sequencer: LongestFirst },
    // `npm run test:slow` runs the last one, `npm test` the others, `npm run test:all` all of them.
    projects: [
      // One process for many files: to load the modules again for each file takes more time than the tests.
      {
        extends: true,
        test: { name: 'unit', include: within, exclude: [...slow, ...apart], isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          globalSetup: programs,
          include: ['test/**/*.test.ts'],
          exclude: [...within, ...slow, ...apart],
          isolate: false,
          retry,
        },
      },
      {
        extends: true,
        test: { name: 'apart', globalSetup: programs, include: apart, exclude: slow, retry },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          globalSetup: programs,
          include: slow,
          retry,
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // These wait more than others do: with one file less a fifth of the time went by unused. A group may have a number of workers of its
          // own, and runs after the others.
          maxWorkers: availableParallelism() + 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
