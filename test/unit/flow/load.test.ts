import { describe, expect, it, vi } from 'vitest'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { toErrorResult } from '../../../src/agent/wire.ts'
import { StoreUnavailable, ValueTooLarge } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { scene } from './scene.ts'

const list = (length: number) => Array.from({ length }, (_, id) => ({ id, name: `user ${id}` }))

describe('many readers of one value', () => {
  it('read it from the store once, however many ask at the same time', async () => {
    const store = memoryStore()
    const read = vi.spyOn(store, 'read')
    const { cache } = scene({ store })
    const { refId } = await cache.set('v', list(5_000))
    const polls = Array.from({ length: 20 }, (_, n) => cache.get(refId, n % 2 ? { page: 2 } : {}))
    const answers = await Promise.all(polls)
    expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(2)
    expect(read).toHaveBeenCalledTimes(1)
  })

  it('do not share what they are handed', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', list(5_000))
    const [a, b] = (await Promise.all([cache.get(refId), cache.get(refId)])) as Array<{ preview: unknown[] }>
    a?.preview.splice(0)
    expect(b?.preview.length).toBeGreaterThan(0)
    expect(((await cache.get(refId)) as { preview: unknown[] }).preview.length).toBeGreaterThan(0)
  })

  it('are refused the whole of it, when it is too large, without reading it', async () => {
    const store = memoryStore()
    const read = vi.spyOn(store, 'read')
    const { cache } = scene({ store, fullLimitBytes: 100 })
    const { refId } = await cache.set('v', list(100))
    await expect(cache.get(refId, { full: true })).rejects.toThrow(ValueTooLarge)
    expect(read).not.toHaveBeenCalled()
  })

  it('cannot ask for more pages than anybody reads', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', Array(150_000).fill(1))
    await expect(cache.get(refId, { page: 150_000, maxSize: 3 })).rejects.toThrow(/100000 pages.*max_size/)
    expect(await cache.get(refId, { page: 150_000, pageSize: 1 })).toMatchObject({ preview: [1] })
    expect(await cache.get(refId, { page: 1, pageSize: 100 })).toMatchObject({ totalPages: 1_500 })
  })

  it('learn its size with the status, if they may read it', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', 'abc', { policy: AccessPolicy.executeOnly })
    expect(await cache.taskStatus(refId, { actor: 'user' })).toMatchObject({ valueBytes: 5 })
    expect(await cache.taskStatus(refId)).not.toHaveProperty('valueBytes')
  })
})

describe('a store that fails', () => {
  it('is not described to strangers: paths and hosts are for its operator', async () => {
    const store = memoryStore()
    const { cache, clock } = scene({ store })
    const away = new StoreUnavailable('The file /home/alice/cache.db is damaged.')
    expect(JSON.stringify(toErrorResult(away))).not.toContain('alice')
    const tool = cache.cached({ name: 'nested', asyncTimeout: 0 }, () => Promise.reject(away))
    const { refId } = await tool({})
    await clock.advance(0)
    const answer = await cache.get(refId)
    expect(answer).toMatchObject({ status: 'failed', errorCode: 'store_unavailable' })
    expect(JSON.stringify(answer)).not.toContain('alice')
  })
})
