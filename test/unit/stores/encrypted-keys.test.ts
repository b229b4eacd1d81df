import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { InvalidArgument, StoreUnavailable } from '../../../src/core/errors.ts'
import { type EncryptedStoreOptions, type KeyRing, keysFromEnv } from '../../../src/stores/encrypted.ts'
import { bytesOf, complete, NOW, pending, put } from '../../../src/testing/store-drafts.ts'
import { NEW, OLD, scene } from './encrypted-scene.ts'

const on = scene()

const [A, B] = [randomBytes(32), randomBytes(32)]
const read = (text: string | undefined) => keysFromEnv('KEYS', { KEYS: text })

describe('keys from the environment', () => {
  it('are the current one first, and the previous ones behind it', async () => {
    const keys = read(` 2026-11:${A.toString('base64')} ,\n2026-05:${B.toString('base64url')}\n`)
    expect(await keys()).toEqual({ id: '2026-11', key: Uint8Array.from(A) })
    expect(await keys('2026-11')).toEqual(await keys())
    expect(await keys('2026-05')).toEqual({ id: '2026-05', key: Uint8Array.from(B) })
    expect(await keys('2025-11')).toBeUndefined()
  })

  it('are read once, and not shown', () => {
    const env: Record<string, string> = { KEYS: `a:${A.toString('base64')}` }
    const keys = keysFromEnv('KEYS', env)
    delete env.KEYS
    expect(keys()).toBeDefined()
    expect(inspect(keys, { showHidden: true, depth: 5 })).not.toContain(A.toString('base64'))
  })

  it.each([undefined, '', '  '])('that are not set (%j) are asked for', text => {
    expect(() => read(text)).toThrow(/KEYS is not set\. .*openssl rand -base64 32/)
  })

  const key = A.toString('base64')
  it.each([
    ['no id', key],
    ['an empty id', `:${key}`],
    ['the key in place of the id', `${key}:current`],
    ['two keys and no id', `${key}:${B.toString('base64')}`],
    ['two unpadded keys and no id', `${A.toString('base64url')}:${B.toString('base64url')}`],
    ['an id that is too long', `${'swordfish'.repeat(4)}:${key}`],
    ['no key', 'swordfish:'],
    ['a key in hex', `a:${A.toString('hex')}`],
    ['a key that is too short', `a:${A.subarray(1).toString('base64')}`],
    ['a key that is too long', `a:${Buffer.concat([A, B]).toString('base64')}`],
    ['a word', 'a:swordfish'],
    ['something behind the key', `a:${key}:swordfish`],
    ['a comma too many', `a:${key},`],
    ['a semicolon between keys', `a:${key};b:${key}`],
    ['the same id twice', `swordfish:${key},swordfish:${B.toString('base64')}`],
  ])('with %s are refused, and not repeated', (_, text) => {
    const error = thrownBy(() => read(text))
    expect(error).toBeInstanceOf(InvalidArgument)
    const shown = inspect(error, { depth: 5, showHidden: true })
    for (const secret of [
      A.toString('base64url'),
      key,
      B.toString('base64'),
      A.toString('hex'),
      'swordfish',
    ]) {
      expect(shown).not.toContain(secret.slice(0, 9))
    }
  })

  it('say which of them is malformed', () => {
    expect(() => read(`a:${key},b:${key.slice(1)}`)).toThrow(/Key 2 of KEYS is malformed/)
  })
})

