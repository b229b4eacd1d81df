import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Consumer, installPackage, installWithoutPeers, runIn } from './installed.ts'
import { REPOSITORY } from './source-files.ts'

/**
 * What is published, held against a packed tarball. Run `npm run build` first; `npm test` does.
 *
 * The named exports are pinned here: adding one is a decision, removing one is a breaking change, and neither should
 * happen by accident.
 */
const EXPORTS: Record<string, readonly string[]> = {
  'mcp-refcache': [
    'AccessPolicy',
    'AnswerTooLarge',
    'CircularReference',
    'HardTimeout',
    'InputUnavailable',
    'InvalidArgument',
    'NotFound',
    'NotSerializable',
    'Permission',
    'PermissionDenied',
    'ProtocolFailure',
    'QueryLimit',
    'QueueFull',
    'RefCache',
    'RefCacheError',
    'StoreFull',
    'StoreUnavailable',
    'TaskCancelled',
    'TaskFailed',
    'TaskNotReady',
    'UnknownStoreFormat',
    'ValueTooLarge',
    'WorkerLost',
    'WorkerOutOfMemory',
    'actor',
    'fromErrorData',
    'inProcessExecutor',
    'localDispatcher',
    'memoryStore',
    'namespaceRules',
    'policyChecker',
    'runHandler',
    'systemClock',
    'toErrorData',
  ],
  'mcp-refcache/stores/memory': ['memoryStore'],
  'mcp-refcache/stores/sqlite': ['sqliteStore'],
  'mcp-refcache/stores/redis': ['redisStore'],
  'mcp-refcache/stores/encrypted': ['encryptedStore', 'keysFromEnv', 'keysFromFile'],
  'mcp-refcache/mcp': [
    'SERVER_INSTRUCTIONS',
    'attachRefCache',
    'withTaskNotifications',
    'withTaskNotificationsOnStdio',
  ],
  'mcp-refcache/audit': ['auditFile'],
  'mcp-refcache/fastmcp': ['SERVER_INSTRUCTIONS', 'addPollingTools', 'refcacheTool'],
  'mcp-refcache/ai': ['REFERENCE_INSTRUCTIONS', 'isReference', 'taskOf', 'wholeOf', 'withReferences'],
  'mcp-refcache/openai-agents': ['REFERENCE_INSTRUCTIONS', 'isReference', 'wholeOf', 'withReferences'],
  'mcp-refcache/langchain': ['REFERENCE_INSTRUCTIONS', 'isReference', 'wholeOf', 'withReferences'],
  'mcp-refcache/inspect': ['openInspector'],
  'mcp-refcache/telemetry': ['channels'],
  'mcp-refcache/ui': ['uiHandler'],
  'mcp-refcache/otel': ['instrument'],
  'mcp-refcache/threads': ['threadExecutor'],
  'mcp-refcache/bullmq': ['bullmqDispatcher', 'runWorker'],
  'mcp-refcache/testing': ['FakeClock', 'executorSuite', 'executorTools', 'storeSuite'],
}

/** What is in `dist/` beside modules. */
const ASSETS = ['dist/query/child.mjs', 'dist/ui/page/index.html', 'dist/ui/page/page.css']

const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
  version: string
  exports: Record<string, unknown>
  bin: Record<string, string>
  scripts: Record<string, string>
}

let consumer: Consumer
beforeAll(async () => {
  if (!existsSync(join(REPOSITORY, 'dist/index.js')))
    throw new Error('There is no dist/: run `npm run build` first.')
  consumer = await installPackage()
})
afterAll(() => consumer?.dispose())

const tool = (path: string) => join(REPOSITORY, 'node_modules', path)

