import { describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { AuditEvent } from '../../../src/access/audit.ts'
import { Permission } from '../../../src/access/permission.ts'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import type { CacheEvent } from '../../../src/core/events.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { CallOptions } from '../../../src/flow/call/options.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { countingStore } from '../../counting-store.ts'
import { deferred } from './scene.ts'

const LATE = { claim: 'late', memoize: false } satisfies CallOptions
const ada = actor.user({ id: 'ada' })

/** A cache, and another process on the same store that answers polls. */
function scene(options: RefCacheOptions = {}) {
  const clock = new FakeClock()
  const medium = memoryStore()
  const { store, during } = countingStore(medium)
  const cache = new RefCache({ name: 't', clock, store, ...options })
  const elsewhere = new RefCache({ name: 't', clock, store: medium })
  return { clock, medium, store, during, cache, elsewhere }
}

/** A tool whose handler the test ends. */
function gated(cache: RefCache, options: { asyncTimeout?: `${number}s`; maxRetries?: number } = {}) {
  const gate = deferred()
  const handler = vi.fn((_: { n: number }, _task: TaskContext): Promise<unknown> => gate.promise)
  return { tool: cache.cached({ name: 'slow', ...options }, handler), handler, ...gate }
}

async function entriesOf(cache: RefCache) {
  return (await cache.list()).entries
}

describe('a quick call that nobody could share or come back for', () => {
  it('costs the store nothing, and says that there is no entry', async () => {
    const { cache, during } = scene()
    const tool = cache.cached({ name: 'quick' }, () => ['a'])
    const { operations, outcome } = await during(() => tool({}, LATE))
    expect(outcome).toMatchObject({ status: 'complete', value: ['a'], isUnstored: true })
    expect(operations).toEqual([])
    expect(await entriesOf(cache)).toEqual([])
  })

  it('costs nothing more where it reports progress, fails, or uses values that its caller may see', async () => {
    const { cache, during } = scene()
    const { refId } = await cache.set('rows', [1, 2])
    const tool = cache.cached({ name: 'sum' }, (_: { rows: unknown }, task) => {
      task.progress(1, 2)
      return 3
    })
    expect((await during(() => tool({ rows: refId }, LATE))).operations).toEqual(['get', 'read'])
    const broken = cache.cached({ name: 'broken' }, () => {
      throw new Error('no such file')
    })
    const { operations } = await during(() => expect(broken({}, LATE)).rejects.toThrow('no such file'))
    expect(operations).toEqual([])
  })

  it('is written into audit and events like any other, without a reference', async () => {
    const recorded: AuditEvent[] = []
    const { cache } = scene({ audit: { write: event => recorded.push(event) } })
    const heard: CacheEvent[] = []
    for (const type of ['task:started', 'task:settled'] as const) cache.on(type, event => heard.push(event))
    const tool = cache.cached({ name: 'quick' }, () => ['a'])
    await tool({}, { ...LATE, actor: ada })
    expect(recorded).toMatchObject([{ action: 'call', verdict: 'allowed', toolName: 'quick' }])
    expect(heard.map(({ type }) => type)).toEqual(['task:started', 'task:settled'])
    for (const told of [...recorded, ...heard]) expect(told).not.toHaveProperty('refId')
  })

  it('is shared by identical calls of a tool that only reads, without asking the store', async () => {
    const { cache, during } = scene()
    const gate = deferred()
    const handler = vi.fn(() => gate.promise)
    const tool = cache.cached({ name: 'read', readOnly: true }, handler)
    const { operations, outcome } = await during(async () => {
      const calls = [tool({}, LATE), tool({}, LATE)]
      await new Promise(resolve => setImmediate(resolve))
      gate.resolve('read')
      const answers = await Promise.all(calls)
      await tool({}, LATE)
      return answers
    })
    expect(outcome).toMatchObject([{ value: 'read' }, { value: 'read' }])
    // The third call came after the answers.
    expect(handler).toHaveBeenCalledTimes(2)
    expect(operations).toEqual([])
  })

  it('is found by an identical call where its answer was not delivered', async () => {
    const { cache, during } = scene()
    const handler = vi.fn(() => 'read')
    const tool = cache.cached({ name: 'read', readOnly: true }, handler)
    const { refId } = await tool({}, LATE)
    cache.notDelivered(refId)
    const { outcome, operations } = await during(() => tool({}, LATE))
    expect(outcome).toMatchObject({ value: 'read', cachedAt: expect.any(Date) })
    expect(operations).toEqual([])
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('leaves nothing where its client turned it away', async () => {
    const { cache, clock, during } = scene()
    const { tool, resolve } = gated(cache)
    const caller = new AbortController()
    const { operations } = await during(async () => {
      const call = tool({ n: 1 }, { ...LATE, signal: caller.signal, cancelsWork: true })
      await clock.advance(10)
      caller.abort()
      await call
      resolve('too late')
      await clock.advance('10s')
    })
    expect(operations.filter(name => name !== 'prune' && name !== 'list')).toEqual([])
  })
})

describe('the entry is claimed when it is first needed', () => {
  it('when the work has run for a second', async () => {
    const { cache, clock, elsewhere } = scene()
    const { tool, resolve } = gated(cache)
    const call = tool({ n: 1 }, LATE)
    await clock.advance(900)
    expect(await entriesOf(elsewhere)).toEqual([])
    await clock.advance(200)
    const [entry] = await entriesOf(elsewhere)
    expect(entry).toMatchObject({ status: 'processing', attempt: 1 })
    resolve('done')
    const answer = await call
    expect(answer).toMatchObject({ value: 'done', refId: entry?.refId })
    expect(answer.isUnstored).toBeUndefined()
    expect(await elsewhere.get(answer.refId)).toMatchObject({ value: 'done' })
  })

  it('when the soft timeout passes, before the handle is given', async () => {
    const { cache, clock, elsewhere } = scene()
    const { tool, resolve } = gated(cache, { asyncTimeout: '0.5s' })
    const call = tool({ n: 1 }, LATE)
    await clock.advance(500)
    const { refId, status } = await call
    expect(status).toBe('processing')
    expect(await elsewhere.get(refId)).toMatchObject({ status: 'processing' })
    resolve('done')
    await clock.advance(10)
    expect(await elsewhere.get(refId)).toMatchObject({ value: 'done' })
  })

  it('when a caller is gone, which may come back', async () => {
    const { cache, clock, elsewhere } = scene()
    const { tool } = gated(cache)
    const caller = new AbortController()
    const call = tool({ n: 1 }, { ...LATE, signal: caller.signal })
    await clock.advance(10)
    caller.abort(new Error('the connection was lost'))
    const { refId } = await call
    expect(await elsewhere.get(refId)).toMatchObject({ status: 'processing' })
  })

  it('when the result is too large to pass whole', async () => {
    const { cache, elsewhere } = scene()
    const tool = cache.cached({ name: 'many', preview: { maxSize: 50 } }, () => [...Array(500).keys()])
    const answer = await tool({}, LATE)
    expect(answer).toMatchObject({ isComplete: false, preview: expect.anything() })
    expect(answer.isUnstored).toBeUndefined()
    expect(await elsewhere.get(answer.refId, { page: 2 })).toMatchObject({ page: 2 })
  })

  it('when the handler asks', async () => {
    const { cache, clock, elsewhere } = scene()
    const tool = cache.cached({ name: 'ask' }, async (_: object, task) => {
      const { action } = await task.elicit({
        message: 'Sure?',
        requestedSchema: { type: 'object', properties: {} },
      } as never)
      return action
    })
    const call = tool({}, { ...LATE, interactive: true, actor: ada })
    await clock.advance(10)
    const { refId, inputRequests } = (await call) as { refId: string; inputRequests?: object }
    const [key = ''] = Object.keys(inputRequests ?? {})
    await elsewhere.answerTask(refId, { [key]: { action: 'accept', content: {} } }, { actor: ada })
    await clock.advance('3s')
    expect(await elsewhere.get(refId, { actor: ada })).toMatchObject({ value: 'accept' })
  })

  it('when the handler reads its reference', async () => {
    const { cache, clock, elsewhere } = scene()
    const told = deferred<string>()
    const gate = deferred()
    const tool = cache.cached({ name: 'tells' }, (_: object, task) => {
      told.resolve(task.refId)
      return gate.promise
    })
    const call = tool({}, LATE)
    const refId = await told.promise
    await clock.advance(1)
    expect(await elsewhere.get(refId)).toMatchObject({ status: 'processing' })
    gate.resolve('done')
    const answer = await call
    expect(answer.refId).toBe(refId)
    expect(answer.isUnstored).toBeUndefined()
  })

  it('before a second attempt, with the attempts and errors so far', async () => {
    const { cache, clock, elsewhere } = scene()
    let runs = 0
    const tool = cache.cached({ name: 'flaky', maxRetries: 2, retryDelay: '10s' }, () => {
      if (++runs === 1) throw new Error('busy')
      return 'done'
    })
    const call = tool({}, LATE)
    await clock.advance(1)
    const [{ refId } = { refId: '' }] = await entriesOf(elsewhere)
    expect(await elsewhere.get(refId, { responseFormat: 'full' })).toMatchObject({
      status: 'pending',
      retryHistory: [{ attempt: 1, error: { message: 'busy' } }],
    })
    await clock.advance('30s')
    expect(await call).toMatchObject({ value: 'done', refId })
    expect(runs).toBe(2)
  })

  it('before the handler starts, where a guard shows up while its references are filled', async () => {
    const { cache, elsewhere } = scene()
    const secret = await cache.set('secret', 'x', {
      policy: { user: Permission.EXECUTE, agent: Permission.EXECUTE },
    })
    const { refId } = await cache.set('outer', { of: secret.refId })
    const seen: unknown[] = []
    const tool = cache.cached({ name: 'deep', resolveRefs: 'deep' }, async (_: { of: unknown }) => {
      seen.push((await entriesOf(elsewhere)).map(({ toolName, status }) => ({ toolName, status })))
      return 'x'
    })
    const answer = await tool({ of: refId }, { ...LATE, actor: ada })
    expect(seen).toEqual([expect.arrayContaining([{ toolName: 'deep', status: 'processing' }])])
    expect(answer).toMatchObject({ isComplete: false })
    expect(answer.isUnstored).toBeUndefined()
  })
})

describe('the entry is claimed before the work starts', () => {
  it.each<[string, CallOptions]>([
    ['by the library, unless told otherwise', { memoize: false }],
    ['where the call is memoized', { claim: 'late', memoize: true }],
    ['where it answers with a handle at once', { ...LATE, asyncTimeout: 0 }],
    ['where its caller may not see the result', { ...LATE, policy: { agent: Permission.EXECUTE } }],
  ])('%s', async (_, options) => {
    const { cache, clock, elsewhere } = scene()
    const tool = cache.cached({ name: 'quick' }, () => ['a'])
    const { refId } = await tool({}, options)
    await clock.advance(1)
    expect((await elsewhere.taskStatus(refId)).status).toBe('complete')
  })

  it('where there is a guard on its input', async () => {
    const { cache, elsewhere } = scene()
    const { refId } = await cache.set('secret', 'x', { policy: { agent: Permission.EXECUTE } })
    const tool = cache.cached({ name: 'use' }, (_: { of: string }) => 'x')
    const answer = await tool({ of: refId }, LATE)
    expect(await elsewhere.exists(answer.refId)).toBe(true)
  })
})

describe('while the store is away', () => {
  function away() {
    const parts = scene()
    const claim = vi.spyOn(parts.medium, 'claim').mockRejectedValue(new StoreUnavailable('away'))
    return { ...parts, back: () => claim.mockRestore() }
  }

  it('a small result passes, although its claim was tried', async () => {
    const { cache, clock } = away()
    const { tool, resolve, handler } = gated(cache)
    const call = tool({ n: 1 }, LATE)
    await clock.advance('20s')
    resolve('done')
    await clock.advance(1)
    expect(await call).toMatchObject({ value: 'done', isUnstored: true })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('a larger one answers its preview, and says that the rest was not kept', async () => {
    const { cache } = away()
    const handler = vi.fn(() => [...Array(500).keys()])
    const tool = cache.cached({ name: 'many', preview: { maxSize: 50 } }, handler)
    expect(await tool({}, LATE)).toMatchObject({
      isComplete: false,
      preview: expect.anything(),
      errorCode: 'store_unavailable',
      isUnstored: true,
    })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('the claim is tried again, and the handle given when it is stored', async () => {
    const { cache, clock, elsewhere, back } = away()
    const { tool, resolve, handler } = gated(cache, { asyncTimeout: '5s' })
    const call = tool({ n: 1 }, LATE)
    await clock.advance('20s')
    back()
    await clock.advance('10s')
    const { refId, status } = await call
    expect(status).toBe('processing')
    resolve('done')
    await clock.advance(1)
    expect(await elsewhere.get(refId)).toMatchObject({ value: 'done' })
    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('an entry whose claim was stored though its answer was lost is found stored', async () => {
    const { cache, clock, medium, elsewhere } = scene()
    const claim = medium.claim.bind(medium)
    vi.spyOn(medium, 'claim').mockImplementationOnce(async (...args) => {
      await claim(...args)
      throw new StoreUnavailable('the answer was lost')
    })
    const { tool, resolve } = gated(cache)
    const call = tool({ n: 1 }, LATE)
    await clock.advance('5s')
    resolve('done')
    await clock.advance(1)
    const { refId } = await call
    expect(await elsewhere.get(refId)).toMatchObject({ value: 'done' })
  })
})
