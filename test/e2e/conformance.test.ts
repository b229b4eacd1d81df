import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HELD, NOT_HELD, type Revision } from './conformance-scenarios.ts'
import { compileExample } from './fixtures/example.ts'

/** The official conformance suite of MCP against `examples/conformance`. It needs a newer Node than the package does. */

const SUITE = fileURLToPath(
  new URL('../../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
)
const NEEDED = 22
const ownIsEnough = Number(process.versions.node.split('.')[0]) >= NEEDED
const node = process.env.MCP_CONFORMANCE_NODE ?? (ownIsEnough ? process.execPath : undefined)
const missing = `The conformance suite needs Node ${NEEDED} or newer: set MCP_CONFORMANCE_NODE to its path.`

interface Check {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
}

async function suite(...args: string[]): Promise<string> {
  // It exits with 1 when any scenario fails, those that nobody holds us to included.
  const run = promisify(execFile)(node as string, [SUITE, ...args], { maxBuffer: 2 ** 26 })
  const { stdout } = await run.catch((error: { code: unknown; stdout: string }) => {
    if (error.code !== 1) throw error
    return error
  })
  return stdout
}

async function runSuite(url: string, revision: Revision): Promise<Map<string, Check[]>> {
  const out = mkdtempSync(`${tmpdir()}/conformance-`)
  try {
    // Without a revision it runs every scenario at the one it is for, extensions included, and those for both at 2025-11-25.
    const at = revision === '2025-11-25' ? [] : ['--spec-version', revision]
    await suite('server', '--url', url, '--suite', 'all', ...at, '--output-dir', out)
    return new Map(
      readdirSync(out).map(directory => {
        const [, scenario = ''] = /^server-(.+)-\d{4}-\d\d-\d\dT/.exec(directory) ?? []
        return [scenario, JSON.parse(readFileSync(`${out}/${directory}/checks.json`, 'utf8')) as Check[]]
      }),
    )
  } finally {
    rmSync(out, { recursive: true })
  }
}

async function startServer() {
  const { directory, remove } = await compileExample('conformance')
  const server = spawn(process.execPath, [`${directory}/server.js`], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(server.stdout, 'data')) as [Buffer]
  return {
    url: line.toString().trim(),
    async stop() {
      server.kill()
      await once(server, 'exit')
      remove()
    },
  }
}

if (!node && process.env.CI === 'true') {
  it('has a Node that is new enough for the conformance suite', () => expect.fail(missing))
} else if (!node) {
  console.warn(`\n!!! NOT RUN: ${missing}\n`)
}

describe.skipIf(!node)('the official conformance suite', () => {
  const results = new Map<Revision, Map<string, Check[]>>()
  beforeAll(async () => {
    const server = await startServer()
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
    const wrong = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING')
    expect(wrong.map(({ id, status, errorMessage }) => `${status} ${id}: ${errorMessage}`)).toEqual([])
    expect(checks.filter(({ status }) => status === 'SUCCESS').length).toBeGreaterThan(0)
  })

  it('has no scenario for servers that nobody decided about', async () => {
    const [listed = ''] = (await suite('list')).split('Client scenarios').slice(0, 1)
    const scenarios = [...listed.matchAll(/^ {2}- (\S+)/gm)].map(([, name]) => name)
    expect(scenarios.length).toBeGreaterThan(50)
    expect([...Object.keys(HELD), ...Object.keys(NOT_HELD)].sort()).toEqual(scenarios.sort())
  })
})
