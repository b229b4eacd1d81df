import { execFile } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { packPackage } from '../package/installed.ts'

/**
 * The packed tarball in other runtimes, bundlers and test runners, installed from the registry as a user does it. Where the
 * registry cannot be reached these tests fail: they are for `npm run test:all` alone.
 */
const run = promisify(execFile)
const MINUTES = 60_000

/** A value that needs the token table, on a store, out and in again. */
const check = (store: string) => `
const cache = new RefCache({ name: 'smoke', store: ${store} })
const { refId } = await cache.set('rows', Array.from({ length: 2000 }, (_, id) => ({ id, name: 'row ' + id })))
const answer = await cache.get(refId, { maxSize: 100 })
if (answer.isComplete || answer.originalSize < 10000) throw new Error(JSON.stringify(answer))
await cache.close()
console.log('it works')`

const MODULE = `import { RefCache, memoryStore } from 'mcp-refcache'
${check('memoryStore()')}
`

const ON_SQLITE = `import { RefCache } from 'mcp-refcache'
import { sqliteStore } from 'mcp-refcache/stores/sqlite'
${check("sqliteStore('smoke-' + process.argv[2] + '.db')")}
`

const COMMON_JS = `const { RefCache, memoryStore } = require('mcp-refcache')
for (const path of ['mcp', 'stores/sqlite', 'stores/redis', 'stores/encrypted', 'audit', 'testing'])
  require('mcp-refcache/' + path)
void (async () => {${check('memoryStore()')}
})()
`

const JEST = `import { RefCache, memoryStore } from 'mcp-refcache'
test('the package', async () => {${check('memoryStore()')}
})
`

let folder: string
const install = (...names: string[]) =>
  run('npm', ['install', '--no-audit', '--no-fund', '--no-save', '--silent', ...names], { cwd: folder })
const npx = (name: string, ...args: string[]) =>
  run(join(folder, 'node_modules/.bin', name), args, { cwd: folder })

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'refcache-smoke-')))
  const tarball = await packPackage(folder)
  writeFileSync(
    join(folder, 'package.json'),
    '{"name":"smoke","private":true,"type":"module","jest":{"transform":{}}}',
  )
  for (const [name, code] of Object.entries({
    'entry.js': MODULE,
    'sqlite.js': ON_SQLITE,
    'entry.cjs': COMMON_JS,
    'jest.test.js': JEST,
  }))
    writeFileSync(join(folder, name), code)
  const tools = [
    'esbuild',
    'rollup',
    '@rollup/plugin-node-resolve',
    'vite',
    'webpack',
    'webpack-cli',
    'minimizer-webpack-plugin',
    'bun',
    'deno',
    'jest',
  ]
  await install(tarball, '@modelcontextprotocol/server', ...tools)
}, 10 * MINUTES)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('require()', () => {
  const nodes = {
    'this Node': process.execPath,
    'Node 22': process.env.SMOKE_NODE_22,
    'Node 24': process.env.SMOKE_NODE_24 ?? process.env.MCP_CONFORMANCE_NODE,
  }
  for (const [name, node] of Object.entries(nodes)) {
    if (node === undefined)
      console.warn(`SKIPPED: require() on ${name}. Set SMOKE_NODE_22 and SMOKE_NODE_24 to their executables.`)
    it.skipIf(node === undefined)(`works on ${name} (skipped where its variable is not set)`, async () => {
      expect((await run(node!, ['entry.cjs'], { cwd: folder })).stdout).toBe('it works\n')
    })
  }
})

describe('a bundle of', () => {
  const bundlers: Record<string, () => Promise<unknown>> = {
    esbuild: () =>
      npx(
        'esbuild',
        'entry.js',
        '--bundle',
        '--platform=node',
        '--format=esm',
        '--outfile=esbuild/entry.mjs',
      ),
    rollup: () =>
      npx(
        'rollup',
        'entry.js',
        '-p',
        '@rollup/plugin-node-resolve',
        '-d',
        'rollup',
        '--entryFileNames',
        '[name].mjs',
      ),
    vite: () => {
      const config = `export default { ssr: { noExternal: true }, build: { outDir: 'vite', rollupOptions: { output: { entryFileNames: '[name].mjs' } } } }`
      writeFileSync(join(folder, 'vite.config.js'), config)
      return npx('vite', 'build', '--ssr', 'entry.js')
    },
    webpack: () => {
      // Its minimizer with esbuild in it: with terser, it takes half a minute of a core.
      const config = `import Minimizer from 'minimizer-webpack-plugin'
        export default { mode: 'production', target: 'node20', entry: './entry.js', experiments: { outputModule: true },
        optimization: { minimizer: [new Minimizer({ minify: Minimizer.esbuildMinify })] },
        output: { path: import.meta.dirname + '/webpack', filename: 'entry.mjs', chunkFilename: '[id].mjs', module: true } }`
      writeFileSync(join(folder, 'webpack.config.mjs'), config)
      return npx('webpack')
    },
  }
  it.each(Object.keys(bundlers))(
    '%s runs',
    async name => {
      await bundlers[name]!()
      expect((await run(process.execPath, [`${name}/entry.mjs`], { cwd: folder })).stdout).toContain(
        'it works',
      )
    },
    3 * MINUTES,
  )
})

describe.each<[string, ...string[]]>([
  ['bun', 'run'],
  ['deno', 'run', '--allow-all'],
])('on %s', (name, ...args) => {
  it.each(['entry.js', 'sqlite.js'])(
    '%s runs',
    async file => {
      expect((await npx(name, ...args, file, name)).stdout).toContain('it works')
    },
    3 * MINUTES,
  )
})

it(
  'Jest runs, with the two lines of configuration of docs/operators.md',
  async () => {
    const env = { ...process.env, NODE_OPTIONS: '--experimental-vm-modules' }
    const jest = join(folder, 'node_modules/jest/bin/jest.js')
    expect((await run(process.execPath, [jest], { cwd: folder, env })).stderr).toContain('1 passed')
  },
  3 * MINUTES,
)
