import { afterEach, expect, it } from 'vitest'
import type { RefCache } from '../../../src/ref-cache.ts'
import { scene } from './scene.ts'

const caches: RefCache[] = []
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

it('a far page of a large value is laid out no longer than its reader waits, and others go on from there', async () => {
  const { cache } = scene()
  caches.push(cache)
  const rows = Array.from({ length: 30_000 }, (_, id) => ({ id, note: `note ${id} of many` }))
  const { refId } = await cache.set('rows', rows)
  const left = new AbortController()
  const far = cache.get(refId, { page: 90_000, maxSize: 8, signal: left.signal })
  const waiting = new AbortController()
  const behind = cache.get(refId, { page: 80_000, maxSize: 8, signal: waiting.signal })
  for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
  waiting.abort(new Error('not needed'))
  left.abort(new Error('hung up'))
  await expect(far).rejects.toThrow('hung up')
  await expect(behind).rejects.toThrow('not needed')
  const page = await cache.get(refId, { page: 3, maxSize: 8 })
  const { cache: other } = scene()
  caches.push(other)
  const same = await other.get((await other.set('rows', rows)).refId, { page: 3, maxSize: 8 })
  expect(page).toMatchObject({ preview: 'preview' in same ? same.preview : undefined, page: 3 })
  // Who had gone before gets what there is.
  const gone = AbortSignal.abort()
  expect(await cache.get(refId, { page: 2, maxSize: 8, signal: gone })).toMatchObject({ page: 2 })
})
