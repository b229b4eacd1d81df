import { execFile } from 'node:child_process'
import { constants, copyFileSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, describe, expect, it } from 'vitest'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const HOST = join(REPOSITORY, 'test/e2e/fixtures/query-host.mjs')

const folder = mkdtempSync(join(tmpdir(), 'refcache-hosts-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface Said {
  /** Whether the tool of a server says that it takes SQL, before the first question and after it. */
  readonly offered: boolean
  readonly offeredAfter: boolean
  readonly answers: string[]
  readonly matched: number
  readonly logged: string[]
  readonly children: number | undefined
}

/** Runs the host, and gives what it said. */
async function run(node: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Said> {
  const options = { timeout: 60_000, env: { ...process.env, ...env } }
  const { stdout } = await promisify(execFile)(node, [...args], options)
  return JSON.parse(stdout.trim().split('\n').at(-1) as string) as Said
}

function preload(name: string, code: string): string {
  const path = join(folder, `${name}.cjs`)
  writeFileSync(path, code)
  return path
}

const WORKS = { offered: true, offeredAfter: true, answers: ['Bob', 'Bob'], matched: 1, logged: [] }

/** One line for the operator, and a search that works. */
function refused(reason: RegExp) {
  return {
    offeredAfter: false,
    answers: [expect.stringMatching(/^invalid_argument|^store_unavailable/), expect.stringMatching(reason)],
    matched: 1,
    logged: [expect.stringMatching(reason)],
  }
}

describe('questions in SQL', { timeout: 90_000 }, () => {
  it('are answered in a plain program, by one process', async () => {
    const said = await run(process.execPath, [HOST])
    expect(said).toMatchObject(WORKS)
    if (said.children !== undefined) expect(said.children).toBe(1)
  })

  it('are answered in a worker thread', async () => {
    const main = join(folder, 'main.mjs')
    writeFileSync(
      main,
      `import { Worker } from 'node:worker_threads'\nnew Worker(new URL(${JSON.stringify(`file://${HOST}`)}))\n`,
    )
    expect(await run(process.execPath, [main])).toMatchObject(WORKS)
  })

  it('are not offered where the program is no plain Node, of which nothing is started a second time', async () => {
    const program = join(folder, 'my-program')
    copyFileSync(process.execPath, program, constants.COPYFILE_FICLONE)
    const said = await run(program, [HOST])
    expect(said).toMatchObject({ offered: false, ...refused(/no plain Node/) })
    if (said.children !== undefined) expect(said.children).toBe(0)
  })

  it('are not offered in a bundle without the file of the process, unless they are told where it is', async () => {
    const outfile = join(folder, 'bundle.mjs')
    await build({
      entryPoints: [HOST],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      absWorkingDir: REPOSITORY,
      logLevel: 'error',
      external: ['@photostructure/sqlite', '@redis/client', 'better-sqlite3', 'cross-spawn'],
      banner: {
        js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
      },
    })
    if (!existsSync(join(folder, 'node_modules')))
      symlinkSync(join(REPOSITORY, 'node_modules'), join(folder, 'node_modules'))
    expect(await run(process.execPath, [outfile])).toMatchObject({
      offered: false,
      ...refused(/dist\/query\/child\.mjs.* is not there/),
    })
    const QUERY_ENTRY = join(REPOSITORY, 'dist/query/child.mjs')
    expect(await run(process.execPath, [outfile], { QUERY_ENTRY })).toMatchObject(WORKS)
  })

  it('need the package for SQLite where Node has none', async () => {
    const missing = preload(
      'missing',
      `const Module = require('node:module')
       const resolve = Module._resolveFilename
       Module._resolveFilename = function (name, ...rest) {
         if (name === '@photostructure/sqlite') throw Object.assign(new Error('none'), { code: 'MODULE_NOT_FOUND' })
         return resolve.call(this, name, ...rest)
       }`,
    )
    const said = await run(process.execPath, ['--require', missing, HOST])
    expect(said).toMatchObject(
      isBuiltin('node:sqlite') ? WORKS : { offered: false, ...refused(/@photostructure\/sqlite/) },
    )
  })

  it('are not offered where a process may start no others', async () => {
    const flags = ['--permission', '--experimental-permission']
    const flag = flags.find(one => process.allowedNodeEnvironmentFlags.has(one))
    const said = await run(process.execPath, [String(flag), '--allow-fs-read=*', '--no-warnings', HOST])
    expect(said).toMatchObject({ offered: false, ...refused(/may not start others/) })
  })

  it.each([
    ['at once', 'throw error'],
    [
      'a moment later',
      "const child = new (require('node:events'))(); setImmediate(() => child.emit('error', error)); child.kill = () => {}; child.stdin = new (require('node:stream').Writable)({ write: (chunk, encoding, done) => done() }); child.stdout = { on() {} }; return child",
    ],
  ])('are offered no more once the system has refused to start a process, %s', async (_, refuse) => {
    const forbidding = preload(
      `forbidding-${refuse.length}`,
      `require('node:child_process').spawn = () => {
         const error = Object.assign(new Error('spawn EPERM'), { code: 'EPERM' })
         ${refuse}
       }
       require('node:module').syncBuiltinESMExports()`,
    )
    const said = await run(process.execPath, ['--require', forbidding, HOST])
    expect(said).toMatchObject({
      offered: true,
      ...refused(/may not start others/),
      answers: [
        expect.stringMatching(/^store_unavailable.*search/),
        expect.stringMatching(/^invalid_argument.*EPERM/),
      ],
    })
  })
})
