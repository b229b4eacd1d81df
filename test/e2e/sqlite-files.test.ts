import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { InvalidArgument, StoreUnavailable } from '../../src/core/errors.ts'
import { type SqliteDriver, sqliteStore } from '../../src/stores/sqlite.ts'
import { hasWalResetBug, loadDriver } from '../../src/stores/sqlite-driver.ts'
import { complete, NOW } from '../../src/testing/store-drafts.ts'

/** The one that the store uses: two SQLite libraries in one process do not see each other's locks. */
const { DatabaseSync } = await loadDriver()

let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-'))
  path = join(folder, 'cache.db')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)

describe('a path that cannot hold the cache', () => {
  it.each([
    ['a text file', () => writeFileSync(path, 'my notes'), /is damaged, or is no SQLite file/],
    [
      'a large file of other bytes',
      () => writeFileSync(path, Buffer.alloc(50_000, 7)),
      /is damaged, or is no/,
    ],
    ['a damaged database', () => damage(path), /is damaged, or is no SQLite file/],
    ['a database of another program', () => otherProgram(path), /is a database of another program/],
    ['a newer format', () => newerFormat(path), /written by a newer mcp-refcache \(format 99/],
  ])('%s is refused, and left as it is', async (_, make, message) => {
    await make()
    const [before, mode] = [readFileSync(path), modeOf(path)]
    await expectUnavailable(path, message)
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(modeOf(path)).toBe(mode)
  })

  it('a folder is refused', async () => {
    mkdirSync(path)
    await expectUnavailable(path, /must be a file in a folder/, true)
  })

  it('a path below a regular file is refused', async () => {
    writeFileSync(path, '')
    await expectUnavailable(join(path, 'below', 'cache.db'), /must be a file in a folder/, true)
  })

  it.runIf(process.platform === 'linux')('a folder where nobody can write is refused', async () => {
    await expectUnavailable('/proc/cache.db', /The cache file \/proc\/cache.db/, true)
  })

  it('a read-only file is refused when it is written', async () => {
    await written(path)
    class ReadOnly extends DatabaseSync {
      constructor(file: string) {
        super(file)
        this.exec('PRAGMA query_only = ON')
      }
    }
    const store = sqliteStore(path, { driver: { DatabaseSync: ReadOnly } })
    const claim = store.claim(complete(), NOW)
    await expect(claim).rejects.toThrow(/cannot be written/)
    await expect(claim).rejects.toHaveProperty('cause')
    await store.close()
  })

  it('a full disk fails the write, keeps what is there, and does not end the store', async () => {
    class Small extends DatabaseSync {
      constructor(file: string) {
        super(file)
        this.exec('PRAGMA max_page_count = 30')
      }
    }
    const store = sqliteStore(path, { driver: { DatabaseSync: Small } })
    const small = complete()
    await store.claim(small, NOW, { value: new Uint8Array(100) })
    const large = complete()
    const claim = store.claim(large, NOW, { value: new Uint8Array(1_000_000) })
    await expect(claim).rejects.toThrow(StoreUnavailable)
    await expect(claim).rejects.toThrow(/disk is full/)
    expect(await store.get(large.refId)).toBeUndefined()
    expect(await store.read(small.refId, 'value')).toHaveLength(100)
    expect((await store.claim(complete(), NOW)).won).toBe(true)
    await store.close()
  })

  it('is tried again by the next call, once the cause is gone', async () => {
    mkdirSync(path)
    const store = sqliteStore(path)
    await expect(store.get('files:1')).rejects.toThrow(StoreUnavailable)
    await rm(path, { recursive: true })
    expect(await store.get('files:1')).toBeUndefined()
    await store.close()
  })

  it.each(['', ':memory:'])('%j is refused at once', notAFile => {
    expect(() => sqliteStore(notAFile)).toThrow(InvalidArgument)
  })
})

describe('privacy', () => {
  it('makes file, -wal and -shm for the user alone, whatever the umask', async () => {
    const umask = process.umask(0)
    try {
      const store = sqliteStore(join(folder, 'new', 'cache.db'))
      await store.claim(complete(), NOW)
      expect(modeOf(join(folder, 'new'))).toBe('700')
      for (const suffix of ['', '-wal', '-shm']) {
        expect(modeOf(join(folder, 'new', `cache.db${suffix}`))).toBe('600')
      }
      await store.close()
    } finally {
      process.umask(umask)
    }
  })

  it('makes files that are there already private, and leaves the folder of the user alone', async () => {
    const other = sqliteStore(path)
    await other.claim(complete(), NOW)
    const files = [path, `${path}-wal`, `${path}-shm`]
    for (const file of files) chmodSync(file, 0o666)
    chmodSync(folder, 0o755)
    const store = sqliteStore(path)
    await store.claim(complete(), NOW)
    for (const file of files) expect(modeOf(file)).toBe('600')
    expect(modeOf(folder)).toBe('755')
    await Promise.all([store.close(), other.close()])
  })

  it('uses the cache folder of the user by default', async () => {
    mkdirSync(join(folder, 'mcp-refcache'), { mode: 0o755 })
    vi.stubEnv('XDG_CACHE_HOME', folder)
    await written()
    expect(modeOf(join(folder, 'mcp-refcache'))).toBe('700')
    expect(modeOf(join(folder, 'mcp-refcache', 'cache-3.db'))).toBe('600')
  })

  it('falls back to ~/.cache', async () => {
    vi.stubEnv('XDG_CACHE_HOME', 'relative/is/ignored')
    vi.stubEnv('HOME', folder)
    await written()
    expect(modeOf(join(folder, '.cache', 'mcp-refcache', 'cache-3.db'))).toBe('600')
  })
})

describe('a lock that another process holds', () => {
  it('is waited for, without holding up this process; reads and hits go on', async () => {
    const held = complete({ key: 'k' })
    await written(path, held)
    const release = lock(path)
    const store = sqliteStore(path)
    const claim = store.claim(complete(), NOW)
    let claimed = false
    void claim.then(() => {
      claimed = true
    })
    expect((await store.get(held.refId))?.key).toBe('k')
    expect((await store.claim(complete({ key: 'k' }), NOW)).won).toBe(false)
    expect(claimed).toBe(false)
    release()
    expect((await claim).won).toBe(true)
    await store.close()
  })

  it('is given up on after busyTimeout', async () => {
    await written(path)
    const release = lock(path)
    const [store, patient] = [
      sqliteStore(path, { busyTimeout: '300ms' }),
      sqliteStore(path, { busyTimeout: '1h' }),
    ]
    let waited = true
    const later = patient.claim(complete(), NOW).finally(() => {
      waited = false
    })
    const claim = store.claim(complete(), NOW)
    await expect(claim).rejects.toThrow(/stayed locked by another process/)
    await expect(claim).rejects.toHaveProperty('cause')
    expect(waited).toBe(true)
    release()
    expect((await later).won).toBe(true)
    await Promise.all([store.close(), patient.close()])
  })

  it('is not given up on by a process that did not run meanwhile', async () => {
    await written(path)
    const release = lock(path)
    const store = sqliteStore(path)
    await store.get('t:none')
    let asked = 0
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
      asked++
      if (asked === 4) release()
      return asked * 60_000
    })
    try {
      expect((await store.claim(complete(), NOW)).won).toBe(true)
      expect(asked).toBeGreaterThanOrEqual(4)
    } finally {
      clock.mockRestore()
      await store.close()
    }
  })

  it('does not keep a close from ending the calls that wait', async () => {
    await written(path)
    const release = lock(path)
    const store = sqliteStore(path)
    const claim = expect(store.claim(complete(), NOW)).rejects.toThrow(/is closed/)
    await store.close()
    await claim
    release()
  })
})

