import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { actor, RefCache, type RefCacheOptions, type Store } from '../../dist/index.js'
import { encryptedStore, keysFromFile } from '../../dist/stores/encrypted.js'
import { redisStore } from '../../dist/stores/redis.js'
import { sqliteStore } from '../../dist/stores/sqlite.js'
import { redisIsInstalled, startRedis } from '../redis-server.ts'
import { type Command, command, commandHere } from './fixtures/command.ts'

const UNKNOWN = `files:${'0'.repeat(32)}`
const ROWS = Array.from({ length: 500 }, (_, id) => ({ id, level: id % 5 === 0 ? 'error' : 'info' }))

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'store-commands-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

/** A server of somebody, on the store that the commands look at. */
function server(store: Store, options: RefCacheOptions = {}) {
  const cache = new RefCache({ name: 'files', store, sweepInterval: '200ms', ...options })
  onTestFinished(() => cache.close({ drain: 0 }))
  const started: string[] = []
  const task = cache.cached(
    { name: 'task', asyncTimeout: 0, maxRetries: 0, memoize: false },
    async (input: { fails?: boolean }, { progress, signal, refId }) => {
      started.push(refId)
      progress(3, 50, 'page 3 of 50')
      if (input.fails && started.length === 1) throw new Error('the warehouse is closed')
      if (!input.fails) await new Promise((_, reject) => signal.addEventListener('abort', reject))
      return 'done'
    },
  )
  return { cache, task, started }
}

const private_ = { namespace: 'user:bob', policy: { owner: 'user:bob', user: 0, agent: 0 } } as const

/** On one of them each command is a process, as for its users; on the other it runs here. */
const STORES: Array<[string, boolean, Command, () => Promise<{ where: string; store: Store }>]> = [
  [
    'a SQLite file',
    true,
    command,
    async () => {
      const where = join(folder(), 'cache.db')
      return { where, store: sqliteStore(where) }
    },
  ],
  [
    'Redis',
    redisIsInstalled,
    commandHere,
    async () => {
      const redis = await startRedis()
      onTestFinished(() => redis.stop())
      return { where: redis.url, store: redisStore(redis.url) }
    },
  ],
]

describe.each(STORES)('the commands for what a store has: %s', (_, isThere, command, open) => {
  it.skipIf(!isThere)('read values, also those that no agent may see', async () => {
    const { where, store } = await open()
    const { cache } = server(store)
    const { refId } = await cache.set('rows', ROWS, private_)
    const get = await command('get', refId, '--page', '2', '--page-size', '100', '--store', where)
    expect(get).toMatchObject({ code: 0, stderr: expect.stringContaining('page 2 of 5') })
    expect(get.stdout.split('\n').slice(0, 2)).toEqual([' id  level', '100  error'])
    const full = await command('get', refId, '--full', '--store', where)
    expect(JSON.parse(full.stdout)).toEqual(ROWS)
    const sql = 'select level, count(*) n from items group by 1'
    expect(await command('query', refId, sql, '--store', where)).toMatchObject({
      code: 0,
      stdout: 'level    n\nerror  100\ninfo   400\n',
    })
    const json = await command('query', refId, 'select max(id) id from items', '--json', '--store', where)
    expect(JSON.parse(json.stdout)).toEqual([{ id: 499 }])
    const file = join(folder(), 'rows.csv')
    expect((await command('export', refId, file, '--store', where)).code).toBe(0)
    expect(readFileSync(file, 'utf8').split('\r\n').slice(0, 3)).toEqual(['id,level', '0,error', '1,info'])
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const again = await command('export', refId, file, '--store', where)
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining('[file_exists]') })
    const link = join(folder(), 'link')
    symlinkSync(file, link)
    const through = await command('export', refId, link, '--force', '--store', where)
    expect(through).toMatchObject({ code: 1, stderr: expect.stringContaining('[not_a_file]') })
    expect(await command('cancel', refId, '--store', where)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^complete/),
    })
    expect(await command('get', `${refId}#/499/id`, '--store', where)).toMatchObject({ stdout: '499\n' })
    const short = `${refId.slice(0, 'files:'.length + 8)}…#/499/id`
    expect(await command('get', short, '--store', where)).toMatchObject({ stdout: '499\n' })
    const none = await command('get', 'files:00000000', '--store', where)
    expect(none).toMatchObject({ code: 6, stderr: expect.stringContaining('No reference begins with') })
  })

  it.skipIf(!isThere)('steer tasks that another process runs', async () => {
    const { where, store } = await open()
    const { cache, task, started } = server(store)
    const { refId } = await task({})
    await expect.poll(() => started).toHaveLength(1)
    const running = await command('get', refId, '--store', where)
    expect(running).toMatchObject({ code: 7, stdout: expect.stringContaining('task · 6 % · page 3 of 50') })
    // It runs no tools, and another process runs this one: to look, and to look again, does it no harm.
    expect((await cache.get(refId)).status).toBe('processing')
    expect(await command('cancel', refId, '--store', where)).toMatchObject({ code: 0 })
    await expect.poll(async () => (await cache.get(refId)).status).toBe('cancelled')
    expect(await command('retry', refId, '--json', '--store', where)).toMatchObject({ code: 0 })
    await expect.poll(() => started).toHaveLength(2)
    expect((await cache.get(refId)).status).toBe('processing')
    expect(await command('rm', refId, UNKNOWN, '--json', '--store', where)).toMatchObject({
      code: 6,
      stdout: `${JSON.stringify({ deleted: [refId], missing: [UNKNOWN] })}\n`,
    })
    expect(await cache.exists(refId, { actor: actor.system() })).toBe(false)
  })

  it.skipIf(!isThere)('clear a cache, or a namespace of it, and only when told so', async () => {
    const { where, store } = await open()
    const { cache } = server(store)
    await cache.set('bob', 1, private_)
    const { refId } = await cache.set('all', 2)
    const asked = await command('clear', 'files', '--store', where)
    expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
    const bob = ['--namespace', 'user:bob', '--json', '--yes', '--store', where]
    expect(await command('clear', 'files', ...bob)).toMatchObject({ code: 0, stdout: '{"deleted":1}\n' })
    expect(await cache.exists(refId)).toBe(true)
    expect(await command('clear', 'files', '--yes', '--store', where)).toMatchObject({ code: 0 })
    expect(await cache.exists(refId)).toBe(false)
  })
})

