import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HELD, NOT_HELD, type Revision } from './conformance-scenarios.ts'
import {
  type Check,
  faultsIn,
  node,
  runSuite,
  sayWhereItCannotRun,
  startExample,
  suite,
} from './fixtures/conformance.ts'

/** The official conformance suite of MCP against `examples/conformance`. It needs a newer Node than the package does. */

sayWhereItCannotRun()

describe.skipIf(!node)('the official conformance suite', () => {
  const results = new Map<Revision, Map<string, Check[]>>()
  beforeAll(async () => {
    const server = await startExample()
    try {
      for (const revision of ['2025-11-25', '2026-07-28'] as const) {
        results.set(revision, await runSuite(server.url, revision))
      }
    } finally {
      await server.stop()
    }
  }, 180_000)
  afterAll(() => results.clear())

  /** The extension's scenarios have no revision of their own: they come with the run that has none. */
  const checksOf = (scenario: string, revision: Revision) =>
    results.get(scenario.startsWith('tasks-') ? '2025-11-25' : revision)?.get(scenario)

  const cases = Object.entries(HELD).flatMap(([scenario, revisions]) =>
    revisions.map(revision => [scenario, revision] as const),
  )
  it.each(cases)('%s (%s) is green', (scenario, revision) => {
    const checks = checksOf(scenario, revision) ?? expect.fail('The suite did not run it.')
    expect(faultsIn(checks)).toEqual([])
    expect(checks.filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(0)
  })

  it('has no scenario for servers that nobody decided about', async () => {
    const [listed = ''] = (await suite('list')).split('Client scenarios').slice(0, 1)
    const scenarios = [...listed.matchAll(/^ {2}- (\S+)/gm)].map(([, name]) => name)
    expect(scenarios.length).toBeGreaterThan(50)
    expect([...Object.keys(HELD), ...Object.keys(NOT_HELD)].sort()).toEqual(scenarios.sort())
  })
})
