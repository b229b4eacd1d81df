import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { STORE_AWAY, StoreUnavailable } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { storeWith } from '../flow/scene.ts'
import { actorsLook, operatorLooks, type Parsed, slowTool } from './looking.ts'

interface Event {
  readonly event: string
  readonly data: Parsed
}

/** Takes what a stream sends. */
async function listen(response: Response) {
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  const heard = { events: [] as Event[], text: '', isOver: false }
  const take = async () => {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      const text = decoder.decode(value)
      heard.text += text
      const data = /^data: (.*)$/m.exec(text)?.[1]
      if (data === undefined) continue
      const event = /^event: (.*)$/m.exec(text)?.[1] ?? ''
      heard.events.push({ event, data: JSON.parse(data) })
    }
    heard.isOver = true
  }
  void take()
  return { heard, end: () => reader.cancel() }
}

describe('the events of the page', () => {
  it('end at once for a reader that is gone already', async () => {
    const { streams, ask } = operatorLooks()
    const response = await ask('api/events', { signal: AbortSignal.abort() })
    expect(streams.size).toBe(0)
    const { heard } = await listen(response)
    await expect.poll(() => heard.isOver).toBe(true)
  })

  it('begin with how all stands, and tell what changed, several changes as one', async () => {
    const { cache, clock, ask } = operatorLooks()
    await cache.set('first', 1)
    const { heard } = await listen(await ask('api/events'))
    await clock.advance('1s')
    expect(heard.events).toEqual([
      { event: 'reset', data: expect.objectContaining({ stored: 1, running: 0 }) },
    ])
    const slow = slowTool(cache)
    const { refId } = await slow.call({})
    const gone = await cache.set('gone', 1)
    await cache.delete(gone.refId)
    await clock.advance('300ms')
    expect(heard.events).toHaveLength(2)
    expect(heard.events[1]).toMatchObject({
      event: 'changes',
      data: { changed: [{ ref: refId, status: 'processing' }], deleted: [gone.refId] },
    })
    // Ten reports a second are at most four events.
    const before = heard.events.length
    for (let current = 1; current <= 20; current++) {
      slow.report(current, 20, 'x')
      await clock.advance('100ms')
    }
    const count = heard.events.length - before
    expect(count).toBeGreaterThanOrEqual(4)
    expect(count).toBeLessThanOrEqual(8)
    expect(heard.events.at(-1)?.data.changed[0].progress).toMatchObject({ current: expect.any(Number) })
    slow.end(1)
    await clock.advance('2s')
    expect(heard.events.at(-1)?.data.overview).toMatchObject({ running: 0, stored: 2 })
  })

  it('tell how much is stored after the last change too, once that is counted', async () => {
    const { cache, clock, ask } = operatorLooks()
    const { heard } = await listen(await ask('api/events'))
    await clock.advance('2s')
    for (const name of ['one', 'two', 'three']) {
      await cache.set(name, 1)
      await clock.advance('300ms')
    }
    // The second and the third one came before it was time to count again.
    expect(heard.events.at(-1)?.data).toMatchObject({ changed: [{}], overview: { areCountsOld: true } })
    await clock.advance('2s')
    const last = heard.events.at(-1)?.data
    expect(last).toMatchObject({ changed: [], deleted: [], overview: { stored: 3 } })
    expect(last.overview.areCountsOld).toBeUndefined()
    const before = heard.events.length
    await clock.advance('10s')
    expect(heard.events).toHaveLength(before)
  })

  it('tell a page once that much changes, and then no more than every other second', async () => {
    const { cache, clock, ask } = operatorLooks()
    const pages = [await listen(await ask('api/events')), await listen(await ask('api/events'))]
    await clock.advance('3s')
    for (let tenth = 0; tenth < 60; tenth++) {
      await Promise.all(Array.from({ length: 100 }, (_, n) => cache.set('many', [tenth, n])))
      await clock.advance('100ms')
    }
    for (const { heard } of pages) {
      const during = heard.events.slice(1).map(({ event }) => event)
      expect(during.length).toBeLessThanOrEqual(4)
      expect(new Set(during)).toEqual(new Set(['reset']))
    }
    await clock.advance('2s')
    for (const { heard } of pages) expect(heard.events.at(-1)?.data).toMatchObject({ stored: 6_000 })
    const { refId } = await cache.set('one', 1)
    await clock.advance('600ms')
    for (const { heard } of pages) {
      expect(heard.events.at(-1)).toMatchObject({ event: 'changes', data: { changed: [{ ref: refId }] } })
    }
  })

  it('look at the store once for all pages of one who looks', async () => {
    let looks = 0
    const inner = memoryStore()
    const changes: typeof inner.changes = (...args) => {
      looks++
      return inner.changes(...args)
    }
    const { cache, clock, as } = actorsLook(() => actor.user('ada'), { store: storeWith(inner, { changes }) })
    const pages = await Promise.all(Array.from({ length: 8 }, async () => listen(await as('')('api/events'))))
    await clock.advance('1s')
    looks = 0
    await clock.advance('3s')
    expect(looks).toBeLessThanOrEqual(10)
    await cache.set('own', 1, { actor: actor.user('ada') })
    await clock.advance('600ms')
    for (const { heard } of pages) expect(heard.events.at(-1)?.event).toBe('changes')
  })

  it('say that an entry has a user more, or less', async () => {
    const known = { ada: actor.user('ada') }
    const { cache, clock, as } = actorsLook(() => known.ada)
    const { refId } = await cache.set('log', 'one\ntwo', { actor: known.ada })
    const { heard } = await listen(await as('')('api/events'))
    await clock.advance('1s')
    const answer = await cache.query(refId, { search: 'two', actor: known.ada })
    await clock.advance('600ms')
    const told = () =>
      heard.events.flatMap(({ data }) => data.changed ?? []).filter(({ ref }) => ref === refId)
    expect(told()).toEqual([expect.objectContaining({ usedBy: 1 })])
    await cache.delete(answer.refId)
    await clock.advance('600ms')
    expect(told().slice(1)).toEqual([expect.not.objectContaining({ usedBy: expect.anything() })])
  })

  it('do not wait for the count of a large store, and tell it once it is there', async () => {
    let endCount = () => {}
    const inner = memoryStore()
    const store = storeWith(inner, {
      count: async (...args) => {
        await new Promise<void>(resolve => {
          endCount = resolve
        })
        return inner.count(...args)
      },
    })
    const { cache, clock, ask } = operatorLooks({ store })
    await cache.set('first', 1)
    const slow = slowTool(cache)
    await slow.call({})
    const { heard } = await listen(await ask('api/events'))
    await clock.advance('200ms')
    expect(heard.events[0]).toMatchObject({ event: 'reset', data: { running: 1 } })
    expect(heard.events[0]?.data).not.toHaveProperty('stored')
    await clock.advance('3s')
    expect(heard.events).toHaveLength(1)
    endCount()
    await clock.advance('1s')
    expect(heard.events.slice(1)).toMatchObject([
      { data: { changed: [], overview: { stored: 1, running: 1 } } },
    ])
    // It took three seconds: for a minute from now the numbers may be old, but for what is under way.
    await cache.set('second', 1)
    slow.end(1)
    await clock.advance('2s')
    expect(heard.events.at(-1)?.data.overview).toMatchObject({ stored: 1, running: 0 })
  })

  it('say now and then that they live, and look at nothing once nobody listens', async () => {
    const { clock, streams, ask } = operatorLooks()
    const idle = clock.pending
    const { heard, end } = await listen(await ask('api/events'))
    await clock.advance('16s')
    expect(heard.text).toMatch(/: alive\n\n$/)
    await end()
    await clock.advance('1s')
    expect([streams.size, clock.pending]).toEqual([0, idle])
  })

  it('keep nothing for a reader that does not read, and tell it the rest when it does', async () => {
    let looks = 0
    const inner = memoryStore()
    const store = storeWith(inner, {
      changes: (...args) => {
        looks++
        return inner.changes(...args)
      },
    })
    const { cache, clock, ask } = operatorLooks({ store })
    const response = await ask('api/events')
    await clock.advance('1s')
    // Each change is told with a row of some size, until the reader's share is full.
    for (let n = 0; n < 40; n++) {
      await Promise.all(Array.from({ length: 50 }, () => cache.set('x'.repeat(100), n)))
      await clock.advance('300ms')
    }
    const stalled = looks
    await clock.advance('30s')
    expect(looks).toBe(stalled)
    const { heard } = await listen(response)
    await clock.advance('2s')
    expect(looks).toBeGreaterThan(stalled)
    expect(heard.text.length).toBeLessThan(300 * 1024)
    expect(heard.events.at(-1)?.data.overview?.stored ?? heard.events.at(-1)?.data.stored).toBe(2_000)
  })

  it('are bounded in number, and end with the server', async () => {
    const { streams, ask } = operatorLooks({ limits: { all: 3, each: 2 } })
    const { heard } = await listen(await ask('api/events'))
    await ask('api/events')
    expect((await ask('api/events')).status).toBe(503)
    streams.close()
    await new Promise(resolve => setImmediate(resolve))
    expect([heard.isOver, streams.size]).toEqual([true, 0])
    expect((await ask('api/events')).status).toBe(503)
  })

  it('say that the store is away, and begin anew when it is back', async () => {
    let isAway = false
    const inner = memoryStore()
    const store = storeWith(inner, {
      caches: () => (isAway ? Promise.reject(new StoreUnavailable('gone')) : inner.caches()),
    })
    const { cache, clock, ask } = operatorLooks({ store })
    const { heard } = await listen(await ask('api/events'))
    await clock.advance('1s')
    isAway = true
    await cache.set('meanwhile', 1)
    await clock.advance('5s')
    expect(heard.events.slice(1)).toEqual([
      { event: 'problem', data: { code: 'store_unavailable', message: STORE_AWAY } },
    ])
    isAway = false
    await clock.advance('5s')
    expect(heard.events[2]).toMatchObject({ event: 'reset', data: { stored: 1 } })
  })

  it('tell an actor of its own entries alone: not what others do, nor that they do anything', async () => {
    const known = { ada: actor.user('ada'), bob: actor.user('bob') }
    const { cache, clock, as } = actorsLook(({ headers }) => known[headers.get('who') as 'ada' | 'bob'])
    const own = await cache.set('own', 1, { actor: known.ada })
    const other = await cache.set('other', 1, { actor: known.bob })
    const { heard } = await listen(await as('ada')('api/events'))
    await clock.advance('1s')
    expect(heard.events).toEqual([
      { event: 'reset', data: expect.objectContaining({ sight: 'actor', stored: 1 }) },
    ])
    const told = heard.text
    // More than a store remembers of its changes.
    for (let n = 0; n < 2_500; n++) await cache.set('flood', n, { actor: known.bob })
    await clock.advance('2s')
    await cache.delete(other.refId)
    await clock.advance('2s')
    expect(heard.text).toBe(told)
    const more = await cache.set('more', 1, { actor: known.ada })
    await clock.advance('300ms')
    await cache.delete(own.refId)
    await clock.advance('300ms')
    expect(
      heard.events.slice(1).map(({ event, data }) => [event, data.changed.length, data.deleted]),
    ).toEqual([
      ['changes', 1, []],
      ['changes', 0, [own.refId]],
    ])
    expect(heard.events[1]?.data.changed[0].ref).toBe(more.refId)
    expect(heard.text).not.toMatch(/^id:/m)
  })

  it.each([
    ['is signed out', () => undefined],
    ['is somebody else by now', () => actor.user('bob')],
    ['cannot be told', () => Promise.reject(new Error('the directory is away'))],
  ])('end within a minute when who listens %s', async (_, later) => {
    const ada = actor.user('ada')
    let isIn = true
    const { cache, clock, as } = actorsLook(() => (isIn ? ada : later()))
    const { heard } = await listen(await as('ada')('api/events'))
    await clock.advance('5m')
    expect(heard.isOver).toBe(false)
    isIn = false
    await clock.advance('61s')
    const told = heard.text
    await cache.set('secret', 1, { actor: ada })
    await clock.advance('5m')
    expect(heard).toMatchObject({ isOver: true, text: told })
  })

  it('tell an actor what changed while the store forgot what others did', async () => {
    const ada = actor.user('ada')
    const { cache, clock, as } = actorsLook(() => ada, { store: memoryStore({ maxEntries: 100_000 }) })
    const own = await cache.set('own', 1, { actor: ada })
    // Farther back than is looked at the next time.
    await cache.set('old', 1, { actor: ada })
    await clock.advance(1)
    const { heard } = await listen(await as('ada')('api/events'))
    await clock.advance('1s')
    for (let n = 0; n < 20_000; n++) await cache.set('flood', n)
    await clock.advance(1)
    const late = await cache.set('late', 1, { actor: ada })
    await cache.delete(own.refId)
    for (let n = 0; n < 2_500; n++) await cache.set('flood', n)
    await clock.advance('300ms')
    // It has to look at all that there is.
    await expect.poll(() => heard.events.length).toBe(2)
    expect(heard.events.slice(1)).toMatchObject([
      { event: 'changes', data: { changed: [{ ref: late.refId }], deleted: [own.refId] } },
    ])
  })
})
