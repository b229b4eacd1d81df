import { describe, expect, it, onTestFinished } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { EntryInfo } from '../../../src/core/entry-info.ts'
import type { RefId } from '../../../src/core/ref.ts'
import type { ListOptions } from '../../../src/flow/operate/inspect.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { deferred, scene } from './scene.ts'

function open(options: RefCacheOptions = {}) {
  const opened = scene(options)
  onTestFinished(() => opened.cache.close())
  return opened
}

async function fill(cache: RefCache, count: number, options: Parameters<RefCache['set']>[2] = {}) {
  const refIds: string[] = []
  for (let n = 0; n < count; n++) refIds.push((await cache.set(`label ${n}`, n, options)).refId)
  return refIds.sort()
}

async function walk(cache: RefCache, options: ListOptions, between?: (last: RefId) => Promise<unknown>) {
  const pages: (readonly EntryInfo[])[] = []
  for (let cursor: string | undefined; ; ) {
    const { entries, nextCursor } = await cache.list({ ...options, cursor })
    pages.push(entries)
    if (nextCursor === undefined) return pages
    cursor = nextCursor
    await between?.(entries.at(-1)?.refId ?? '')
  }
}

const refIdsOf = (entries: readonly EntryInfo[]) => entries.map(({ refId }) => refId)
const invalid = expect.objectContaining({ code: 'invalid_argument' })

describe('list', () => {
  it('gives every entry once, page by page, the newest first, beyond what one batch of the store holds', async () => {
    const { cache, clock } = open()
    const refIds: string[] = []
    for (let n = 0; n < 1_234; n++) {
      refIds.unshift((await cache.set('label', n)).refId)
      clock.jump(1)
    }
    const pages = await walk(cache, { limit: 100 })
    expect(pages.flatMap(refIdsOf)).toEqual(refIds)
    expect(pages.map(page => page.length)).toEqual([...Array(12).fill(100), 34])
  })

  it('has no page after the last entry', async () => {
    const { cache } = open()
    await fill(cache, 6)
    expect((await walk(cache, { limit: 3 })).map(page => page.length)).toEqual([3, 3])
  })

  it('keeps its place when the entry at the cursor goes', async () => {
    const { cache } = open()
    const refIds = await fill(cache, 9)
    const pages = await walk(cache, { limit: 3 }, last => cache.delete(last, { actor: actor.system() }))
    expect(pages.flatMap(refIdsOf)).toEqual(refIds.reverse())
  })

  it('gives the entries of its own cache only', async () => {
    const store = memoryStore()
    const { cache } = open({ store })
    const { cache: other } = open({ store, name: 't2' })
    const [refId] = await fill(cache, 1)
    await fill(other, 1)
    expect(refIdsOf((await cache.list()).entries)).toEqual([refId])
  })

  it('filters by namespace, tool and status, also together', async () => {
    const { cache } = open()
    const work = deferred()
    const slow = cache.cached({ name: 'slow', asyncTimeout: 0 }, () => work.promise)
    const running = (await slow({})).refId
    const [made] = await fill(cache, 1, { toolName: 'slow' })
    const [hers] = await fill(cache, 1, { toolName: 'slow', namespace: 'user:alice' })
    await fill(cache, 1)
    const found = async (options: ListOptions) => refIdsOf((await cache.list(options)).entries)
    expect(await found({ namespace: 'user:alice' })).toEqual([hers])
    expect(await found({ namespace: 'user:ali' })).toEqual([])
    expect(await found({ toolName: 'slow' })).toEqual([running, made, hers].sort().reverse())
    expect(await found({ toolName: 'slow', namespace: 'public', statuses: ['complete'] })).toEqual([made])
    expect(await found({ statuses: ['pending', 'processing'] })).toEqual([running])
    expect(await found({ statuses: [] })).toEqual([])
    expect(await found({})).toHaveLength(4)
    work.resolve(1)
  })

  it('filters by age, and each entry is either older or newer than a time', async () => {
    const { cache, clock } = open()
    const [old] = await fill(cache, 1)
    await clock.advance('1m')
    const [young] = await fill(cache, 1)
    const found = async (options: ListOptions) => refIdsOf((await cache.list(options)).entries)
    expect(await found({ olderThan: '1m' })).toEqual([old])
    expect(await found({ newerThan: '1m' })).toEqual([young])
    expect(await found({ olderThan: 60_001 })).toEqual([])
    expect(await found({ newerThan: 60_001, olderThan: 1 })).toEqual([old])
  })

  it('looks at so many entries a call and no more, whatever its filter leaves', async () => {
    const { cache } = open({ store: memoryStore({ maxEntries: 20_000 }) })
    await fill(cache, 10_050)
    const [wanted] = await fill(cache, 1, { toolName: 'rare' })
    const pages = await walk(cache, { toolName: 'rare' })
    expect(pages).toHaveLength(2)
    expect(pages.flatMap(refIdsOf)).toEqual([wanted])
  })

  it.each([
    [{ limit: 0 }],
    [{ limit: 1_001 }],
    [{ limit: 1.5 }],
    [{ cursor: '' }],
    [{ cursor: 'A'.repeat(37) }],
    [{ cursor: 'A'.repeat(38) }],
    [{ cursor: `${'A'.repeat(37)}*` }],
    [{ cursor: `t:${'0'.repeat(32)}` }],
    [{ namespace: 'everybody' }],
    [{ namespace: 'session::nonsense' }],
    [{ olderThan: 'long' as '1s' }],
    [{ newerThan: -1 }],
    [{ statuses: ['done' as 'complete'] }],
  ])('refuses %j', async options => {
    const { cache } = open()
    await expect(cache.list(options)).rejects.toEqual(invalid)
  })
})

