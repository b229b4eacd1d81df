import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { actor, RefCache, type Store } from '../../dist/index.js'
import { redisStore } from '../../dist/stores/redis.js'
import { sqliteStore } from '../../dist/stores/sqlite.js'
import { redisIsInstalled, startRedis } from '../redis-server.ts'
import { type Command, command, commandHere, MAIN } from './fixtures/command.ts'

const SECRET = 'hunter2'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'look-commands-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

/** A server of somebody, whose one task goes on when it is told to. */
function server(store: Store) {
  const cache = new RefCache({ name: 'files', store, sweepInterval: '200ms', leaseDuration: '1s' })
  onTestFinished(() => cache.close({ drain: 0 }))
  let report: (current: number) => void = () => {}
  let end: () => void = () => {}
  const crawl = cache.cached(
    { name: 'crawl', asyncTimeout: 0, memoize: false },
    async (_: { secret: string }, task) => {
      report = current => task.progress(current, 50, SECRET)
      await new Promise<void>(resolve => {
        end = resolve
      })
      return SECRET
    },
  )
  return { cache, crawl, report: (current: number) => report(current), end: () => end() }
}

function watching(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, [MAIN, 'watch', ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  let seen = ''
  child.stdout?.on('data', (text: Buffer) => {
    seen += text
  })
  const code = new Promise<number | null>(resolve => child.once('close', resolve))
  return { child, seen: () => seen, code }
}

/** On one of them each command is a process, as for its users; on the other it runs here. */
const STORES: Array<[string, boolean, Command, () => Promise<{ where: string; open: () => Store }>]> = [
  [
    'a SQLite file',
    true,
    command,
    async () => {
      const where = join(folder(), 'cache.db')
      return { where, open: () => sqliteStore(where) }
    },
  ],
  [
    'Redis',
    redisIsInstalled,
    commandHere,
    async () => {
      const redis = await startRedis()
      onTestFinished(() => redis.stop())
      return { where: redis.url, open: () => redisStore(redis.url) }
    },
  ],
]

describe.each(STORES)('the commands that look at a store: %s', (_, isThere, command, place) => {
  it.skipIf(!isThere)('list, show and count what there is, and nothing that is in it', async () => {
    const { where, open } = await place()
    const { cache, crawl, report, end } = server(open())
    await cache.set('rows', [{ column: SECRET }], { toolName: 'import', namespace: `session:${SECRET}` })
    const ada = actor.user({ id: 'ada', sessionId: SECRET })
    const { refId } = await crawl({ secret: SECRET }, { actor: ada })
    await expect.poll(async () => (await cache.inspect(refId)).status).toBe('processing')
    report(25)
    await expect.poll(async () => (await cache.inspect(refId)).progress?.current).toBe(25)

    const ls = await command('ls', '--store', where)
    expect(ls).toMatchObject({ code: 0, stderr: '' })
    const lines = ls.stdout.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^reference +status +tool +who +size +age +progress$/)
    expect(lines[1]).toMatch(new RegExp(`^${refId}  processing  crawl +user:ada +\\d+s  50 % 25/50`))
    expect(lines[2]).toMatch(/complete +import .* 22 B/)

    const json = await command('ls', '--json', '--status', 'processing', '--store', where)
    expect(JSON.parse(json.stdout)).toEqual({
      entries: [
        expect.objectContaining({
          ref_id: refId,
          cache: 'files',
          started_by: 'user:ada',
          owner: expect.any(String),
        }),
      ],
    })
    const first = JSON.parse((await command('ls', '--json', '--limit', '1', '--store', where)).stdout)
    const second = await command('ls', '--json', '--cursor', first.next_cursor, '--store', where)
    expect(JSON.parse(second.stdout).entries).toHaveLength(1)

    const short = `${refId.slice(0, 'files:'.length + 12)}…`
    const show = await command('show', short, '--store', where)
    expect(show).toMatchObject({ code: 0, stdout: expect.stringContaining(refId) })
    expect(show.stdout).toMatch(new RegExp(`process +.*/${process.pid}/`))
    const stats = await command('stats', '--store', where)
    expect(stats.stdout).toMatch(/files +2 +1 +1 +0 +22 B/)
    const counts = JSON.parse((await command('stats', '--json', '--store', where)).stdout)
    expect(counts.caches[0]).toMatchObject({ cache: 'files', count: 2, by_status: { processing: 1 } })
    expect(counts.tokens).toBeUndefined()
    const other = open()
    await other.addSavings?.('files', Date.now(), { keptOut: 0, pagedIn: 0, added: 1_000 })
    await other.close()
    const { stderr } = await command('stats', '--store', where)
    expect(stderr).toContain('Tokens in the last 90 days, as estimated: 0 kept out, 0 paged in, 1,000 added')
    const { tokens } = JSON.parse((await command('stats', '--json', '--store', where)).stdout)
    expect(tokens).toEqual({ kept_out: 0, paged_in: 0, added: 1_000, net: -1_000 })

    for (const { stdout, stderr } of [ls, json, second, show, stats]) {
      expect(stdout + stderr).not.toContain(SECRET)
      expect(stdout + stderr).not.toContain('column')
    }
    end()
  })

  it.skipIf(!isThere)('watch tells of each change in another process, and ends with the task', async () => {
    const { where, open } = await place()
    const { cache, crawl, report, end } = server(open())
    const { refId } = await crawl({ secret: SECRET })
    await expect.poll(async () => (await cache.inspect(refId)).status).toBe('processing')
    const all = watching('--store', where)
    const one = watching(refId, '--json', '--store', where)
    await expect.poll(() => one.seen()).toContain('processing')
    await expect.poll(() => all.seen()).toContain('processing')
    report(10)
    await expect.poll(() => all.seen()).toContain('20 % 10/50')
    await expect.poll(() => one.seen()).toContain('"current":10')
    const later = await crawl({ secret: SECRET })
    await expect.poll(() => all.seen()).toContain(later.refId)
    expect(one.seen()).not.toContain(later.refId)
    await cache.cancelTask(later.refId, { actor: actor.system() })
    await expect.poll(() => all.seen()).toContain('cancelled')
    await cache.cancelTask(refId, { actor: actor.system() })
    expect(await one.code).toBe(1)
    end()
    all.child.kill('SIGINT')
    expect(await all.code).toBe(0)
    expect(all.seen() + one.seen()).not.toContain(SECRET)
  })

  it.skipIf(!isThere)('a look never touches a task, not even one whose process is gone', async () => {
    const { where, open } = await place()
    const store = open()
    onTestFinished(() => store.close())
    const { cache, crawl } = server(open())
    const { refId } = await crawl({ secret: SECRET })
    await expect.poll(async () => (await cache.inspect(refId)).status).toBe('processing')
    // Its process falls silent: no other one is there to sweep.
    const [entry] = await store.peek([refId])
    const lost = { ...entry!, refId: `lost:${'a'.repeat(32)}`, version: 1 }
    await store.claim(lost, Date.now())
    const watch = watching('--store', where)
    for (const args of [['ls'], ['show', lost.refId], ['stats']]) {
      expect((await command(...args, '--store', where)).code).toBe(0)
    }
    await expect.poll(() => watch.seen()).toContain(lost.refId)
    watch.child.kill('SIGTERM')
    expect(await watch.code).toBe(0)
    expect(await store.peek([lost.refId])).toEqual([lost])
  })
})

