import { mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { bytesOf, complete, NOW, next, pending, until } from '../../../src/testing/store-drafts.ts'
import { deferred } from '../flow/scene.ts'

let folder: string
let path: string
let warnings: string[]
let stores: Store[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  path = join(folder, 'cache', 'cache.db')
  warnings = []
  stores = []
})
afterEach(async () => {
  for (const store of stores) await store.close()
  rmSync(folder, { recursive: true })
})

function open(): Store {
  const store = sqliteStore(path)
  store.warnTo?.(line => warnings.push(line))
  stores.push(store)
  return store
}

const WAYS: [name: string, take: () => void][] = [
  ['removed', () => rmSync(path)],
  ['removed with all that lies beside it', () => rmSync(dirname(path), { recursive: true })],
  ['moved away', () => renameSync(dirname(path), join(folder, 'moved'))],
]

describe('a file that goes while it is open', () => {
  it.each(WAYS)(
    '%s: the next write goes to a new one, tasks in flight too, and what is finished is gone',
    async (_, take) => {
      const store = open()
      const task = pending({ key: 'k' })
      const done = complete({ key: 'done' })
      await store.claim(task, NOW, { input: bytesOf('in') })
      await store.claim(done, NOW, { value: bytesOf('out') })
      take()
      const other = complete()
      expect((await store.claim(other, NOW)).won).toBe(true)

      const second = open()
      expect(await second.get(other.refId)).toMatchObject({ refId: other.refId })
      expect(await second.get(task.refId)).toMatchObject({ status: 'pending', key: 'k' })
      expect(Buffer.from((await second.read(task.refId, 'input')) ?? [])).toEqual(Buffer.from('in'))
      expect(await second.get(done.refId)).toBeUndefined()
      expect((await second.claim(pending({ key: 'k' }), NOW)).won).toBe(false)
      expect(await store.update(next(task), 1)).toBe(true)
      expect((await second.get(task.refId))?.version).toBe(2)
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(warnings).toEqual([expect.stringMatching(/was removed or replaced while it was open.* 1 task/)])
    },
  )

  it('replaced by another cache: tasks in flight go there, and take no key that is held', async () => {
    const store = open()
    const [free, held] = [pending({ key: 'free' }), pending({ key: 'held' })]
    for (const task of [free, held]) await store.claim(task, NOW)
    renameSync(dirname(path), join(folder, 'moved'))
    const other = open()
    const holder = pending({ key: 'held' })
    await other.claim(holder, NOW)

    await store.prune(NOW, 1)
    expect((await other.claim(pending({ key: 'free' }), NOW)).entry.refId).toBe(free.refId)
    expect((await other.claim(pending({ key: 'held' }), NOW)).entry.refId).toBe(holder.refId)
    const kept = await other.get(held.refId)
    expect(kept?.key).toBeUndefined()
    expect(await store.update(next(kept ?? held), 1)).toBe(true)
  })

  it('two processes bring the same task: the newer one stays', async () => {
    const [first, second] = [open(), open()]
    const task = pending({ key: 'k' })
    await first.claim(task, NOW)
    await second.get(task.refId)
    rmSync(dirname(path), { recursive: true })
    await first.prune(NOW, 1)
    expect(await first.update(next(task), 1)).toBe(true)
    await second.prune(NOW, 1)
    expect((await second.get(task.refId))?.version).toBe(2)
  })

  it.each([
    ['a link', () => symlinkSync(join(folder, 'target'), path)],
    ['a folder', () => mkdirSync(path)],
    ['other bytes', () => writeFileSync(path, 'my notes')],
  ])('replaced by %s: the same checks hold as at the first time', async (name, put) => {
    const store = open()
    const task = pending()
    await store.claim(task, NOW)
    rmSync(path)
    put()
    if (name === 'a link') {
      await store.prune(NOW, 1)
      expect(warnings).toContainEqual(expect.stringMatching(/is a symbolic link/))
      return
    }
    await expect(store.prune(NOW, 1)).rejects.toMatchObject({ code: 'store_unavailable' })
    rmSync(path, { recursive: true })
    await store.prune(NOW, 1)
    expect(await open().get(task.refId)).toMatchObject({ refId: task.refId })
  })

  it('is noticed by the sweep; the work goes on, and an identical call elsewhere joins it', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const clock = new FakeClock()
    const work = deferred<string>()
    let runs = 0
    const cacheOf = () => {
      const cache = new RefCache({ name: 'files', store: open(), clock })
      return cache.cached({ name: 'slow', asyncTimeout: 0 }, async (_: { id: number }, task) => {
        runs++
        task.signal.addEventListener('abort', () => work.reject(task.signal.reason))
        return work.promise
      })
    }
    const here = cacheOf()
    const handle = await here({ id: 1 })
    await until(() => runs === 1, 'a run')
    rmSync(dirname(path), { recursive: true })
    await clock.advance('5s')
    expect(said.mock.calls.flat()).toContainEqual(expect.stringMatching(/was removed or replaced/))

    const there = cacheOf()
    expect((await there({ id: 1 })).refId).toBe(handle.refId)
    work.resolve('done')
    const answer = await there({ id: 1 }, { asyncTimeout: '1m' })
    expect(answer).toMatchObject({ status: 'complete', value: 'done', refId: handle.refId })
    expect(runs).toBe(1)
    said.mockRestore()
  })
})
