import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HELD, NOT_HELD, type Revision } from './conformance-scenarios.ts'
import {
  faultsOf,
  node,
  type Results,
  runSuite,
  sayWhereItCannotRun,
  startExample,
  suite,
} from './fixtures/conformance.ts'

/** The official conformance suite of MCP against `examples/conformance`. It needs a newer Node than the package does. */

sayWhereItCannotRun()

describe.skipIf(!node)('the official conformance suite', () => {
  const results = new Map<Revision, Results>()
  let server: Awaited<ReturnType<typeof startExample>>
  beforeAll(async () => {
    server = await startExample()
    for (const revision of ['2025-11-25', '2026-07-28'] as const) {
      results.set(revision, await runSuite(server.url, revision))
    }
  })
  afterAll(() => server.stop())

  /** The extension's scenarios have no revision of their own: they come with the run that has none. */
  const resultsFor = (scenario: string, revision: Revision) =>
    results.get(scenario.startsWith('tasks-') ? '2025-11-25' : revision) ?? new Map()

  const cases = Object.entries(HELD).flatMap(([scenario, revisions]) =>
    revisions.map(revision => [scenario, revision] as const),
  )
  it.each(cases)('%s (%s) is green', async (scenario, revision) => {
    const ran = resultsFor(scenario, revision)
    expect([...ran.keys()]).toContain(scenario)
    expect(await faultsOf(server.url, revision, [scenario], ran)).toEqual([])
  })

  it('has no scenario for servers that nobody decided about', async () => {
    const [listed = ''] = (await suite('list')).split('Client scenarios').slice(0, 1)
    const scenarios = [...listed.matchAll(/^ {2}- (\S+)/gm)].map(([, name]) => name)
    expect(scenarios.length).toBeGreaterThan(50)
    expect([...Object.keys(HELD), ...Object.keys(NOT_HELD)].sort()).toEqual(scenarios.sort())
  })
})
