import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { openInspector } from '../../../src/inspect/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { complete, NOW, next, pending, put, refIdOf } from '../../../src/testing/store-drafts.ts'
import { deferred, scene, storeWith } from '../flow/scene.ts'

const SECRET = 'hunter2'

const cleanUps: Array<() => unknown> = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** The path of a file that a store was closed on. */
async function closedFile(fill: (store: Store) => Promise<unknown> = async () => {}): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-inspect-'))
  cleanUps.push(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'cache.db')
  const store = sqliteStore(path)
  await store.list({ cacheName: 'files' })
  await fill(store)
  await store.close()
  return path
}

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

describe('an inspector', () => {
  it('shows the entries of all caches, the newest first, page by page', async () => {
    const store = memoryStore()
    const times = [3, 1, 2, 5, 4]
    for (const time of times) {
      await put(store, complete({ refId: refIdOf(time % 2 ? 'odd' : 'even', time), createdAt: NOW + time }))
    }
    const inspector = openInspector(store, { clock: scene().clock })
    const found: string[] = []
    for (let cursor: string | undefined; ; ) {
      const { entries, nextCursor } = await inspector.list({ limit: 2, cursor })
      found.push(...entries.map(({ cache, createdAt }) => `${cache} ${createdAt.getTime() - NOW}`))
      cursor = nextCursor
      if (cursor === undefined) break
      await put(store, complete({ createdAt: NOW + 100 + found.length }))
    }
    expect(found).toEqual(['odd 5', 'even 4', 'odd 3', 'even 2', 'odd 1'])
    expect((await inspector.list({ cache: 'even' })).entries).toHaveLength(2)
    expect(await inspector.match('od', 2)).toHaveLength(2)
    await expect(inspector.list({ cursor: 'nonsense' })).rejects.toThrow(/Begin again/)
  })

  it('shows what references saved, by hour and cache, also in a file that is only looked at', async () => {
    const hour = NOW - 3_600_000
    const path = await closedFile(async store => {
      await store.addSavings?.('files', hour, { keptOut: 100, pagedIn: 20, added: 5 })
      await store.addSavings?.('other', NOW, { keptOut: 1, pagedIn: 2, added: 3 })
    })
    const inspector = openInspector(sqliteStore(path, { readOnly: true }), { clock: scene().clock })
    const last = { cache: 'other', at: new Date(NOW), keptOut: 1, pagedIn: 2, added: 3, net: -4 }
    const first = { cache: 'files', at: new Date(hour), keptOut: 100, pagedIn: 20, added: 5, net: 75 }
    expect(await inspector.savings()).toEqual([first, last])
    expect(await inspector.savings(new Date(NOW))).toEqual([last])
    await inspector.close()
    const before = openInspector(sqliteStore(await closedFile(), { readOnly: true }))
    expect(await before.savings()).toEqual([])
    await before.close()
  })

  it('shows how far a task is, until when it may take, who asked for it and which process has it', async () => {
    const store = memoryStore()
    const { cache, clock } = scene({ store })
    const work = deferred()
    const slow = cache.cached({ name: 'slow', asyncTimeout: 0 }, (_: object, task) => {
      task.progress(1, 4, SECRET)
      return work.promise
    })
    const { refId } = await slow({}, { actor: actor.user({ id: 'ada', sessionId: SECRET }) })
    await clock.advance('10s')
    const entry = await openInspector(store, { clock }).entry(refId)
    expect(entry).toMatchObject({
      cache: 't',
      status: 'processing',
      toolName: 'slow',
      startedBy: 'user:ada',
      progress: { current: 1, total: 4, percentage: 25 },
      task: { owner: expect.stringMatching(/\/\d+\//), etaSeconds: 30 },
    })
    expect(JSON.stringify(entry)).not.toContain(SECRET)
    work.resolve(1)
  })

  it('shows no value, no input, no word of a handler and no session', async () => {
    const store = memoryStore()
    const { cache, clock } = scene({ store })
    await cache.set('keys', [{ column: SECRET }], { namespace: `session:${SECRET}` })
    await clock.advance('1s')
    const failing = cache.cached({ name: 'failing', asyncTimeout: 0 }, (_: { key: string }) => {
      throw new Error(SECRET)
    })
    await failing({ key: SECRET }, { actor: actor.agent({ sessionId: SECRET }) })
    await clock.advance('1s')
    const inspector = openInspector(store, { clock })
    const seen = [await inspector.list(), await inspector.stats(), await inspector.changes()]
    expect(seen[0]).toMatchObject({ entries: [{ status: 'failed' }, { valueBytes: 22 }] })
    expect(JSON.stringify(seen)).not.toContain(SECRET)
    expect(JSON.stringify(seen)).not.toContain('column')
  })

  it('counts each cache', async () => {
    const store = memoryStore()
    const { cache, clock } = scene({ store })
    await cache.set('a', [1, 2], { toolName: 'import' })
    await put(store, pending({ refId: refIdOf('other', 1), toolName: 'crawl' }))
    const stats = await openInspector(store, { clock }).stats()
    expect(stats.caches).toMatchObject([
      { cache: 'other', count: 1, byStatus: { pending: 1, complete: 0 }, byTool: [{ toolName: 'crawl' }] },
      { cache: 't', count: 1, valueBytes: 5 },
    ])
    expect(stats.store).toMatchObject({ entries: 2 })
  })

  it('tells what was created, changed and deleted, as it is now, also in caches that are new', async () => {
    const store = memoryStore()
    const inspector = openInspector(store, { clock: scene().clock })
    const [gone, changed] = [complete({ expiresAt: undefined }), pending()]
    for (const draft of [gone, changed]) await put(store, draft)
    const start = await inspector.changes()
    expect(start).toMatchObject({ isComplete: true, changed: [], deleted: [] })
    await store.delete(gone.refId)
    await store.update(next(changed), 1)
    await store.update(next(next(changed)), 2)
    const fresh = await put(store, complete({ refId: refIdOf('new', 1), expiresAt: undefined }))
    const told = await inspector.changes(start.cursor)
    expect(told.changed.map(({ refId }) => refId).sort()).toEqual([changed.refId, fresh.refId].sort())
    expect(told.deleted).toEqual([gone.refId])
    expect(await inspector.changes(told.cursor)).toMatchObject({ isComplete: true, changed: [], deleted: [] })
    await expect(inspector.changes('nonsense')).rejects.toThrow(/Begin again/)
  })

  it('asks all caches at once for what changed, and forgets one that is gone', async () => {
    const inner = memoryStore()
    await put(inner, complete({ refId: refIdOf('one', 1) }))
    await put(inner, complete({ refId: refIdOf('other', 1) }))
    const asked: string[] = []
    let gate = Promise.resolve()
    const changes: Store['changes'] = async (name, cursor, limit) => {
      asked.push(name)
      await gate
      return inner.changes(name, cursor, limit)
    }
    const inspector = openInspector(storeWith(inner, { changes }))
    const start = await inspector.changes()
    const open = deferred<void>()
    gate = open.promise
    asked.length = 0
    const looked = inspector.changes(start.cursor)
    await expect.poll(() => asked.length).toBe(2)
    open.resolve()
    await looked
    await inner.delete(refIdOf('other', 1))
    const gone = await inspector.changes(start.cursor)
    expect(gone.deleted).toEqual([refIdOf('other', 1)])
    const { cursor } = await inspector.changes(gone.cursor)
    asked.length = 0
    await inspector.changes(cursor)
    expect(asked).toEqual(['one'])
  })
})

describe('an inspector changes nothing', () => {
  it('leaves a task whose process is gone, and what has expired, as they are, however long it looks', async () => {
    const store = memoryStore()
    const { clock } = scene()
    const task = pending({ lease: { owner: 'host/1/gone/1', duration: 1 } })
    const expired = complete({ expiresAt: clock.now() })
    for (const draft of [task, expired]) await put(store, draft)
    const { cursor } = await store.changes('files', undefined, 10)
    const inspector = openInspector(store, { clock })
    for (let hour = 0; hour < 24; hour++) {
      await inspector.list()
      await inspector.entry(task.refId)
      await inspector.stats()
      await inspector.changes()
      await clock.advance('1h')
    }
    expect((await store.changes('files', cursor, 10)).changes).toEqual([])
    expect(await store.peek([task.refId])).toEqual([task])
    await expect(inspector.entry(expired.refId)).rejects.toThrow(
      expect.objectContaining({ code: 'not_found' }),
    )
  })

  it('asks a store for nothing but looks', async () => {
    const refused = () => Promise.reject(new Error('An inspector does not do this.'))
    const names = [
      'claim',
      'update',
      'delete',
      'stage',
      'clear',
      'prune',
      'time',
      'get',
      'read',
      'readSegment',
    ] as const
    const inner = memoryStore()
    const { refId } = await put(inner, pending())
    const store = storeWith(inner, {
      ...Object.fromEntries(names.map(name => [name, refused])),
      noteUse: () => expect.unreachable(),
    })
    const inspector = openInspector(store, { clock: scene().clock })
    const { cursor } = await inspector.changes()
    await Promise.all([inspector.list(), inspector.entry(refId), inspector.match('f'), inspector.stats()])
    await inspector.changes(cursor)
    await inspector.close()
  })

  it('leaves a SQLite file as it is, byte for byte, and its mode', async () => {
    const path = await closedFile(store => put(store, complete({ expiresAt: 1 })))
    const before = [digest(path), statSync(path).mode, statSync(path).mtimeMs]
    const inspector = openInspector(sqliteStore(path, { readOnly: true }))
    expect(await inspector.caches()).toEqual(['files'])
    expect(await inspector.list()).toEqual({ entries: [] })
    await inspector.stats()
    await inspector.changes((await inspector.changes()).cursor)
    await inspector.close()
    expect([digest(path), statSync(path).mode, statSync(path).mtimeMs]).toEqual(before)
  })

  it('makes no file, nor fills an empty one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-inspect-'))
    cleanUps.push(() => rmSync(folder, { recursive: true }))
    const missing = join(folder, 'deep', 'cache.db')
    await expect(openInspector(sqliteStore(missing, { readOnly: true })).caches()).rejects.toThrow(
      /nothing was kept there yet/,
    )
    expect(existsSync(join(folder, 'deep'))).toBe(false)
    const empty = join(folder, 'empty.db')
    writeFileSync(empty, '')
    await expect(openInspector(sqliteStore(empty, { readOnly: true })).caches()).rejects.toThrow(/is empty/)
    expect(readFileSync(empty)).toHaveLength(0)
  })
})