it('looking says what is wrong by its exit code', async () => {
  const where = join(folder(), 'cache.db')
  const { cache } = server(sqliteStore(where))
  await cache.set('a', 1)
  const unknown = `files:${'0'.repeat(32)}`
  for (const args of [
    ['show', unknown],
    ['show', 'files:0000'],
  ]) {
    expect(await commandHere(...args, '--store', where)).toMatchObject({ code: 6, stdout: '' })
  }
  expect(await command('watch', unknown, '--store', where)).toMatchObject({ code: 6, stdout: '' })
  for (const args of [['show', 'nonsense'], ['ls', '--status', 'done'], ['ls', '--limit', '0'], ['show']]) {
    expect(await commandHere(...args, '--store', where)).toMatchObject({ code: 2, stdout: '' })
  }
  expect(await commandHere('ls', '--cursor', 'nonsense', '--store', where)).toMatchObject({ code: 1 })
})

it('looking makes no file, and leaves one that is there as it is, byte for byte', async () => {
  const where = join(folder(), 'cache.db')
  for (const name of ['ls', 'stats']) {
    expect(await commandHere(name, '--store', where)).toMatchObject({ code: 5, stdout: '' })
  }
  expect(await command('watch', '--store', where)).toMatchObject({ code: 5, stdout: '' })
  expect(existsSync(where)).toBe(false)
  const cache = new RefCache({ name: 'files', store: sqliteStore(where) })
  const { refId } = await cache.set('a', 1)
  await cache.close()
  const digest = () => createHash('sha256').update(readFileSync(where)).digest('hex')
  const before = digest()
  for (const args of [['ls'], ['show', refId], ['stats']]) {
    expect((await commandHere(...args, '--store', where)).code).toBe(0)
  }
  expect(digest()).toBe(before)
})
