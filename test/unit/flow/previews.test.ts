import { afterEach, describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import type { CacheResponse } from '../../../src/core/response.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { sizeOf } from '../preview/values.ts'
import { scene } from './scene.ts'

const caches: RefCache[] = []
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

async function stored(value: JsonValue, maxSize = 300) {
  const { cache } = scene({ preview: { maxSize } })
  caches.push(cache)
  const { refId } = await cache.set('value', value)
  const get = (options = {}, fragment = '') => cache.get(refId + fragment, options) as Promise<CacheResponse>
  return { cache, refId, get }
}

const rows = (count: number) => Array.from({ length: count }, (_, id) => ({ id, name: `row ${id}` }))
const code = Array.from({ length: 300 }, (_, at) => `const value${at} = ${at}`).join('\n')

/** The part that a message proposes. */
const proposed = ({ message = '' }: CacheResponse) => /ref_id(#\S+)\.$/.exec(message)?.[1] ?? ''

describe('a preview', () => {
  it.each<[string, JsonValue, string]>([
    ['a list', rows(500), '#/'],
    ['a wrapper', { next: null, items: rows(500) }, '#/items/'],
    ['a text of lines', code, '#L'],
  ])('of %s names a part that it leaves out, which is there', async (_, value, begins) => {
    const { get } = await stored(value)
    const preview = await get()
    expect(preview.isComplete).toBe(false)
    expect(proposed(preview).slice(0, begins.length)).toBe(begins)
    expect(preview.message).toContain('page (1, 2, …)')
    expect((await get({}, proposed(preview))).status).toBe('complete')
  })

  it('never offers pages that are one', async () => {
    const value = { note: 'x '.repeat(120), list: rows(28) }
    const { get } = await stored(value)
    expect(sizeOf(value.list, 'token')).toBeLessThan(300)
    const preview = await get()
    expect(preview).toMatchObject({ isComplete: false, path: '/list' })
    expect(preview.message).not.toContain('page (')
    expect(preview.message).toContain('ref_id#')
  })

  it('of nine tenths of a value is the value, unless the caller set the budget', async () => {
    const value = rows(31)
    const size = sizeOf(value, 'token')
    const { get } = await stored(value, Math.ceil(size * 0.92))
    expect(await get()).toMatchObject({ isComplete: true, value })
    const asked = await get({ maxSize: Math.ceil(size * 0.92) })
    expect(asked.isComplete).toBe(false)
    const less = await stored(value, Math.floor(size * 0.85))
    expect((await less.get()).isComplete).toBe(false)
  })
})

describe('pages of a text', () => {
  it('say which lines they are, and together they are all', async () => {
    const { get } = await stored(code)
    let next = 1
    let text = ''
    for (let page = 1, total = 1; page <= total; page++) {
      const shown = await get({ page })
      const [first, last] = shown.lines ?? [0, 0]
      expect([first, shown.totalLines]).toEqual([next, 300])
      expect(String(shown.preview).replace(/\n$/, '').split('\n')).toHaveLength(last - first + 1)
      next = last + 1
      text += shown.preview
      total = shown.totalPages ?? 1
    }
    expect([next, text]).toEqual([301, code])
  })
})