describe('what an operator sees', () => {
  const SECRET = 'hunter2'

  it('is the life of an entry, and never a value, an input, a word of a handler or the id of a session', async () => {
    const { cache, clock } = open()
    const session = { namespace: `session:${SECRET}`, actor: { type: 'agent', sessionId: SECRET } } as const
    await cache.set('keys', [SECRET], { namespace: `user:bob:session:${SECRET}` })
    const work = deferred()
    const slow = cache.cached({ name: 'slow', asyncTimeout: 0 }, (_: { key: string }, task) => {
      task.progress(1, 4, SECRET)
      return work.promise
    })
    const { refId } = await slow({ key: SECRET }, session)
    const failing = cache.cached({ name: 'failing', asyncTimeout: 0 }, (_: { key: string }) => {
      throw new Error(SECRET)
    })
    const failed = await failing({ key: SECRET }, session)
    await clock.advance('1s')

    const page = await cache.list()
    expect(page.entries).toHaveLength(3)
    expect(JSON.stringify([page, await cache.stats()])).not.toContain(SECRET)
    expect(await cache.inspect(refId)).toEqual({
      refId,
      status: 'processing',
      toolName: 'slow',
      namespace: expect.stringMatching(/^session::[0-9a-f]{16}$/),
      policy: { user: 31, agent: 17 },
      createdAt: new Date(clock.now() - 1_000),
      startedAt: expect.any(Date),
      attempt: 1,
      progress: { current: 1, total: 4, percentage: 25 },
    })
    expect(await cache.inspect(failed.refId)).toMatchObject({ status: 'failed', errorCode: 'task_failed' })
    const [kept] = page.entries.filter(({ label }) => label === 'keys')
    expect(kept).toMatchObject({
      status: 'complete',
      namespace: expect.stringMatching(/^user:bob:session::[0-9a-f]{16}$/),
      valueBytes: JSON.stringify([SECRET]).length,
      completedAt: kept?.createdAt,
      expiresAt: new Date(kept!.createdAt.getTime() + 3_600_000),
    })
    work.resolve(1)
  })

  it('tells sessions apart, and names one in a filter', async () => {
    const { cache } = open()
    const [one] = await fill(cache, 1, { namespace: 'session:one' })
    const [two] = await fill(cache, 1, { namespace: 'session:two' })
    const [of] = await fill(cache, 1, { namespace: 'user:session:session:one' })
    const shown = async (refId: string) => (await cache.inspect(refId)).namespace
    const [first, second, third] = [await shown(one!), await shown(two!), await shown(of!)]
    expect(first).not.toBe(second)
    expect(third).toBe(`user:session:${first}`)
    for (const [namespace, refId] of [
      [first, one],
      [second, two],
      [third, of],
      ['session:two', two],
    ] as const) {
      expect(refIdsOf((await cache.list({ namespace })).entries)).toEqual([refId])
      expect((await cache.stats({ namespace })).count).toBe(1)
    }
  })

  it('ends with the entry, whether or not it was swept', async () => {
    const store = memoryStore()
    const { cache, clock } = open({ store })
    const [refId] = await fill(cache, 1, { ttl: '1s' })
    await clock.advance('1s')
    expect(await store.list({ cacheName: 't' })).toHaveLength(1)
    expect(await cache.list()).toEqual({ entries: [] })
    expect((await cache.stats()).count).toBe(0)
    const notFound = expect.objectContaining({ code: 'not_found' })
    await expect(cache.inspect(refId!)).rejects.toEqual(notFound)
    await expect(cache.inspect('not one')).rejects.toEqual(notFound)
  })
})

describe('stats', () => {
  it('count by status and by tool, whatever tools are called, and know the oldest', async () => {
    const { cache, clock } = open()
    const [first] = await fill(cache, 1, { toolName: '__proto__' })
    await clock.advance('1s')
    await cache.set('text', 'abc', { toolName: 'a' })
    await cache.set('list', [1, 2], { toolName: 'a' })
    const work = deferred()
    await cache.cached({ name: 'slow', asyncTimeout: 0 }, () => work.promise)({})
    await clock.advance(0)
    await cache.set('plain', true, { namespace: 'user:alice' })
    expect(await cache.stats()).toEqual({
      count: 5,
      abandonedRuns: 0,
      byStatus: { pending: 0, processing: 1, complete: 4, failed: 0, cancelled: 0 },
      byTool: expect.arrayContaining([
        { toolName: '__proto__', count: 1, valueBytes: 1 },
        { toolName: 'slow', count: 1, valueBytes: 0 },
        { count: 1, valueBytes: 4 },
      ]),
      valueBytes: 15,
      store: { entries: 5, bytes: expect.any(Number), maxEntries: 10_000, maxBytes: 512 * 1024 * 1024 },
      oldest: expect.objectContaining({ refId: first }),
    })
    expect((await cache.stats()).byTool[0]).toEqual({ toolName: 'a', count: 2, valueBytes: 10 })
    expect(await cache.stats({ namespace: 'user:alice' })).toMatchObject({ count: 1, byTool: [{ count: 1 }] })
    await expect(cache.stats({ namespace: 'nobody' })).rejects.toEqual(invalid)
    work.resolve(1)
  })

  it('let others have their turn while they count', async () => {
    const { cache } = open()
    await fill(cache, 5_100)
    let turns = 0
    let counting = true
    const turn = () => {
      turns += 1
      if (counting) setImmediate(turn)
    }
    setImmediate(turn)
    const { count } = await cache.stats()
    counting = false
    expect(count).toBe(5_100)
    expect(turns).toBeGreaterThanOrEqual(2)
  })
})
