import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { loadDriver } from '../../src/stores/sqlite-driver.ts'
import type { Store } from '../../src/stores/store.ts'
import { complete, NOW } from '../../src/testing/store-drafts.ts'
import { program } from './fixtures/programs.ts'

const CHILD = program('store-child')
const PROCESSES = ['one', 'two', 'three', 'four']

let folder: string
let path: string
let store: Store

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-'))
  path = join(folder, 'cache.db')
  store = sqliteStore(path)
})

afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true })
})

it('lets exactly one of several processes win each key, on a file that none has made yet', async () => {
  const outputs = await Promise.all(PROCESSES.map(name => run('claim', name, '200')))
  const won = outputs.map(output => JSON.parse(output) as number[])
  expect(won.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, number) => number))
  const entries = await store.list({ cacheName: 'files', limit: 1000 })
  expect(entries).toHaveLength(200)
  for (const { key, label } of entries) {
    expect(won[PROCESSES.indexOf(label!)]).toContain(Number(key?.slice('key '.length)))
  }
})

it('loses no update that several processes make at once', async () => {
  const counter = complete()
  await store.claim(counter, NOW)
  await Promise.all(PROCESSES.map(name => run('count', name, '100')))
  expect((await store.get(counter.refId))?.version).toBe(401)
})

it('hears of a change that another process makes', async () => {
  const watched = complete()
  await store.claim(watched, NOW)
  let seen = watched.version
  const end = store.watch(watched.refId, async () => {
    seen = (await store.get(watched.refId))?.version ?? 0
  })
  await run('count', 'one', '1')
  await expect.poll(() => seen).toBe(watched.version + 1)
  end()
})

it('keeps what a killed process wrote, and no half of anything', async () => {
  for (let round = 0; round < 5; round++) {
    const child = spawn(process.execPath, [CHILD, 'write', path, `round ${round}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await writing(child)
    await sleep(10 + round * 17)
    child.kill('SIGKILL')
    await once(child, 'exit')
    await expectWhole(store)
  }
  await store.close()
  const { DatabaseSync } = await loadDriver()
  const database = new DatabaseSync(path)
  expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  database.close()
})

async function run(job: string, name: string, count: string): Promise<string> {
  const quiet = '--disable-warning=REFCACHE_SQLITE_WAL_RESET'
  const child = promisify(execFile)(process.execPath, [quiet, CHILD, job, path, name, count])
  const { stdout, stderr } = await child
  expect(stderr).toBe('')
  return stdout
}

async function writing(child: ChildProcess): Promise<void> {
  assert.ok(child.stdout)
  const [line] = await once(child.stdout, 'data')
  assert.match(String(line), /writing/)
}

/**
 * Each entry's label is the digest of its value; a child that wrote four pairs before its death left at least
 * these.
 */
async function expectWhole(store: Store): Promise<void> {
  const entries = await store.list({ cacheName: 'files', limit: 100_000 })
  expect(entries.length).toBeGreaterThanOrEqual(4)
  for (const { refId, label } of entries) {
    const value = await store.read(refId, 'value')
    assert.ok(value)
    expect(createHash('sha256').update(value).digest('hex')).toBe(label)
  }
}