describe('a task that failed', () => {
  it('is tried again by a process that has its tool, once there is one', async () => {
    const where = join(folder(), 'cache.db')
    const first = server(sqliteStore(where))
    const { refId } = await first.task({ fails: true })
    await expect.poll(async () => (await first.cache.get(refId)).status).toBe('failed')
    await first.cache.close()
    const failed = await commandHere('get', refId, '--store', where)
    expect(failed).toMatchObject({ code: 1, stdout: expect.stringContaining('the warehouse is closed') })
    expect((await commandHere('retry', refId, '--store', where)).stdout).toBe('pending · task\n')
    const second = server(sqliteStore(where))
    second.started.push('before')
    const ended = await commandHere('get', refId, '--wait', '20s', '--store', where)
    expect(ended).toEqual({ code: 0, stdout: 'done\n', stderr: '' })
  })
})

describe('a store', () => {
  it('that is not there is not made', async () => {
    const where = join(folder(), 'nothing.db')
    const { code, stderr } = await commandHere('get', UNKNOWN, '--store', where)
    expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining('no store at') })
    expect(() => statSync(where)).toThrow('ENOENT')
  })

  it('that has several references of one beginning asks for more of it', async () => {
    const where = join(folder(), 'cache.db')
    let next = 0
    const random = (size: number) => new Uint8Array(size).fill(0xab, 0, size - 1).fill(next++, size - 1)
    const { cache } = server(sqliteStore(where), { random })
    const references = [await cache.set('a', 1), await cache.set('b', 2)].map(({ refId }) => refId)
    const short = await commandHere('get', 'files:abab', '--store', where)
    expect(short).toMatchObject({ code: 2, stderr: expect.stringContaining('More than one') })
    expect(await commandHere('get', references[1]!, '--store', where)).toMatchObject({ stdout: '2\n' })
    for (const given of ['nonsense', 'files:', 'files:aba', 'files:xyzw', ':abab', `${references[1]}0`]) {
      expect(await commandHere('get', given, '--store', where), given).toMatchObject({
        code: given.endsWith('0') ? 6 : 2,
        stdout: '',
      })
    }
  })

  it('that is encrypted shows nothing without its keys', async () => {
    const at = folder()
    const [where, keys] = [join(at, 'cache.db'), join(at, 'keys')]
    writeFileSync(keys, `k1:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
    const { cache } = server(encryptedStore(sqliteStore(where), { keys: keysFromFile(keys) }))
    const { refId } = await cache.set('secret', 'hunter2')
    const without = await commandHere('get', refId, '--store', where)
    expect(without.code).not.toBe(0)
    expect(without.stdout + without.stderr).not.toContain('hunter2')
    const withKeys = await commandHere('get', refId, '--encrypt-key-file', keys, '--store', where)
    expect(withKeys).toMatchObject({ code: 0, stdout: 'hunter2\n' })
  })

  it.each([
    [['get', UNKNOWN, '--store', 'memory'], 2, 'its own process alone'],
    [['query', UNKNOWN], 2, 'in SQL or with --search'],
    [['export', UNKNOWN, 'x', '--format', 'xml'], 2, '--format is one of'],
    [['get', UNKNOWN, '--store', 'redis://localhost:1/x'], 2, 'database'],
  ])('and a wrong command line say what is wrong: %j', async (args, code, words) => {
    expect(await commandHere(...args)).toMatchObject({ code, stderr: expect.stringContaining(words) })
  })
})