describe('the tarball', () => {
  it('is well formed, as publint sees it', async () => {
    const { code, stdout, stderr } = await runIn(consumer.folder, process.execPath, [
      tool('publint/src/cli.js'),
      'run',
      consumer.tarball,
      '--strict',
    ])
    expect(code, stdout + stderr).toBe(0)
  })

  it('holds what users need, and nothing else', () => {
    const top = new Set(consumer.files.map(path => path.split('/')[0]))
    expect([...top].sort()).toEqual([
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'THIRD-PARTY.txt',
      'dist',
      'docs',
      'package.json',
      'src',
      'templates',
    ])
    const foreign = consumer.files.filter(
      path => path.startsWith('dist/') && !ASSETS.includes(path) && !/\.(js|d\.ts)(\.map)?$/.test(path),
    )
    expect(foreign).toEqual([])
    expect(consumer.files).toEqual(expect.arrayContaining([...ASSETS, 'dist/ui/page/page.js']))
    const tests = consumer.files.filter(path => /\.(test|test-d|bench)\./.test(path))
    expect(tests.filter(path => !path.startsWith('templates/'))).toEqual([])
  })

  it('holds the Markdown of docs/, without what its site is built of', () => {
    const docs = consumer.files.filter(path => path.startsWith('docs/'))
    expect(docs).toContain('docs/wire-format.md')
    expect(docs.filter(path => !path.endsWith('.md') || /\/(?:\.|node_modules)/.test(path))).toEqual([])
  })

  it('holds the template of `mcp-refcache new`, under names that npm leaves alone', () => {
    const template = consumer.files.filter(path => path.startsWith('templates/'))
    expect(template).toEqual(
      expect.arrayContaining(['templates/server/_gitignore', 'templates/server/_package.json']),
    )
    expect(template.filter(path => /\/(dist|node_modules)\//.test(path))).toEqual([])
  })

  it('says whose work is inside, with the license', () => {
    const notice = readFileSync(join(consumer.folder, 'node_modules/mcp-refcache/THIRD-PARTY.txt'), 'utf8')
    expect(notice).toMatch(/^gpt-tokenizer \d+\.\d+\.\d+ \(MIT\)\n\nMIT License\n/m)
    expect(notice).toMatch(/^@modelcontextprotocol\/client \d+\.\d+\.\d+ \(/m)
  })

  it('has a map for every declaration, so that an editor goes to the source', () => {
    const unmapped = consumer.files.filter(
      path => path.endsWith('.d.ts') && !consumer.files.includes(`${path}.map`),
    )
    expect(unmapped).toEqual(['dist/agent/card-html.d.ts', 'dist/tokens/o200k-tokens.d.ts'])
  })

  it('has no source map that points at what is not there', () => {
    const unpacked = join(consumer.folder, 'node_modules/mcp-refcache')
    const here = new Set(consumer.files)
    const dangling = consumer.files.filter(path => {
      if (!/\.(js|d\.ts)$/.test(path)) return false
      const map = /\/\/# sourceMappingURL=(\S+)/.exec(readFileSync(join(unpacked, path), 'utf8'))?.[1]
      if (map === undefined) return false
      const mapPath = posix.join(dirname(path), map)
      if (!here.has(mapPath)) return true
      const { sources, sourcesContent } = JSON.parse(readFileSync(join(unpacked, mapPath), 'utf8')) as {
        sources: string[]
        sourcesContent?: string[]
      }
      return sources.some(
        (source, i) => sourcesContent?.[i] === undefined && !here.has(posix.join(dirname(mapPath), source)),
      )
    })
    expect(dangling, 'Ship the sources, or no maps.').toEqual([])
  })
})

describe('the exports', () => {
  it('are all pinned here', () => {
    const subpaths = Object.keys(manifest.exports).filter(path => path !== './package.json')
    expect(subpaths.map(path => posix.join('mcp-refcache', path)).sort()).toEqual(Object.keys(EXPORTS).sort())
  })

  it.each(Object.keys(EXPORTS))('%s gives exactly its names, in a fresh process', async specifier => {
    const script = `console.log(JSON.stringify(Object.keys(await import('${specifier}')).sort()))`
    const { stdout, stderr } = await runIn(consumer.folder, process.execPath, [
      '--input-type=module',
      '--eval',
      script,
    ])
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual(EXPORTS[specifier])
  })

  it.each(Object.keys(EXPORTS))('%s loads from a few files, so that a server starts fast', specifier => {
    const { default: entry } = manifest.exports[specifier.replace('mcp-refcache', '.')] as { default: string }
    expect(filesOf(join(REPOSITORY, entry)).size).toBeLessThan(40)
  })

  it('hide what is inside', async () => {
    const script = "await import('mcp-refcache/flow/call.js')"
    const { stderr } = await runIn(consumer.folder, process.execPath, [
      '--input-type=module',
      '--eval',
      script,
    ])
    expect(stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })
})

/** The files of the package that are loaded with this one. */
function filesOf(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const imports = /^(?:import|export)\b[^'"]*?['"](\.[^'"]+)['"]/gm
  for (const [, path = ''] of readFileSync(file, 'utf8').matchAll(imports))
    filesOf(join(dirname(file), path), seen)
  return seen
}

describe('where a peer is not installed', () => {
  const script = `
    const { RefCache } = await import('mcp-refcache')
    const { attachRefCache } = await import('mcp-refcache/mcp')
    const { addPollingTools, refcacheTool } = await import('mcp-refcache/fastmcp')
    const cache = new RefCache()
    refcacheTool(cache, { name: 't', execute: () => 1 })
    for (const attach of [attachRefCache, addPollingTools]) {
      try { attach(undefined, cache) } catch (error) { console.log(error.code, error.message) }
    }
    await cache.close()`

  it('the adapters load, and say what to install when they are given no server', async () => {
    const bare = installWithoutPeers(consumer)
    try {
      const args = ['--input-type=module', '--eval', script]
      const { stdout, stderr } = await runIn(bare.folder, process.execPath, args)
      expect(stderr).toBe('')
      expect(stdout.split('\n')).toEqual([
        expect.stringMatching(/^invalid_argument .*npm install @modelcontextprotocol\/server/),
        expect.stringMatching(/^invalid_argument .*npm install fastmcp/),
        '',
      ])
    } finally {
      bare.dispose()
    }
  })
})

describe('the command', () => {
  const bin = () => join(consumer.folder, 'node_modules/mcp-refcache', manifest.bin['mcp-refcache']!)

  it('begins with a line that makes it a program', () => {
    expect(readFileSync(bin(), 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  })

  it('explains itself', async () => {
    const { code, stdout } = await runIn(consumer.folder, process.execPath, [bin(), '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain('mcp-refcache wrap')
  })

  it('knows its version', async () => {
    const { code, stdout } = await runIn(consumer.folder, process.execPath, [bin(), '--version'])
    expect(code).toBe(0)
    expect(stdout.trim()).toContain(manifest.version)
  })
})

interface Locked {
  readonly dev?: boolean
  readonly hasInstallScript?: boolean
  readonly dependencies?: Record<string, string>
  readonly optionalDependencies?: Record<string, string>
}

const { packages: locked } = JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Locked>
}

describe('what is installed with it', () => {
  it('runs no install script', () => {
    // npm 12 blocks them and pnpm 12 fails on them. Optional peers are the user's own choice and not installed with it.
    const scripted = Object.entries(locked).filter(
      ([, { dev, hasInstallScript }]) => hasInstallScript && !dev,
    )
    expect(scripted.map(([path]) => path)).toEqual([])
  })

  it('has no install script of its own', () => {
    const { scripts } = manifest
    expect(Object.keys(scripts).filter(name => /^(pre|post)?install$|^prepare$/.test(name))).toEqual([])
  })
})

describe('the lock file', () => {
  it('names every package, those of other platforms included, or `npm ci` refuses it', () => {
    const missing = Object.entries(locked).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter(name => !isLocked(path, name))
        .map(name => `${name}, which ${path} wants`),
    )
    expect(missing).toEqual([])
  })
})

/** Whether a package at `path` finds `name` in its own folder of modules, or in one above. */
function isLocked(path: string, name: string): boolean {
  if (`${path === '' ? '' : `${path}/`}node_modules/${name}` in locked) return true
  return path !== '' && isLocked(path.slice(0, Math.max(0, path.lastIndexOf('node_modules/') - 1)), name)
}