describe('a SQLite store that is open for reading', () => {
  it('refuses what would write, and sees at once what another process writes', async () => {
    const path = await closedFile()
    const [writer, reader] = [sqliteStore(path), sqliteStore(path, { readOnly: true })]
    cleanUps.push(() => Promise.all([writer.close(), reader.close()]))
    const draft = pending()
    await put(writer, draft)
    expect(await reader.get(draft.refId)).toEqual(draft)
    for (const write of [
      () => reader.claim(pending(), NOW),
      () => reader.update(next(draft), 1),
      () => reader.delete(draft.refId),
      () => reader.clear('files'),
      () => reader.prune(NOW, 1),
    ]) {
      await expect(write()).rejects.toThrow(/open for reading only/)
    }
    expect(await writer.get(draft.refId)).toEqual(draft)
  })

  it('goes on with the file that takes the place of another', async () => {
    const path = await closedFile()
    const reader = sqliteStore(path, { readOnly: true })
    cleanUps.push(() => reader.close())
    const { cursor } = await reader.changes('files', undefined, 10)
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
    const writer = sqliteStore(path)
    cleanUps.push(() => writer.close())
    const { refId } = await put(writer, complete())
    expect(await reader.get(refId)).toMatchObject({ refId })
    expect((await reader.changes('files', cursor, 10)).isComplete).toBe(false)
  })
})