describe('a callback for keys', () => {
  it('is asked for the current key at each write, and for others once', async () => {
    const asked: Array<string | undefined> = []
    const ring = [NEW, OLD]
    const source = on.over(async id => {
      asked.push(id)
      return id === undefined ? ring[0] : ring.find(key => key.id === id)
    })
    const old = [complete(), complete()]
    for (const draft of old) await put(on.store, draft)
    for (const draft of old) expect(await source.get(draft.refId)).toEqual(draft)
    expect(asked).toEqual([OLD.id])
    await put(source, complete())
    ring.reverse()
    const draft = complete()
    await put(source, draft)
    expect(asked).toEqual([OLD.id, undefined, undefined])
    expect(await on.over({ current: OLD }).get(draft.refId)).toEqual(draft)
  })

  it.each<[string, EncryptedStoreOptions['keys']]>([
    ['gives none', () => undefined],
    ['fails', () => Promise.reject(new Error('the vault is sealed'))],
    [
      'throws',
      () => {
        throw new Error('the vault is sealed')
      },
    ],
    ['gives something else', () => ({ id: 'a', key: new Uint8Array(16) })],
  ])('that %s makes the store unavailable', async (_, keys) => {
    await expect(on.over(keys).claim(complete(), NOW)).rejects.toThrow(StoreUnavailable)
    expect(await on.inner.list({ cacheName: 'files' })).toEqual([])
  })

  it('that gives a key of another id is not believed', async () => {
    const draft = complete()
    await put(on.store, draft)
    await expect(on.over(() => NEW).get(draft.refId)).rejects.toThrow(/callback for encryption keys failed/)
  })
})

describe('keys as an object', () => {
  const bad = (keys: unknown) => () => on.over(keys as KeyRing)

  it('that are malformed are refused at once, without being shown', () => {
    const secret = 'swordfish'
    const cases = [
      { current: { id: '', key: OLD.key } },
      { current: { id: secret.repeat(4), key: OLD.key } },
      { current: { id: `${secret}/`, key: OLD.key } },
      { current: { id: 'a', key: secret } },
      { current: { id: 'a', key: bytesOf(secret) } },
      { current: { id: 'a', key: OLD.key }, previous: [{ id: 'a', key: NEW.key }] },
      { current: undefined },
    ]
    for (const keys of cases) {
      expect(bad(keys)).toThrow(InvalidArgument)
      expect(bad(keys)).toThrow(expect.not.objectContaining({ message: expect.stringContaining(secret) }))
    }
  })

  it('are copied, and cannot be seen in the store', async () => {
    const key = randomBytes(32)
    const copy = Buffer.from(key)
    const opened = on.over({ current: { id: 'a', key } })
    key.fill(0)
    const draft = complete()
    await put(opened, draft)
    expect(await on.over({ current: { id: 'a', key: copy } }).get(draft.refId)).toEqual(draft)
    const shown = inspect(opened, { depth: 10, showHidden: true })
    expect(shown).not.toContain(copy.toString('hex').slice(0, 8))
    expect(shown).not.toMatch(/<Buffer|Uint8Array/)
  })

  it('are in no error, whatever goes wrong', async () => {
    const draft = complete({ label: 'words', key: 'k' })
    await put(on.store, draft, { value: bytesOf('a value') })
    await on.forge((await on.inner.get(draft.refId))!, { toolName: 'other' })
    const plain = complete()
    await put(on.inner, plain)
    const attempts = [
      () => on.store.get(draft.refId),
      () => on.store.get(plain.refId),
      () => on.store.claim(pending({ key: 'k' }), NOW),
      () => on.over({ current: NEW }).get(draft.refId),
      () => on.over({ current: { id: OLD.id, key: NEW.key } }).read(draft.refId, 'value'),
    ]
    for (const attempt of attempts) {
      const error = await attempt().then(
        () => undefined,
        error => error,
      )
      expect(error).toBeInstanceOf(StoreUnavailable)
      expect(error).toMatchObject({ name: 'StoreUnavailable', code: 'store_unavailable' })
      const shown = inspect(error, { depth: 10, showHidden: true })
      for (const { key } of [OLD, NEW]) {
        for (const form of ['hex', 'base64', 'latin1'] as const)
          expect(shown).not.toContain(key.toString(form))
        expect(shown).not.toContain([...key.subarray(0, 4)].join(', '))
      }
      expect(shown).not.toMatch(/words|a value/)
    }
  })
})

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}
