import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { defaultPath, pathOf } from '../../../src/stores/sqlite-place.ts'
import { complete, NOW } from '../../../src/testing/store-drafts.ts'

let folder: string
let warnings: string[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  warnings = []
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

describe('the place of a store', () => {
  it.each([
    ['/a/b c.db', '/a/b c.db'],
    ['/a/b%20c.db', '/a/b%20c.db'],
    ['/a/what?.db', '/a/what?.db'],
    ['cache.db', join(process.cwd(), 'cache.db')],
    ['file:///a/b%20c.db', '/a/b c.db'],
    ['FILE:///a/b.db', '/a/b.db'],
    ['file://localhost/a/b.db', '/a/b.db'],
    ['file:/a/b.db', '/a/b.db'],
    ['file:cache.db', join(process.cwd(), 'cache.db')],
    ['file:./a%20b.db', join(process.cwd(), 'a b.db')],
    [pathToFileURL('/a/b?#%.db'), '/a/b?#%.db'],
    ['a:b.db', join(process.cwd(), 'a:b.db')],
  ])('%s is %s', (place, path) => {
    expect(pathOf(place)).toBe(path)
  })

  it.each([
    '',
    ':memory:',
    'file::memory:',
    'file:',
    'file:///',
    'file:///a/',
    'file:///a.db?mode=memory&cache=shared',
    'file:///a.db#x',
    'file://other-host/a.db',
    'file:///a%2Fb.db',
    'file:a%ZZ.db',
    'file:///a%00.db',
    'a\0b',
    'http://host/a.db',
    'redis://host',
    new URL('https://host/a.db'),
    undefined,
    null,
    7,
    {},
  ])('%j names no file', place => {
    vi.stubEnv('HOME', '')
    vi.stubEnv('XDG_CACHE_HOME', '')
    const code = place === undefined ? 'store_unavailable' : 'invalid_argument'
    expect(() => sqliteStore(place as string)).toThrow(expect.objectContaining({ code }))
  })

  it('works as a path, as the text of a URL, and as a URL: all are one file', async () => {
    const path = join(folder, 'a b.db')
    const entry = complete()
    await withStore(path, store => store.claim(entry, NOW))
    for (const place of [String(pathToFileURL(path)), pathToFileURL(path)]) {
      expect(await withStore(place, store => store.get(entry.refId))).toMatchObject({ refId: entry.refId })
    }
  })

  it.each(['', undefined, 'relative'])('is no default one with HOME %j: nothing is written here', home => {
    vi.stubEnv('HOME', home)
    vi.stubEnv('XDG_CACHE_HOME', 'relative')
    expect(() => defaultPath()).toThrow(/neither HOME nor XDG_CACHE_HOME names a folder/)
    vi.stubEnv('XDG_CACHE_HOME', folder)
    expect(defaultPath()).toBe(join(folder, 'mcp-refcache', 'cache-3.db'))
  })
})

const STRANGER = 4_242

/** What somebody else could have put in the place of a file, and what is said of it. */
const DOUBTS: [name: string, put: (path: string) => void, said: RegExp][] = [
  [
    'a link',
    path => linkTo(path, `${path}.target`, () => renameSync(path, `${path}.target`)),
    /symbolic link/,
  ],
  ['a link to nowhere', path => linkTo(path, `${path}.nowhere`), /symbolic link/],
  ['a file with a second name', path => linkSync(path, `${path}.second`), /has another name/],
  ...['-wal', '-shm', '-journal'].map((suffix): [string, (path: string) => void, RegExp] => [
    `a ${suffix} that is a link`,
    path => linkTo(path + suffix, `${path}.elsewhere`),
    new RegExp(`${suffix} is a symbolic link`),
  ]),
]

/** Only root may give files away. */
if (process.geteuid?.() === 0) {
  const give = (path: string) => chownSync(path, STRANGER, STRANGER)
  DOUBTS.push(
    ['a file of another user', give, /cache(-3)?\.db belongs to another user/],
    ['a -wal of another user', path => give(touched(`${path}-wal`)), /-wal belongs to another user/],
    ['a folder of another user', path => give(dirname(path)), /folder .* belongs to another user/],
  )
}

function linkTo(path: string, target: string, first = () => rmSync(path, { force: true })): void {
  first()
  symlinkSync(target, path)
}

function touched(path: string): string {
  writeFileSync(path, '')
  return path
}

function pipeAt(path: string): void {
  execFileSync('mkfifo', [path])
}

describe.runIf(process.platform !== 'win32')('a file that somebody else could have put there', () => {
  it.each(DOUBTS)(
    '%s is refused in the default folder, and nothing of it is changed',
    async (_, put, said) => {
      vi.stubEnv('XDG_CACHE_HOME', folder)
      const path = defaultPath()
      await withStore(path, store => store.claim(complete(), NOW))
      put(path)
      const before = existsSync(path) && statSync(path).mode
      await expect(withStore(undefined, store => store.get('files:1'))).rejects.toMatchObject({
        code: 'store_unavailable',
        message: expect.stringMatching(said),
      })
      await expect(withStore(path, store => store.get('files:1'))).rejects.toThrow(said)
      expect(existsSync(path) && statSync(path).mode).toBe(before)
      expect(existsSync(`${path}.nowhere`)).toBe(false)
      expect(existsSync(`${path}.elsewhere`)).toBe(false)
    },
  )

  // What SQLite itself makes beside a file it never opens through a link.
  const opened = DOUBTS.filter(([name]) => !/^a -.* is a link$/.test(name))
  it.each(opened)('%s is opened, with a loud line, at a path that was given', async (_, put, said) => {
    const path = join(folder, 'own', 'cache.db')
    await withStore(path, store => store.claim(complete(), NOW))
    put(path)
    expect(await withStore(path, store => store.get('files:1'))).toBeUndefined()
    expect(warnings.filter(line => said.test(line))).toHaveLength(1)
  })

  it('a folder that is a link is refused in the default place', async () => {
    vi.stubEnv('XDG_CACHE_HOME', folder)
    mkdirSync(join(folder, 'elsewhere'))
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'mcp-refcache'))
    await expect(withStore(undefined, store => store.get('files:1'))).rejects.toThrow(
      /folder .* is a symbolic link/,
    )
    expect(existsSync(join(folder, 'elsewhere', 'cache.db'))).toBe(false)
  })

  it('a folder where anybody may replace files is told of', async () => {
    chmodSync(folder, 0o777)
    await withStore(join(folder, 'cache.db'), store => store.get('files:1'))
    expect(warnings).toEqual([expect.stringMatching(/others may write to its folder/)])
    chmodSync(folder, 0o1777)
    await withStore(join(folder, 'cache.db'), store => store.get('files:1'))
    expect(warnings).toHaveLength(1)
  })

  it('a plain file of this user is opened without a word', async () => {
    await withStore(join(folder, 'cache.db'), store => store.get('files:1'))
    expect(warnings).toEqual([])
  })

  it.each([
    ['a pipe', pipeAt],
    ['a link to a pipe', (path: string) => linkTo(path, `${path}.pipe`, () => pipeAt(`${path}.pipe`))],
    ['a device', (path: string) => symlinkSync('/dev/null', path)],
    ['a folder', (path: string) => void mkdirSync(path)],
    ['a -wal that is a pipe', (path: string) => pipeAt(`${path}-wal`)],
  ])('%s is no store, wherever it lies', async (_, put) => {
    const path = join(folder, 'cache.db')
    put(path)
    await expect(withStore(path, store => store.get('files:1'))).rejects.toThrow(/must be a file/)
  })
})

async function withStore<T>(
  place: string | URL | undefined,
  work: (store: ReturnType<typeof sqliteStore>) => Promise<T>,
): Promise<T> {
  const store = sqliteStore(place)
  store.warnTo?.(line => warnings.push(line))
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

describe('a runtime that does not tell its user, such as Deno without --allow-sys', () => {
  it('opens a file without a word about whose it is', async () => {
    const asked = vi.spyOn(process, 'geteuid').mockImplementation(() => {
      throw new Error('Requires sys access to "uid"')
    })
    const store = sqliteStore(join(folder, 'cache.db'))
    store.warnTo?.(message => warnings.push(message))
    expect(await store.get(`t:${'0'.repeat(32)}`)).toBeUndefined()
    await store.close()
    asked.mockRestore()
    expect(warnings).toEqual([])
  })
})
