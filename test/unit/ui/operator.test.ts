import { describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { complete, refIdOf } from '../../../src/testing/store-drafts.ts'
import { storeWith } from '../flow/scene.ts'
import { jsonOf, operatorLooks, post, slowTool } from './looking.ts'

const SECRET = 'hunter2'
const WORDS = 'page 1 of 4'
const RECORDS = Array.from({ length: 1200 }, (_, id) => ({
  id,
  level: id % 4 === 0 ? 'warn' : 'info',
  text: '<img src=x onerror=alert(1)>',
}))

describe('an operator at the page', () => {
  it('sees what runs and how far it is, what waits, and what is stored', async () => {
    const { cache, clock, ask } = operatorLooks()
    await cache.set('numbers', [1, 2, 3], { actor: actor.user({ id: 'ada', sessionId: SECRET }) })
    const slow = slowTool(cache)
    const { refId } = await slow.call({})
    await clock.advance('10s')
    slow.report(1, 4, WORDS)
    await clock.advance('1s')
    expect(await jsonOf(ask('api/overview'))).toMatchObject({
      sight: 'operator',
      now: '2030-01-01T00:00:11.000Z',
      running: 1,
      waiting: 0,
      stored: 1,
      caches: ['t'],
      tools: ['slow'],
    })
    const { tasks } = await jsonOf(ask('api/tasks'))
    expect(tasks).toEqual([
      expect.objectContaining({
        ref: refId,
        cache: 't',
        status: 'processing',
        tool: 'slow',
        attempt: 1,
        progress: { current: 1, total: 4, percentage: 25, message: WORDS },
        etaSeconds: expect.any(Number),
        may: ['cancel', 'delete'],
      }),
    ])
    const listed = await (await ask('api/entries')).text()
    expect(JSON.parse(listed).entries).toHaveLength(2)
    expect(listed).toContain('user:ada')
    // Ids of sessions are in no list.
    expect(listed).not.toContain(SECRET)
    const detail = await jsonOf(ask(`api/entry?ref=${refId}`))
    expect(detail.row.progress).toMatchObject({ current: 1, message: WORDS })
    slow.end(1)
    await clock.advance('1s')
    // Of what has ended nothing is said in words before it is opened.
    expect(await (await ask('api/entries')).text()).not.toContain(WORDS)
  })

  it('pages through the list, and narrows it by tool, status and cache', async () => {
    const { cache, clock, ask } = operatorLooks()
    const double = cache.cached({ name: 'double' }, ({ n }: { n: number }) => 2 * n)
    const fail = cache.cached({ name: 'fail', maxRetries: 0 }, () => Promise.reject(new Error('no')))
    for (const n of [1, 2, 3]) {
      await double({ n })
      await clock.advance(1)
    }
    await fail({}).catch(() => {})
    const first = await jsonOf(ask('api/entries?limit=3'))
    expect(first.entries.map(({ tool }: { tool: string }) => tool)).toEqual(['fail', 'double', 'double'])
    const rest = await jsonOf(ask(`api/entries?limit=3&cursor=${first.nextCursor}`))
    expect(rest).toEqual({ entries: [expect.objectContaining({ tool: 'double' })] })
    expect((await jsonOf(ask('api/entries?tool=double'))).entries).toHaveLength(3)
    expect((await jsonOf(ask('api/entries?status=failed'))).entries).toEqual([
      expect.objectContaining({ tool: 'fail', errorCode: 'task_failed', may: ['retry', 'delete'] }),
    ])
    expect((await jsonOf(ask('api/entries?cache=other'))).entries).toEqual([])
    for (const wrong of [
      'status=done',
      'status=failed&status=done',
      'limit=0',
      'limit=x',
      'cursor=nonsense',
    ]) {
      expect((await ask(`api/entries?${wrong}`)).status).toBe(400)
    }
  })

  it('finds entries by a part of their tool, label or reference', async () => {
    const { cache, ask } = operatorLooks()
    const double = cache.cached({ name: 'double' }, ({ n }: { n: number }) => 2 * n)
    const { refId: made } = await double({ n: 1 })
    const { refId: labelled } = await cache.set('Double trouble', 1)
    await cache.set('other', 1)
    const found = async (text: string) => {
      const { entries } = await jsonOf(ask(`api/entries?find=${encodeURIComponent(text)}`))
      return entries.map(({ ref }: { ref: string }) => ref).sort()
    }
    expect(await found('doub')).toEqual([made, labelled].sort())
    expect(await found(labelled.slice(4, 20).toUpperCase())).toEqual([labelled])
    expect(await found('[a-z]*')).toEqual([])
    expect(await found('')).toHaveLength(3)
  })

  it('lists what has ended without what waits, each page full', async () => {
    const { cache, clock, ask } = operatorLooks({ maxConcurrentTasks: 1 })
    const refs: string[] = []
    for (let n = 0; n < 5; n++) {
      refs.unshift((await cache.set('stored', n)).refId)
      await clock.advance(1)
    }
    const waits = cache.cached(
      { name: 'waits', asyncTimeout: 0, memoize: false },
      () => new Promise(() => {}),
    )
    for (let n = 0; n < 30; n++) await waits({})
    const ended = 'api/entries?limit=2&status=complete&status=failed&status=cancelled'
    const found: string[] = []
    for (let cursor = ''; ; ) {
      const page = await jsonOf(ask(ended + cursor))
      found.push(...page.entries.map(({ ref }: { ref: string }) => ref))
      if (page.nextCursor === undefined) break
      expect(page.entries).toHaveLength(2)
      cursor = `&cursor=${page.nextCursor}`
    }
    expect(found).toEqual(refs)
    expect((await jsonOf(ask('api/entries?status=pending&status=processing'))).entries).toHaveLength(30)
  })

  it('sees what a value is, what its columns are like, and a page of it as a table', async () => {
    const { cache, ask } = operatorLooks()
    const { refId } = await cache.set('log', RECORDS)
    const text = await cache.set('text', 'one\ntwo\nthree')
    const number = await cache.set('number', 7)
    const { sizes } = await jsonOf(
      ask(
        `api/sizes?ref=${refId}&ref=${text.refId}&ref=${number.refId}&ref=nonsense&ref=t:${'0'.repeat(32)}`,
      ),
    )
    expect(sizes.map(({ kind }: { kind: string }) => kind)).toEqual([
      'list of 1,200 records',
      'text of 3 lines',
      'number',
    ])
    expect(sizes[0].tokens).toBeGreaterThan(10_000)
    const { tables } = await jsonOf(ask(`api/entry?ref=${refId}`))
    expect(tables).toEqual([{ name: 'items', rows: 1200, columns: expect.any(Array) }])
    expect(tables[0].columns).toMatchObject([
      { name: 'id', type: 'integer', missing: 0, least: 0, greatest: 1199 },
      {
        name: 'level',
        type: 'text',
        distinct: 2,
        frequent: [
          { value: 'info', share: 0.75 },
          { value: 'warn', share: 0.25 },
        ],
      },
      { name: 'text', frequent: [{ value: '<img src=x onerror=alert(1)>', share: 1 }] },
    ])
    const first = await jsonOf(ask(`api/value?ref=${refId}&page=1`))
    const page = await jsonOf(ask(`api/value?ref=${refId}&page=2`))
    expect(page).toMatchObject({ ref: refId, page: 2, totalPages: first.totalPages, totalItems: 1200 })
    expect(page.content.columns).toEqual(['id', 'level', 'text'])
    const { length } = first.content.rows
    expect(page.content.rows[0]).toEqual([length, expect.any(String), '<img src=x onerror=alert(1)>'])
    expect(page.tokens).toBeGreaterThan(100)
    const part = await jsonOf(ask(`api/value?ref=${encodeURIComponent(`${refId}#/3/level`)}`))
    expect(part.content).toEqual({ kind: 'text', text: 'info' })
    const lines = await jsonOf(ask(`api/value?ref=${encodeURIComponent(`${text.refId}#L2-L3`)}`))
    expect(lines.content).toEqual({ kind: 'text', text: 'two\nthree' })
  })

  it('tells no range of a column that is of numbers and of texts', async () => {
    const { cache, ask } = operatorLooks()
    const rows = ['b', 'x', '7'].map((mixed, n) => ({ mixed, text: `t${n}`, number: n === 0 ? '10' : n }))
    const { refId } = await cache.set('mixed', rows)
    const { tables } = await jsonOf(ask(`api/entry?ref=${refId}`))
    expect(tables[0].columns).toEqual([
      expect.not.objectContaining({ least: expect.anything() }),
      expect.objectContaining({ least: 't0', greatest: 't2' }),
      expect.objectContaining({ least: 1, greatest: 10 }),
    ])
  })

  it('is told that the store is away where it asks what values are', async () => {
    let isAway = false
    const inner = memoryStore()
    const peek: Store['peek'] = refIds =>
      isAway ? Promise.reject(new StoreUnavailable('away')) : inner.peek(refIds)
    const get: Store['get'] = (...args) =>
      isAway ? Promise.reject(new StoreUnavailable('away')) : inner.get(...args)
    const { cache, ask } = operatorLooks({ store: storeWith(inner, { peek, get }) })
    const { refId } = await cache.set('one', 1)
    expect((await jsonOf(ask(`api/sizes?ref=${refId}`))).sizes).toHaveLength(1)
    isAway = true
    expect((await ask(`api/sizes?ref=${refId}`)).status).toBe(503)
  })

  it('asks the store for the names of its caches once, however many values it opens', async () => {
    const inner = memoryStore()
    let asked = 0
    const caches: Store['caches'] = () => {
      asked++
      return inner.caches()
    }
    const { cache, ask } = operatorLooks({ store: storeWith(inner, { caches }) })
    const refs = await Promise.all([1, 2, 3, 4].map(async n => (await cache.set('one', n)).refId))
    const { sizes } = await jsonOf(ask(`api/sizes?${refs.map(ref => `ref=${ref}`).join('&')}`))
    expect([sizes.length, asked]).toEqual([4, 1])
  })

  it('counts all users of an entry, also more than have a link', async () => {
    const { cache, ask } = operatorLooks()
    const { refId } = await cache.set('hub', [1])
    const join = cache.cached(
      { name: 'join', memoize: false },
      ({ list }: { list: unknown[] }) => list.length,
    )
    for (let n = 0; n < 210; n++) await join({ list: refId as never })
    const { row, usedBy } = await jsonOf(ask(`api/entry?ref=${refId}`))
    expect([row.usedBy, usedBy.length]).toEqual([210, 200])
  })

  it('finds what lies far apart, reads whole pages for it, and goes on where it ended', async () => {
    const { cache, clock, ask } = operatorLooks()
    for (const kind of ['rare', 'rare', ...Array(40).fill('often'), 'rare', 'rare']) {
      await cache.set(kind, 1)
      await clock.advance(1)
    }
    const first = await jsonOf(ask('api/entries?find=rare&limit=3'))
    expect(first.entries).toHaveLength(3)
    const rest = await jsonOf(ask(`api/entries?find=rare&limit=3&cursor=${first.nextCursor}`))
    expect(rest.entries).toHaveLength(1)
    const refs = [...first.entries, ...rest.entries].map(({ ref }: { ref: string }) => ref)
    expect(new Set(refs).size).toBe(4)
  })

  it('is told that something was done, also where the store cannot say how it stands then', async () => {
    let isAway = false
    const inner = memoryStore()
    const peek: Store['peek'] = refIds =>
      isAway ? Promise.reject(new StoreUnavailable('away')) : inner.peek(refIds)
    const { cache, ask } = operatorLooks({ store: storeWith(inner, { peek }) })
    const { refId } = await slowTool(cache).call({})
    isAway = true
    const answer = await ask('api/cancel', post({ ref: refId }))
    expect([answer.status, await answer.json()]).toEqual([200, { message: 'Cancelled.' }])
  })

  it('gives what could be markup as JSON alone', async () => {
    const { cache, ask } = operatorLooks()
    const { refId } = await cache.set('<b>label</b>', '<img src=x onerror=alert(1)>')
    for (const route of ['entries', `entry?ref=${refId}`, `value?ref=${refId}`]) {
      const response = await ask(`api/${route}`)
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
      expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    }
  })

  it('searches a value, and is told of what cannot be asked', async () => {
    const { cache, ask } = operatorLooks()
    const { refId } = await cache.set('log', 'one\ntwo\nthree two')
    const found = await jsonOf(ask('api/query', post({ ref: refId, search: 'two', context: 0 })))
    expect(found.ref).not.toBe(refId)
    expect(JSON.stringify(found.content)).toContain('three two')
    expect(found.tokens).toBeGreaterThan(0)
    // The answer was made of it, and both say so.
    const { usedBy } = await jsonOf(ask(`api/entry?ref=${refId}`))
    expect(usedBy).toEqual([expect.objectContaining({ ref: found.ref, status: 'complete' })])
    const { uses } = await jsonOf(ask(`api/entry?ref=${found.ref}`))
    expect(uses).toEqual([expect.objectContaining({ ref: refId })])
    const { entries } = await jsonOf(ask('api/entries'))
    expect(entries.find(({ ref }: { ref: string }) => ref === refId).usedBy).toBe(1)
    for (const wrong of [{ ref: refId }, { ref: refId, sql: 'x', search: 'y' }, { search: 'y' }, 7]) {
      expect((await ask('api/query', post(wrong))).status).toBe(400)
    }
  })

  it('cancels, retries, answers and deletes, and is told what was done', async () => {
    const { cache, clock, ask } = operatorLooks()
    const slow = slowTool(cache)
    const { refId: ref } = await slow.call({})
    await clock.advance(0)
    expect(await jsonOf(ask('api/cancel', post({ ref })))).toEqual({
      message: 'Cancelled.',
      row: expect.objectContaining({ ref, status: 'cancelled', may: ['retry', 'delete'] }),
    })
    expect((await jsonOf(ask('api/retry', post({ ref })))).message).toMatch(/^Tried again/)
    slow.end('done')
    await clock.advance(0)
    expect((await jsonOf(ask('api/cancel', post({ ref })))).message).toMatch(/had ended before: complete/)

    const asks = cache.cached({ name: 'asks', asyncTimeout: 0, memoize: false }, (_: object, task) =>
      task.elicit({ message: 'Who?', requestedSchema: { type: 'object', properties: {} } }),
    )
    const asked = await asks({}, { interactive: true })
    await clock.advance('1s')
    const detail = await jsonOf(ask(`api/entry?ref=${asked.refId}`))
    expect(detail.row).toMatchObject({ questions: 1, may: ['cancel', 'delete', 'answer'] })
    const [key = ''] = Object.keys(detail.questions)
    expect(detail.questions[key]).toEqual({ message: 'Who?', schema: expect.any(Object) })
    const answers = { [key]: { action: 'accept', content: { name: 'ada' } } }
    expect((await jsonOf(ask('api/answer', post({ ref: asked.refId, answers })))).message).toMatch(/goes on/)
    await clock.advance('1s')
    expect((await jsonOf(ask(`api/value?ref=${asked.refId}`))).content.value).toMatchObject({
      content: { name: 'ada' },
    })

    expect(await jsonOf(ask('api/delete', post({ ref })))).toEqual({
      message: expect.stringMatching(/^Deleted/),
    })
    const again = await ask('api/delete', post({ ref }))
    expect(again.status).toBe(404)
    expect(await again.json()).toMatchObject({ code: 'not_found' })
  })

  it('is told why a task failed, and how its attempts went', async () => {
    const { cache, clock, ask } = operatorLooks()
    const fail = cache.cached({ name: 'fail', maxRetries: 1, retryDelay: '1s', asyncTimeout: 0 }, () =>
      Promise.reject(new Error(SECRET)),
    )
    const { refId } = await fail({})
    await clock.advance('10s')
    expect(await jsonOf(ask(`api/entry?ref=${refId}`))).toMatchObject({
      row: { status: 'failed', errorCode: 'task_failed', attempt: 2 },
      error: expect.stringContaining(SECRET),
      retryHistory: [
        { attempt: 1, code: 'task_failed', at: expect.stringMatching(/^2030-/) },
        expect.objectContaining({ attempt: 2 }),
      ],
    })
  })

  it('sees how long runs took, and what was saved hour by hour', async () => {
    const { cache, clock, store, ask } = operatorLooks()
    const slow = slowTool(cache)
    await slow.call({})
    await clock.advance('90s')
    slow.end(1)
    await clock.advance(0)
    await store.addSavings?.('t', clock.now() - 90_000, { keptOut: 500, pagedIn: 20, added: 30 })
    const { runs, savings } = await jsonOf(ask('api/history?hours=1'))
    expect(runs).toEqual([
      { tool: 'slow', at: '2030-01-01T00:01:30.000Z', milliseconds: 90_000, status: 'complete' },
    ])
    expect(savings).toEqual([
      { at: '2030-01-01T00:00:00.000Z', keptOut: 500, pagedIn: 20, added: 30, net: 450 },
    ])
    expect((await jsonOf(ask('api/overview'))).tokens).toMatchObject({ net: 450 })
    await clock.advance('2h')
    expect(await jsonOf(ask('api/history?hours=1'))).toEqual({ runs: [], savings: [] })
  })

  it('is told where the history of runs begins, if there are too many', async () => {
    const { store, clock, ask } = operatorLooks()
    for (let n = 0; n <= 2_000; n++) {
      const at = clock.now() + Math.min(n, 1) * 1_000
      const times = { createdAt: at, startedAt: at, completedAt: at }
      await store.claim(
        complete({ refId: refIdOf('t', n), toolName: 'quick', ...times, expiresAt: undefined }),
        at,
      )
    }
    const { runs, runsFrom } = await jsonOf(ask('api/history?hours=1'))
    expect([runs.length, runsFrom]).toEqual([2_000, '2030-01-01T00:00:01.000Z'])
    await clock.advance('2h')
    expect(await jsonOf(ask('api/history?hours=1'))).toEqual({ runs: [], savings: [] })
  })

  it('has no page laid out for nobody: a page far ahead takes minutes', async () => {
    const { cache, ask } = operatorLooks()
    const { refId } = await cache.set('long', 'text '.repeat(100_000))
    const gone = new AbortController()
    const get = vi.spyOn(cache, 'get')
    const answered = ask(`api/value?ref=${refId}&page=1000`, { signal: gone.signal })
    await vi.waitFor(() => expect(get).toHaveBeenCalled())
    const signal = get.mock.lastCall?.[1]?.signal
    expect(signal?.aborted).toBe(false)
    gone.abort()
    expect(signal?.aborted).toBe(true)
    await answered
  })

  it('opens no cache that the store does not have', async () => {
    const { ask } = operatorLooks()
    for (const ref of [`other:${'0'.repeat(32)}`, 'nonsense', '', `t:${'0'.repeat(32)}`]) {
      for (const route of [`entry?ref=${ref}`, `value?ref=${ref}`]) {
        expect((await ask(`api/${route}`)).status).toBe(404)
      }
      expect((await ask('api/cancel', post({ ref }))).status).toBe(404)
    }
  })
})
