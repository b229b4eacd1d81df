import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import type { JsonValue } from '../../../src/core/json.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { deferred, scene } from './scene.ts'

const caches: RefCache[] = []
function open(options?: Parameters<typeof scene>[0]) {
  const made = scene(options)
  caches.push(made.cache)
  return made.cache
}
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

const echo = (cache: RefCache, options: object = {}) =>
  cache.cached({ name: 'echo', replace: true, ...options }, (args: JsonValue) => args)

const agent = actor.agent({ id: 'claude-1' })
const useOnly = AccessPolicy.executeOnly
const document = {
  items: [
    { id: 1, body: 'one\ntwo\nthree' },
    { id: 2, body: 'x' },
  ],
  count: 2,
}

describe('a part of a reference', () => {
  it('is read with get and resolve, under the name that was asked for', async () => {
    const cache = open()
    const { refId } = await cache.set('document', document)
    const part = `${refId}#/items/1`
    expect(await cache.get(part)).toMatchObject({
      refId: part,
      status: 'complete',
      isComplete: true,
      value: { id: 2, body: 'x' },
    })
    expect(await cache.resolve(part)).toEqual({ id: 2, body: 'x' })
    expect(await cache.resolve(`${refId}#/items/0/body`)).toBe('one\ntwo\nthree')
    const text = await cache.set('text', 'a\nb\nc\n')
    expect(await cache.resolve(`${text.refId}#L2-L3`)).toBe('b\nc')
    expect(await cache.get(`${text.refId}#L2`)).toMatchObject({ value: 'b' })
  })

  it('previews, pages and is given in full like a value of its own', async () => {
    const cache = open({ preview: { maxSize: 50 } })
    const rows = Array.from({ length: 200 }, (_, id) => ({ id, name: `row ${id}` }))
    const { refId } = await cache.set('document', { rows, other: 'x'.repeat(2_000_000) })
    const part = `${refId}#/rows`
    expect(await cache.get(part)).toMatchObject({ refId: part, isComplete: false, totalItems: 200 })
    const together: JsonValue[] = []
    for (let page = 1, total = 1; page <= total; page++) {
      const answer = await cache.get(part, { page, maxSize: 500 })
      if (answer.status !== 'complete') throw new Error(answer.status)
      total = answer.totalPages ?? 1
      together.push(...(answer.preview as JsonValue[]))
    }
    expect(together).toEqual(rows)
    expect(await cache.get(part, { full: true })).toMatchObject({ value: rows, isComplete: true })
    await expect(cache.get(`${refId}#/other`, { full: true })).rejects.toMatchObject({
      code: 'value_too_large',
    })
  })

  it('stands in an argument for what the schema wants', async () => {
    const cache = open()
    const { refId } = await cache.set('document', document)
    const input = z.object({
      text: z.string(),
      json: z.string(),
      record: z.object({ id: z.number(), body: z.string() }),
      count: z.number(),
      list: z.array(z.unknown()),
      line: z.string(),
    })
    const body = await cache.set('body', document.items[0]!.body)
    const given = {
      text: `${refId}#/items/0/body`,
      json: `${refId}#/items/1`,
      record: `${refId}#/items/1`,
      count: `${refId}#/count`,
      list: `${refId}#/items`,
      line: `${body.refId}#L2`,
    }
    expect(await echo(cache, { input })(given as never)).toMatchObject({
      value: {
        text: 'one\ntwo\nthree',
        json: '{"id":2,"body":"x"}',
        record: { id: 2, body: 'x' },
        count: 2,
        list: document.items,
        line: 'two',
      },
    })
  })

  it('of JSON that came as a text is JSON, with the digits of the text', async () => {
    const cache = open()
    const { refId } = await cache.set('text', '{"rows": [{"n": 1.50, "big": 12345678901234567890}]}')
    const input = z.object({ row: z.string(), rows: z.array(z.object({ n: z.number() }).loose()) })
    const answer = await echo(cache, { input })({ row: `${refId}#/rows/0`, rows: `${refId}#/rows` } as never)
    expect(answer).toMatchObject({
      value: { row: '{"n":1.50,"big":12345678901234567890}', rows: [{ n: 1.5 }] },
    })
  })

  it('is used beside the whole and beside other parts of it, each where it stands', async () => {
    const cache = open()
    const { refId } = await cache.set('list', [[1], [2]])
    const answer = await echo(cache)({
      all: refId,
      one: `${refId}#/0`,
      two: [`${refId}#/1/0`, `${refId}#/0`],
    })
    expect(answer).toMatchObject({ value: { all: [[1], [2]], one: [1], two: [2, [1]] } })
  })

  it('may be of a value that is still computed', async () => {
    const cache = open()
    const { promise, resolve } = deferred<JsonValue>()
    const slow = cache.cached({ name: 'slow', asyncTimeout: 0 }, () => promise)
    const { refId } = await slow({})
    const part = `${refId}#/items/1/id`
    expect(await cache.get(part)).toMatchObject({ refId: part, isComplete: false })
    const call = echo(cache)({ id: part })
    resolve(document)
    expect(await call).toMatchObject({ value: { id: 2 } })
  })

  it('that leads nowhere, or names none, is a coded error at once', async () => {
    const cache = open()
    const { refId } = await cache.set('document', document)
    const fragments = [
      '#/items/9',
      '#/items/-1',
      '#/__proto__',
      '#/constructor',
      '#L1',
      '#L1-L1000000000',
      '#items',
      `#/${'x'.repeat(1_000_000)}`,
      '#/0'.repeat(10_000),
      `#${'/0'.repeat(10_000)}`,
    ]
    for (const fragment of fragments) {
      const code = { code: 'invalid_argument' }
      await expect(cache.get(refId + fragment)).rejects.toMatchObject(code)
      await expect(cache.resolve(refId + fragment)).rejects.toMatchObject(code)
      await expect(echo(cache)({ a: refId + fragment })).rejects.toMatchObject(code)
    }
    await expect(cache.get(`${refId}#/items/9`)).rejects.toThrow(
      /#\/items, is a list with the positions 0 to 1/,
    )
  })

  it('that reads like one, and is none, passes as it is', async () => {
    const cache = open()
    const texts = ['https://example.com/a#L10', `md5:${'a'.repeat(32)}#/a`, 't:abc#/a', '#/items']
    expect(await echo(cache)({ texts })).toMatchObject({ value: { texts } })
  })

  it('of another cache on the same store is refused like the whole', async () => {
    const cache = open({ name: 'one' })
    const other = open({ name: 'two' })
    const { refId } = await other.set('x', document)
    await expect(cache.get(`${refId}#/items`)).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('a part of a private value', () => {
  it('is authorized like the whole', async () => {
    const cache = open()
    const { refId } = await cache.set('secret', document, { policy: useOnly })
    const denied = { code: 'permission_denied' }
    for (const part of ['#/count', '#/none', '#L1']) {
      await expect(cache.get(refId + part, { actor: agent })).rejects.toMatchObject(denied)
      await expect(cache.resolve(refId + part, { actor: agent })).rejects.toMatchObject(denied)
    }
    const hidden = await cache.set('hidden', document, {
      policy: AccessPolicy.userOnly,
    })
    for (const part of ['#/count', '#/none', '#L1']) {
      await expect(cache.get(hidden.refId + part, { actor: agent })).rejects.toMatchObject({
        code: 'not_found',
      })
      await expect(echo(cache)({ a: hidden.refId + part }, { actor: agent })).rejects.toMatchObject({
        code: 'not_found',
      })
    }
  })

  it('guards what is made with it', async () => {
    const cache = open()
    const { refId } = await cache.set('secret', document, { policy: useOnly })
    const answer = await echo(cache)({ body: `${refId}#/items/0/body` }, { actor: agent })
    expect(answer).toMatchObject({ status: 'complete', isComplete: false })
    expect(JSON.stringify(answer)).not.toContain('three')
    await expect(cache.get(answer.refId, { actor: agent })).rejects.toMatchObject({
      code: 'permission_denied',
    })
    expect(await cache.resolve(answer.refId, { actor: actor.system() })).toEqual({ body: 'one\ntwo\nthree' })
  })

  it('that is not there tells nothing of what is', async () => {
    const cache = open()
    const { refId } = await cache.set('secret', document, { policy: useOnly })
    const told = await echo(cache)({ a: `${refId}#/items/0/secret` }, { actor: agent }).catch(String)
    expect(JSON.stringify(told)).not.toMatch(/items|body|list/)
  })
})
