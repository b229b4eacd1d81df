import { describe, expect, it } from 'vitest'
import { STORE_AWAY, StoreUnavailable, UnreadableValue } from '../../../src/core/errors.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { problemOf } from '../../../src/ui/server/http.ts'
import { storeWith } from '../flow/scene.ts'
import { operatorLooks, post } from './looking.ts'

const OWN = 'http://127.0.0.1:4000'

describe('every answer of the page', () => {
  it('forbids scripts, frames, copies and guesses', async () => {
    const { ask } = operatorLooks()
    for (const path of ['', 'page.js', 'api/overview', 'api/nonsense', 'api/events', 'x.png', 'deeper']) {
      const { headers } = await ask(path)
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('cache-control')).toBe('no-store')
      expect(headers.get('access-control-allow-origin')).toBeNull()
    }
  })

  it('is a file of the page by its name alone, or leads to where that lies', async () => {
    const { ask } = operatorLooks()
    expect(await (await ask('mounted/here/')).text()).toContain('<title>page</title>')
    expect((await ask('mounted/here/page.js')).headers.get('content-type')).toMatch(/^text\/javascript/)
    const moved = await ask('mounted/here')
    expect([moved.status, moved.headers.get('location')]).toEqual([308, './here/'])
    expect((await ask('mounted/here/../../package.json')).status).toBe(404)
    expect((await ask('constructor')).status).toBe(308)
    expect((await ask('', { method: 'POST' })).status).toBe(405)
  })
})

describe('what another web page asks for', () => {
  it.each([
    ['of another site', { 'sec-fetch-site': 'cross-site', origin: OWN }],
    ['of another port', { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:5000' }],
    ['of another origin, in an old browser', { origin: 'http://evil.example' }],
    ['of no origin', { origin: 'null' }],
  ])('is refused: a page %s', async (_, headers) => {
    const { cache, ask } = operatorLooks()
    const { refId: ref } = await cache.set('value', 1)
    const given = headers as unknown as Record<string, string>
    const init = { ...post({ ref }), headers: { 'content-type': 'application/json', ...given } }
    expect((await ask('api/delete', init)).status).toBe(403)
    expect((await ask('api/overview', { headers: given })).status).toBe(403)
    expect((await ask('api/events', { headers: given })).status).toBe(403)
    expect(await cache.exists(ref)).toBe(true)
  })

  it('is told apart from what the page itself asks for, and from who typed the address', async () => {
    const { cache, ask } = operatorLooks()
    const json = { 'content-type': 'application/json' }
    for (const headers of [
      { origin: OWN },
      { 'sec-fetch-site': 'same-origin', origin: 'https://proxied.example' },
    ]) {
      const { refId: ref } = await cache.set('value', 1)
      const init = { ...post({ ref }), headers: { ...json, ...headers } }
      expect((await ask('api/delete', init)).status).toBe(200)
    }
    expect((await ask('api/overview', { headers: { 'sec-fetch-site': 'none' } })).status).toBe(200)
    // What does not say where it comes from may look, and do nothing.
    expect((await ask('api/overview')).status).toBe(200)
    for (const headers of [json, { ...json, 'sec-fetch-site': 'none' }]) {
      expect((await ask('api/delete', { ...post({ ref: 'x' }), headers })).status).toBe(403)
    }
  })
})

describe('what is asked for', () => {
  it('has to be JSON, of a bounded size, by the right method', async () => {
    const { ask } = operatorLooks()
    const form = post({}, { 'content-type': 'application/x-www-form-urlencoded' })
    expect((await ask('api/delete', form)).status).toBe(415)
    expect((await ask('api/delete', post({}, { 'content-type': 'text/plain' }))).status).toBe(415)
    expect((await ask('api/delete', { ...post({}), body: '{' })).status).toBe(400)
    expect((await ask('api/delete', post({ ref: 'x'.repeat(1024 * 1024) }))).status).toBe(413)
    expect((await ask('api/overview', post({}))).status).toBe(404)
    expect((await ask('api/delete')).status).toBe(404)
    expect((await ask('api/constructor')).status).toBe(404)
    expect((await ask('api/constructor', post({}))).status).toBe(404)
    const many = Array.from({ length: 101 }, () => 'ref=x').join('&')
    expect((await ask(`api/sizes?${many}`)).status).toBe(400)
    for (const query of ['', 'ref=x&page=0', 'ref=x&page=one']) {
      expect([400, 404]).toContain((await ask(`api/value?${query}`)).status)
    }
  })

  it('fails in words that tell nothing of the inside', async () => {
    const secret = new Error('/home/ada/secret.db')
    const store = storeWith(memoryStore(), {
      caches: () => Promise.reject(new StoreUnavailable(secret.message, { cause: secret })),
      peek: () => Promise.reject(secret),
    })
    const { ask } = operatorLooks({ store })
    const away = await ask('api/overview')
    expect([away.status, await away.json()]).toEqual([
      503,
      { code: 'store_unavailable', message: STORE_AWAY },
    ])
    const damaged = new UnreadableValue('part 2 of /home/ada/secret.db')
    expect(problemOf(damaged).message).toBe(UnreadableValue.advice)
    expect(problemOf(secret).message).not.toContain('ada')
  })

  it('fails in the words of the store for whoever owns it', async () => {
    const words = 'The cache file /home/ada/app.db is damaged.'
    expect(problemOf(new StoreUnavailable(words), true)).toEqual({
      code: 'store_unavailable',
      message: words,
    })
    expect(problemOf(new Error(words), true).message).not.toContain('ada')
  })
})
