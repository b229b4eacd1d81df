import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHANGED_BY_WRAPPING, HELD, type Revision } from './conformance-scenarios.ts'
import {
  faultsOf,
  isGreen,
  node,
  type Results,
  runScenarios,
  runSuite,
  sayWhereItCannotRun,
  startExample,
} from './fixtures/conformance.ts'
import { entryOf, writeServers } from './fixtures/five-servers.ts'
import { EVERYTHING, until, Workshop } from './fixtures/wrap-harness.ts'

/** The official conformance suite against `wrap --http`: what is green without the wrapper stays green behind it. */

sayWhereItCannotRun()

/** In front of server-everything, which does not speak 2026-07-28 itself: green all the same. */
const GREEN_IN_FRONT_OF_2025: Readonly<Record<Revision, readonly string[]>> = {
  '2025-11-25': [
    'server-initialize',
    'server-session-lifecycle',
    'ping',
    'logging-set-level',
    'tools-list',
    'resources-list',
    'resources-subscribe',
    'resources-unsubscribe',
    'prompts-list',
    'dns-rebinding-protection',
  ],
  '2026-07-28': [
    'tools-list',
    'tools-call-simple-text',
    'tools-call-error',
    'resources-list',
    'prompts-list',
    'caching',
    'dns-rebinding-protection',
    'http-header-validation',
    'server-sse-multiple-streams',
    'input-required-result-unsupported-methods',
    'input-required-result-validate-input',
    'input-required-result-ignore-extra-params',
  ],
}

const REVISIONS = ['2025-11-25', '2026-07-28'] as const

describe.skipIf(!node)('the official conformance suite, through wrap --http', () => {
  const workshop = new Workshop()
  afterAll(() => workshop.close())

  async function wrapped(...target: string[]): Promise<string> {
    const raw = workshop.process(['wrap', '--http', '0', '--store', 'memory', ...target])
    return /on (http:\S+)/.exec(await raw.ready())?.[1] ?? ''
  }

  /** That server keeps the names of its tools: they are what the suite calls. */
  function withOther(url: string): string[] {
    const other = entryOf([...EVERYTHING, 'stdio'])
    const config = join(workshop.folder, 'config.json')
    writeFileSync(config, JSON.stringify({ servers: { example: { alias: '' } } }))
    const servers = writeServers(workshop.folder, { example: { type: 'http', url }, other })
    return ['--servers', servers, '--config', config]
  }

  /** What the suite found at a server, at each revision. */
  interface Tried {
    readonly url: string
    readonly at: ReadonlyMap<Revision, Results>
  }

  /** All of the suite, or the scenarios that count. */
  async function tryOut(
    url: string,
    revisions: readonly Revision[] = REVISIONS,
    scenariosAt?: (revision: Revision) => readonly string[],
  ): Promise<Tried> {
    const run = (revision: Revision) =>
      scenariosAt ? runScenarios(url, revision, scenariosAt(revision)) : runSuite(url, revision)
    const runs = revisions.map(async revision => [revision, await run(revision)] as const)
    return { url, at: new Map(await Promise.all(runs)) }
  }

  /** These scenarios are to be green there. */
  async function faultsAt({ url, at }: Tried, revision: Revision, scenarios: readonly string[]) {
    return faultsOf(url, revision, scenarios, at.get(revision) ?? new Map())
  }

  function greenAt({ at }: Tried, revision: Revision): string[] {
    return [...(at.get(revision) ?? [])].filter(([, checks]) => isGreen(checks)).map(([scenario]) => scenario)
  }

  /** What is green there and stays so behind the wrapper; a scenario of one revision is run at that one. */
  function unchangedAt(plain: Tried, revision: Revision): string[] {
    const isOfOther = (scenario: string) =>
      HELD[scenario]?.includes(revision) === false &&
      REVISIONS.some(other => other !== revision && plain.at.get(other)?.has(scenario))
    return greenAt(plain, revision).filter(
      scenario =>
        !(scenario in CHANGED_BY_WRAPPING || `${scenario} (${revision})` in CHANGED_BY_WRAPPING) &&
        !isOfOther(scenario),
    )
  }

  async function runExample() {
    const server = await startExample()
    workshop.onEnd(() => server.stop())
    const [plain, wrap, withOthers] = await Promise.all([
      tryOut(server.url),
      wrapped('--url', server.url),
      wrapped(...withOther(server.url)),
    ])
    const unchanged = (revision: Revision) => unchangedAt(plain, revision)
    const [behind, behindWithOther] = await Promise.all([
      tryOut(wrap, REVISIONS, unchanged),
      tryOut(withOthers, REVISIONS, unchanged),
    ])
    return { plain, behind, behindWithOther }
  }

  async function runEverything() {
    const [plain, wrap] = await Promise.all([
      everythingOnHttp().then(url => tryOut(url, ['2025-11-25'])),
      wrapped('--', ...EVERYTHING, 'stdio'),
    ])
    const behind = await tryOut(wrap, REVISIONS, revision => [
      ...new Set([...GREEN_IN_FRONT_OF_2025[revision], ...greenAt(plain, revision)]),
    ])
    return { plain, behind }
  }

  // At 2025-11-25 scenarios that fail wait half a minute each, so all of them run beside each other.
  let example: Awaited<ReturnType<typeof runExample>>
  let everything: Awaited<ReturnType<typeof runEverything>>
  beforeAll(async () => {
    ;[example, everything] = await Promise.all([runExample(), runEverything()])
  }, 600_000)

  describe.each([
    ['in front of examples/conformance', () => example.behind],
    ['in front of examples/conformance and another server', () => example.behindWithOther],
  ])('%s', (_, behind) => {
    it.each(REVISIONS)('%s: what is green without the wrapper is green behind it', async revision => {
      const green = greenAt(example.plain, revision)
      expect(green.length).toBeGreaterThan(20)
      expect(await faultsAt(behind(), revision, unchangedAt(example.plain, revision))).toEqual([])
    })
  })

  describe('in front of server-everything', () => {
    it.each(REVISIONS)(
      '%s: what is to be green is, also where the server does not speak it',
      async revision => {
        expect(await faultsAt(everything.behind, revision, GREEN_IN_FRONT_OF_2025[revision])).toEqual([])
      },
    )

    it('2025-11-25: what is green without the wrapper is green behind it', async () => {
      const green = greenAt(everything.plain, '2025-11-25')
      expect(await faultsAt(everything.behind, '2025-11-25', green)).toEqual([])
    })
  })

  async function everythingOnHttp(): Promise<string> {
    const probe = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => probe.once('listening', resolve))
    const { port } = probe.address() as AddressInfo
    await new Promise(resolve => probe.close(resolve))
    const [command = '', script = ''] = EVERYTHING
    const child = spawn(command, [script, 'streamableHttp'], { env: { ...process.env, PORT: String(port) } })
    workshop.onEnd(() => child.kill('SIGKILL'))
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk))
    await until(() => output.includes('listening') || undefined, 'server-everything to listen')
    return `http://127.0.0.1:${port}/mcp`
  }
})