describe('the driver', () => {
  const builtin = process.getBuiltinModule?.('node:sqlite')

  it.skipIf(builtin)('says what to install when there is none (skipped where Node has SQLite)', async () => {
    await cp(fileURLToPath(new URL('../../dist', import.meta.url)), join(folder, 'dist'), { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    const script = `
      import { sqliteStore } from '${folder}/dist/stores/sqlite.js'
      await sqliteStore('${path}').get('files:1').catch(error => console.log(error.code, error.message))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    expect(stdout).toMatch(/^store_unavailable .*npm install @photostructure\/sqlite.*--store memory/)
  })

  it('gives no warning when it is loaded', async () => {
    const module = new URL('../../dist/stores/sqlite.js', import.meta.url)
    const script = `
      import { sqliteStore } from '${module}'
      await sqliteStore('${path}').get('files:1')`
    const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
    expect(stderr).not.toContain('ExperimentalWarning')
  })

  it('can be injected', async () => {
    const opened: string[] = []
    class Recording extends DatabaseSync {
      constructor(file: string) {
        super(file)
        opened.push(file)
      }
    }
    const driver: SqliteDriver = { DatabaseSync: Recording }
    await written(path, complete(), driver)
    expect(opened).toEqual([path])
  })

  it.each([
    ['3.53.0', false],
    ['3.51.3', false],
    ['3.51.2', true],
    ['3.50.7', false],
    ['3.50.6', true],
    ['3.49.9', true],
    ['3.47.2', true],
    ['3.44.6', false],
    ['3.44.5', true],
    ['4.0.0', false],
  ])('knows whether SQLite %s has the WAL-reset bug', (version, expected) => {
    expect(hasWalResetBug(version)).toBe(expected)
  })
})

async function written(file?: string, draft = complete(), driver?: SqliteDriver): Promise<void> {
  const store = sqliteStore(file, driver ? { driver } : {})
  await store.claim(draft, NOW)
  await store.close()
}

async function expectUnavailable(file: string, message: RegExp, hasCause = false): Promise<void> {
  const store = sqliteStore(file)
  const error = await store.get('files:1').catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(StoreUnavailable)
  expect((error as Error).message).toMatch(message)
  if (hasCause) expect((error as Error).cause).toBeInstanceOf(Error)
  await store.close()
}

/** Keeps the header, so that SQLite only finds out when it reads. */
async function damage(file: string): Promise<void> {
  await written(file)
  const bytes = readFileSync(file)
  bytes.fill(0xff, 100)
  writeFileSync(file, bytes)
}

function otherProgram(file: string): void {
  const database = new DatabaseSync(file)
  database.exec('CREATE TABLE bookmarks (url TEXT)')
  database.close()
}

async function newerFormat(file: string): Promise<void> {
  await written(file)
  const database = new DatabaseSync(file)
  database.exec('PRAGMA user_version = 99')
  database.close()
}

/** Takes the write lock; returns its release. */
function lock(file: string): () => void {
  const database = new DatabaseSync(file)
  database.exec('BEGIN IMMEDIATE')
  return () => {
    database.exec('COMMIT')
    database.close()
  }
}
