import { describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { ADAPTERS } from '../../../src/ref-cache-adapters.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { scene } from './scene.ts'

const mallory = { actor: actor.agent({ id: 'mallory' }) }

const ACTS: Record<string, (cache: RefCache, refId: string) => Promise<unknown>> = {
  get: (cache, refId) => cache.get(refId, mallory),
  status: (cache, refId) => cache.taskStatus(refId, mallory),
  info: (cache, refId) => cache[ADAPTERS].taskInfo(refId, mallory),
  resolve: (cache, refId) => cache.resolve(refId, mallory),
  exists: (cache, refId) => cache.exists(refId, mallory),
  cancel: (cache, refId) => cache.cancelTask(refId, mallory),
  retry: (cache, refId) => cache.retryTask(refId, mallory),
  answer: (cache, refId) => cache.answerTask(refId, {}, mallory),
  delete: (cache, refId) => cache.delete(refId, mallory),
  call: (cache, refId) => cache.cached({ name: 'tool', replace: true }, () => 1)({ refId } as never, mallory),
}

describe('a refusal does the same work whether or not the entry is there', () => {
  /** Lookups that found something and that did not, checks of rights, and records, of one refusal. */
  async function work(kind: string, act: string, asked: number) {
    const store = memoryStore()
    const check = vi.fn(() => ({ allowed: false, rule: 'role' as const }))
    const write = vi.fn()
    const { cache, clock } = scene({ store, permissionChecker: { check }, audit: { write } })
    const entries = [await cache.set('v', 1), await cache.set('v', 1, { ttl: '1s' })]
    await clock.advance('2s')
    const refIds: Record<string, string | undefined> = {
      missing: `t:${'1'.repeat(32)}`,
      forbidden: entries[0]?.refId,
      expired: entries[1]?.refId,
    }
    const once = () => ACTS[act]?.(cache, refIds[kind] ?? '').catch((error: { code: string }) => error.code)
    // What a process has seen before makes no difference from the first refusal of an entry on.
    await cache.get(entries[0]?.refId ?? '', mallory).catch(() => {})
    for (let n = 1; n < asked; n++) await once()
    const get = vi.spyOn(store, 'get')
    check.mockClear()
    write.mockClear()
    const answer = await once()
    const found = (await Promise.all(get.mock.results.map(({ value }) => value))).map(entry => !!entry)
    return { answer, found: found.sort(), checks: check.mock.calls.length, records: write.mock.calls.length }
  }

  for (const act of Object.keys(ACTS)) {
    it(act, async () => {
      const missing = await work('missing', act, 1)
      expect(missing.found).toEqual([false, true])
      expect([false, 'not_found']).toContain(missing.answer)
      for (const kind of ['missing', 'forbidden', 'expired']) {
        for (const asked of [1, 3]) expect(await work(kind, act, asked), kind).toEqual(missing)
      }
    })
  }

  it('asks the store no more than that for what is allowed, or is no reference', async () => {
    const store = memoryStore()
    const { cache } = scene({ store })
    const { refId } = await cache.set('v', 1)
    const get = vi.spyOn(store, 'get')
    await cache.get(refId)
    expect(get).toHaveBeenCalledTimes(1)
    await cache.get('nonsense').catch(() => {})
    expect(get).toHaveBeenCalledTimes(1)
  })
})
