import { afterEach, describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { scene } from './scene.ts'

const caches: RefCache[] = []
function open(options?: Parameters<typeof scene>[0]) {
  const { cache } = scene(options)
  caches.push(cache)
  return cache
}
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

const agent = actor.agent({ id: 'claude-1' })
const log = Array.from(
  { length: 35_000 },
  (_, at) => `${at % 1_000 === 311 ? 'ERROR' : 'info'} line ${at}`,
).join('\n')

describe('cache.query with search', () => {
  it('answers with an entry that pages, and a hit for the same question', async () => {
    const cache = open()
    const { refId } = await cache.set('log', log)
    const found = await cache.query(refId, { search: 'ERROR', maxSize: 2_000 })
    if (found.status !== 'complete' || !found.isComplete) throw new Error(found.status)
    expect(found.value).toMatchObject({ matched: 35, lines: 35_000 })
    const { matches } = found.value as { matches: string[] }
    expect(matches[0]).toBe('312: ERROR line 311')
    // Positions are parts.
    expect(await cache.resolve(`${refId}#L312`)).toBe('ERROR line 311')
    expect(await cache.resolve(`${found.refId}#/matched`)).toBe(35)
    expect((await cache.query(refId, { search: 'ERROR', maxSize: 2_000 })).refId).toBe(found.refId)
    expect((await cache.query(refId, { search: 'ERROR', context: 1 })).refId).not.toBe(found.refId)
    const page = await cache.get(found.refId, { page: 1, pageSize: 10 })
    expect(page).toMatchObject({ path: '/matches', page: 1, totalPages: 4 })
  })

  it('searches large values, parts, and text that came with structured content', async () => {
    const cache = open()
    const rows = Array.from({ length: 60_000 }, (_, id) => ({ id, name: `row ${id}` }))
    const { refId } = await cache.set('rows', rows)
    expect(await cache.query(refId, { search: 'row 59999' })).toMatchObject({
      value: { matched: 1, items: 60_000, matches: ['/59999: {"id":59999,"name":"row 59999"}'] },
    })
    expect(await cache.query(`${refId}#/5`, { search: 'row' })).toMatchObject({
      value: { matches: ['/name: row 5'] },
    })
  })

  it('needs READ, and takes one question', async () => {
    const cache = open()
    const { refId } = await cache.set('secret', log, { policy: AccessPolicy.executeOnly })
    await expect(cache.query(refId, { search: 'ERROR', actor: agent })).rejects.toMatchObject({
      code: 'permission_denied',
    })
    const wrong = [
      {},
      { search: 'a', sql: 'select 1' },
      { search: 'a', tables: {} },
      { sql: 'select 1', context: 1 },
      { search: 'a', context: -1 },
      { search: '/(/' },
    ]
    for (const options of wrong) {
      await expect(cache.query(refId, options), JSON.stringify(options)).rejects.toMatchObject({
        code: 'invalid_argument',
      })
    }
  })
})
