import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(ROOT, 'dist/cli/main.js')

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  mkdirSync(join(folder, 'work'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The store is opened before the server, so a server that is none shows how that went. */
function wrap(env: NodeJS.ProcessEnv, options: string[] = [], main = MAIN) {
  const { HOME: _, XDG_CACHE_HOME: __, ...rest } = process.env
  const args = [main, 'wrap', ...options, '--', 'no-such-command-anywhere']
  const { status, stderr } = spawnSync(process.execPath, args, {
    env: { ...rest, ...env },
    cwd: join(folder, 'work'),
    encoding: 'utf8',
    timeout: 100_000,
  })
  const lines = stderr.split('\n').filter(line => line.includes('[store_memory]'))
  return { status, stderr, lines, written: readdirSync(join(folder, 'work')) }
}

const UPSTREAM = 3
const STORE = 5

describe('the default store', () => {
  it.each<[string, NodeJS.ProcessEnv, options: string[]]>([
    ['HOME unset', {}, ['--json']],
    ['HOME empty', { HOME: '' }, []],
    ['HOME relative', { HOME: 'here' }, []],
    ['HOME a file', { HOME: '/dev/null' }, []],
    ['HOME below a file', { HOME: '/dev/null/home' }, ['--json']],
  ])('is memory with %s, says so in one line, and writes nothing here', (_, env, options) => {
    const { status, stderr, lines, written } = wrap(env, options)
    expect(status).toBe(UPSTREAM)
    if (options.length === 0)
      expect(lines).toEqual([expect.stringMatching(/kept in memory.*end with this process/)])
    else expect(stderr.match(/"store_memory"/g)).toHaveLength(1)
    expect(written).toEqual([])
  })

  it('is a file where there is a place', () => {
    expect(wrap({ HOME: folder }).lines).toEqual([])
    expect(readdirSync(join(folder, '.cache/mcp-refcache'))).toContain('cache-3.db')
    expect(wrap({ XDG_CACHE_HOME: join(folder, 'xdg') }).lines).toEqual([])
    expect(readdirSync(join(folder, 'xdg/mcp-refcache'))).toContain('cache-3.db')
  })

  it('that cannot be read is no reason to use memory, and a store that was asked for never is', () => {
    mkdirSync(join(folder, 'mcp-refcache'))
    writeFileSync(join(folder, 'mcp-refcache', 'cache-3.db'), 'my notes')
    expect(wrap({ XDG_CACHE_HOME: folder })).toMatchObject({ status: STORE, lines: [] })
    expect(wrap({ HOME: folder }, ['--store', '/dev/null/cache.db'])).toMatchObject({
      status: STORE,
      lines: [],
    })
  })

  it.skipIf(process.getBuiltinModule?.('node:sqlite'))(
    'is memory without SQLite (skipped where Node has it); a store that was asked for fails',
    () => {
      cpSync(join(ROOT, 'dist'), join(folder, 'dist'), { recursive: true })
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      const main = join(folder, 'dist/cli/main.js')
      const { status, lines } = wrap({ HOME: folder }, [], main)
      expect(lines).toEqual([expect.stringMatching(/kept in memory.*npm install @photostructure\/sqlite/)])
      expect(status).toBe(UPSTREAM)
      expect(wrap({ HOME: folder }, ['--store', 'x.db'], main)).toMatchObject({ status: STORE, lines: [] })
    },
  )
})
