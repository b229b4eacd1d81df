import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHANGED_BY_WRAPPING, HELD, type Revision } from './conformance-scenarios.ts'
import { faultsOf, node, runScenarios, sayWhereItCannotRun, startExample } from './fixtures/conformance.ts'
import { StdioBridge } from './fixtures/stdio-bridge.ts'
import { EVERYTHING, MAIN, Workshop } from './fixtures/wrap-harness.ts'

/**
 * The official conformance suite against `wrap` on stdio. The suite speaks HTTP alone, so a bridge stands in between: what it is
 * told goes to the wrapper's stdin as it is.
 */

sayWhereItCannotRun()

const OF_HTTP =
  'about headers, statuses and streams of HTTP, where the bridge of this test would be what is tried'

/** What is not run, or what wrapping changes, and why. */
const EXCEPT: Readonly<Record<string, string>> = {
  ...CHANGED_BY_WRAPPING,
  'dns-rebinding-protection': OF_HTTP,
  'http-header-validation': OF_HTTP,
  'http-custom-header-server-validation': OF_HTTP,
  'server-sse-multiple-streams': OF_HTTP,
  'server-stateless': OF_HTTP,
  'tasks-request-headers': OF_HTTP,
}

/** In front of server-everything, which speaks 2025-11-25 alone: green without the wrapper, and what it adds at 2026-07-28. */
const IN_FRONT_OF_EVERYTHING: Readonly<Record<Revision, readonly string[]>> = {
  '2025-11-25': [
    'server-initialize',
    'server-session-lifecycle',
    'ping',
    'logging-set-level',
    'tools-list',
    'tools-call-simple-text',
    'tools-call-error',
    'resources-list',
    'resources-subscribe',
    'resources-unsubscribe',
    'prompts-list',
  ],
  '2026-07-28': [
    'tools-list',
    'tools-call-simple-text',
    'tools-call-error',
    'resources-list',
    'prompts-list',
    'caching',
    'input-required-result-unsupported-methods',
    'input-required-result-validate-input',
    'input-required-result-ignore-extra-params',
  ],
}

const REVISIONS = ['2025-11-25', '2026-07-28'] as const

describe.skipIf(!node)('the official conformance suite, through wrap on stdio', () => {
  const workshop = new Workshop()
  afterAll(() => workshop.close())

  function wrapped(...target: string[]): Promise<string> {
    const command = [process.execPath, MAIN, 'wrap', '--store', 'memory', ...target]
    const bridge = new StdioBridge(command, workshop.env)
    workshop.onEnd(() => bridge.stop())
    return bridge.start()
  }

  describe('in front of examples/conformance', () => {
    let url = ''
    beforeAll(async () => {
      const server = await startExample()
      workshop.onEnd(() => server.stop())
      url = await wrapped('--url', server.url)
    })

    it.each(REVISIONS)('%s: what is green without the wrapper is green behind it', async revision => {
      const scenarios = Object.entries(HELD)
        .filter(([scenario, revisions]) => revisions.includes(revision) && !(scenario in EXCEPT))
        .map(([scenario]) => scenario)
        .filter(scenario => !(`${scenario} (${revision})` in EXCEPT))
      expect(scenarios.length).toBeGreaterThan(8)
      const results = await runScenarios(url, revision, scenarios)
      expect(await faultsOf(url, revision, scenarios, results)).toEqual([])
    })
  })

  describe('in front of server-everything', () => {
    let url = ''
    beforeAll(async () => {
      url = await wrapped('--', ...EVERYTHING, 'stdio')
    })

    it.each(REVISIONS)(
      '%s: what is to be green is, also where the server does not speak it',
      async revision => {
        const scenarios = IN_FRONT_OF_EVERYTHING[revision]
        const results = await runScenarios(url, revision, scenarios)
        expect(await faultsOf(url, revision, scenarios, results)).toEqual([])
      },
    )
  })
})
