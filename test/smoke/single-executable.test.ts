import { execFile } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const FIXTURES = join(REPOSITORY, 'test/e2e/fixtures')
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
const run = promisify(execFile)

let folder: string
let program: string

/** A single executable application of Node (https://nodejs.org/api/single-executable-applications.html) around the host of questions. */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refcache-single-'))
  program = join(folder, 'my-program')
  const options = { cwd: folder }
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  await run('npm', ['install', '--no-audit', '--no-fund', '--silent', 'postject@1.0.0-alpha.6'], options)
  await bundleHost(join(folder, 'host.cjs'))
  const config = { main: 'host.cjs', output: 'host.blob', disableExperimentalSEAWarning: true }
  writeFileSync(join(folder, 'sea.json'), JSON.stringify(config))
  await run(process.execPath, ['--experimental-sea-config', 'sea.json'], options)
  copyFileSync(process.execPath, program)
  const postject = join(folder, 'node_modules/postject/dist/cli.js')
  const inject = [program, 'NODE_SEA_BLOB', 'host.blob', '--sentinel-fuse', FUSE]
  await run(process.execPath, [postject, ...inject], options)
}, 120_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Such an application is one file of CommonJS, which knows no `await` outside of functions. */
async function bundleHost(outfile: string): Promise<void> {
  const lines = readFileSync(join(FIXTURES, 'query-host.mjs'), 'utf8').split('\n')
  const imports = lines.filter(line => line.startsWith('import '))
  const body = lines.filter(line => !line.startsWith('import '))
  const contents = [...imports, 'void (async () => {', ...body, '})()'].join('\n')
  await build({
    stdin: { contents, resolveDir: FIXTURES },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    absWorkingDir: REPOSITORY,
    logLevel: 'error',
    external: ['@photostructure/sqlite', '@redis/client', 'better-sqlite3', 'cross-spawn'],
  })
}

describe('a single executable application', () => {
  it.each([
    ['without the file that answers', {}, /child\.mjs.* is not there/],
    ['with it', { QUERY_ENTRY: join(REPOSITORY, 'dist/query/child.mjs') }, /is a single executable/],
  ])('%s offers no SQL, says so once, searches, and starts no other process', async (_, env, reason) => {
    const { stdout } = await run(program, [], { env: { ...process.env, ...env }, timeout: 60_000 })
    const said = JSON.parse(stdout.trim())
    expect(said).toMatchObject({
      offered: false,
      offeredAfter: false,
      matched: 1,
      logged: [expect.stringMatching(reason)],
      answers: Array(2).fill(expect.stringMatching(/^invalid_argument/)),
    })
    if (said.children !== undefined) expect(said.children).toBe(0)
  })
})
