import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { loadDriver } from '../../../src/stores/sqlite-driver.ts'

const PAGE = 4096
const { DatabaseSync } = await loadDriver()

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  path = join(folder, 'cache.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = () => new RefCache({ name: 'f', store: sqliteStore(path), logger: { warn() {}, error() {} } })

/** All that anybody may ask of a cache, and the codes of what goes wrong. */
async function codesOf(cache: RefCache, refIds: readonly string[]): Promise<Set<unknown>> {
  const codes = new Set<unknown>()
  const ask = (answer: Promise<unknown>) =>
    answer.catch(error => codes.add(error.code === 'not_found' ? 'not_found' : `${error.code} ${error.name}`))
  for (const refId of refIds) {
    await ask(cache.get(refId))
    await ask(cache.resolve(refId))
    await ask(cache.taskStatus(refId))
    await ask(cache.inspect(refId))
  }
  const list = cache.cached({ name: 'list' }, ({ length }: { length: number }) => Array(length).fill('x'))
  for (let length = 1; length < 4; length++) await ask(list({ length }))
  for (const answer of [cache.list(), cache.stats(), cache.listTasks(), cache.set('a', 1), cache.clear()]) {
    await ask(answer)
  }
  await cache.close()
  return codes
}

async function filled(): Promise<string[]> {
  const cache = open()
  const list = cache.cached({ name: 'list' }, ({ length }: { length: number }) => Array(length).fill('x'))
  const refIds: string[] = []
  for (let length = 1; length < 2_000; length += 150) refIds.push((await list({ length })).refId)
  await cache.close()
  return refIds
}

it('damaged pages are store_unavailable, or what they held is not found; nothing else', async () => {
  const refIds = await filled()
  const whole = readFileSync(path)
  for (let page = 1; page < whole.length / PAGE; page++) {
    for (const [from, to, byte] of [
      [0, PAGE, 0xff],
      [0, 8, 0x0d],
      [PAGE / 2, PAGE, 0x41],
    ] as const) {
      rmSync(`${path}-wal`, { force: true })
      rmSync(`${path}-shm`, { force: true })
      writeFileSync(path, Buffer.from(whole).fill(byte, page * PAGE + from, page * PAGE + to))
      for (const code of await codesOf(open(), refIds.slice(0, 3))) {
        expect(['not_found', 'store_unavailable StoreUnavailable']).toContain(code)
      }
    }
  }
})

it.each(['null', '7', '"x"', '[]', '{}', '{"refId":"f:1"}', 'no JSON'])(
  'a record %s is damage',
  async record => {
    const [refId = ''] = await filled()
    const database = new DatabaseSync(path)
    database.prepare('UPDATE entries SET record = ?').run(record)
    database.close()
    expect(await codesOf(open(), [refId])).toContain('store_unavailable StoreUnavailable')
    for (const code of await codesOf(open(), [refId])) {
      expect(['not_found', 'store_unavailable StoreUnavailable']).toContain(code)
    }
  },
)
