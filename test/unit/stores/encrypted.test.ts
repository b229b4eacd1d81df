import { describe, expect, it } from 'vitest'
import type { FailedEntry } from '../../../src/core/entry.ts'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { encryptedStore } from '../../../src/stores/encrypted.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { bytesOf, complete, NOW, pending, put, refIdOf } from '../../../src/testing/store-drafts.ts'
import { NEW, OLD, scene, sealedOf } from './encrypted-scene.ts'

const on = scene()

describe('what is below', () => {
  it('has no word of an entry, and nothing of its bytes', async () => {
    const draft = failed({
      key: 'secret key',
      releasedKey: 'secret released key',
      label: 'secret label',
      progress: { current: 17, total: 4711, message: 'secret progress' },
      questions: [
        {
          key: 'elicit-1',
          method: 'elicitation/create',
          params: { message: 'secret question' },
          answer: { action: 'secret answer' },
        },
      ],
    })
    await put(on.store, draft, { input: bytesOf('secret input'), value: bytesOf('secret value') })
    const stored = await on.inner.get(draft.refId)
    const parts = [await on.inner.read(draft.refId, 'input'), await on.inner.read(draft.refId, 'value')]
    const all = [JSON.stringify(stored), ...parts.map(bytes => Buffer.from(bytes!).toString('latin1'))].join()
    for (const word of ['secret', '4711']) expect(all).not.toContain(word)
    expect(await on.store.get(draft.refId)).toEqual(draft)
  })

  it('is an entry still, with all that stores and sweeps go by', async () => {
    const { retryHistory, error, ...rest } = failed({ namespace: 'user:a', pastDurations: [1, 2] })
    await put(on.store, { ...rest, retryHistory, error })
    expect(await on.inner.get(rest.refId)).toMatchObject({
      ...rest,
      retryHistory: [],
      error: { code: 'task_failed', message: '' },
    })
  })

  it('is different each time, although it says the same', async () => {
    const seen = new Set<string>()
    const draft = pending({ label: 'same' })
    await put(on.store, draft, { value: bytesOf('same') })
    for (let version = 1; version <= 500; version++) {
      await on.store.update({ ...draft, version: version + 1 }, version, { value: bytesOf('same') })
      seen.add(nonceOf((await on.inner.read(draft.refId, 'value'))!))
      seen.add(nonceOf(Buffer.from(sealedOf(await on.inner.get(draft.refId)), 'base64')))
    }
    expect(seen.size).toBe(1000)
  })

  it('names memo keys by what nobody can compute from an input, the same in every process', async () => {
    await put(on.store, pending({ key: 'k' }))
    expect((await on.over({ current: OLD }).claim(pending({ key: 'k' }), NOW)).won).toBe(false)
    const [stored] = await on.inner.list({ cacheName: 'files' })
    expect(stored?.key).toMatch(/^[0-9a-f]{64}$/)
    on.inner = memoryStore()
    await put(on.over({ current: { ...OLD, key: NEW.key } }), pending({ key: 'k' }))
    expect((await on.inner.list({ cacheName: 'files' }))[0]?.key).not.toBe(stored?.key)
  })
})

describe('bytes that were changed', () => {
  it.each([
    ['the format', 0],
    ['the length of the key id', 1],
    ['the key id', 2],
    ['the nonce', 9],
    ['the tag', 21],
    ['the ciphertext', 37],
    ['the last byte', -1],
  ])('in %s are refused', async (_, at) => {
    const draft = complete({ label: 'words' })
    await put(on.store, draft, { value: bytesOf('a value') })
    const stored = (await on.inner.get(draft.refId))!
    const value = flipped((await on.inner.read(draft.refId, 'value'))!, at)
    const sealed = flipped(Buffer.from(sealedOf(stored), 'base64'), at).toString('base64')
    await on.forge(stored, { sealed }, { value })
    await expect(on.store.read(draft.refId, 'value')).rejects.toThrow(StoreUnavailable)
    await expect(on.store.get(draft.refId)).rejects.toThrow(StoreUnavailable)
  })

  it('by any one bit anywhere are refused', async () => {
    const draft = complete()
    await put(on.store, draft, { value: bytesOf('v') })
    const genuine = (await on.inner.read(draft.refId, 'value'))!
    const stored = (await on.inner.get(draft.refId))!
    for (let at = 0; at < genuine.length; at++) {
      await on.forge(stored, {}, { value: flipped(genuine, at) })
      await expect(on.store.read(draft.refId, 'value'), `byte ${at}`).rejects.toThrow(StoreUnavailable)
    }
    await on.forge(stored, {}, { value: genuine })
    expect(await on.store.read(draft.refId, 'value')).toEqual(Buffer.from('v'))
  })

  it('by cutting or adding are refused', async () => {
    const draft = complete()
    await put(on.store, draft, { value: bytesOf('value') })
    const genuine = (await on.inner.read(draft.refId, 'value'))!
    const stored = (await on.inner.get(draft.refId))!
    for (let length = 0; length < genuine.length; length++) {
      await on.forge(stored, {}, { value: genuine.subarray(0, length) })
      await expect(on.store.read(draft.refId, 'value'), `${length} bytes`).rejects.toThrow(StoreUnavailable)
    }
    await on.forge(stored, {}, { value: Buffer.concat([genuine, Uint8Array.of(0)]) })
    await expect(on.store.read(draft.refId, 'value')).rejects.toThrow(/not what was encrypted/)
  })
})

describe('what was moved', () => {
  it('from one entry to another is refused: value, words, and a whole record', async () => {
    const [a, b] = [complete({ label: 'a' }), complete({ label: 'b' })]
    await put(on.store, a, { value: bytesOf('a') })
    await put(on.store, b, { value: bytesOf('b') })
    const [storedA, storedB] = [(await on.inner.get(a.refId))!, (await on.inner.get(b.refId))!]
    await on.forge(storedB, {}, { value: (await on.inner.read(a.refId, 'value'))! })
    await expect(on.store.read(b.refId, 'value')).rejects.toThrow(/not what was encrypted/)
    await on.forge(storedB, { sealed: sealedOf(storedA) })
    await expect(on.store.get(b.refId)).rejects.toThrow(/not what was encrypted/)
    const misleading = { ...on.inner, get: async () => storedA } as Store
    const misled = encryptedStore(misleading, { keys: { current: OLD } })
    await expect(misled.get(b.refId)).rejects.toThrow(/not what was encrypted/)
  })

  it('from one part to another is refused', async () => {
    const draft = complete()
    await put(on.store, draft, { input: bytesOf('in'), value: bytesOf('out') })
    const stored = (await on.inner.get(draft.refId))!
    await on.forge(stored, {}, { value: (await on.inner.read(draft.refId, 'input'))! })
    await expect(on.store.read(draft.refId, 'value')).rejects.toThrow(/not what was encrypted/)
    await on.forge(stored, {}, { value: Buffer.from(sealedOf(stored), 'base64') })
    await expect(on.store.read(draft.refId, 'value')).rejects.toThrow(/not what was encrypted/)
  })

  it('from one memo key to another is refused', async () => {
    const other = pending({ key: 'other' })
    await put(on.store, other)
    const stored = (await on.inner.get(other.refId))!
    const misleading = { ...on.inner, claim: async () => ({ won: false, entry: stored }) } as unknown as Store
    const misled = encryptedStore(misleading, { keys: { current: OLD } })
    await expect(misled.claim(pending({ key: 'k' }), NOW)).rejects.toThrow(/not what was encrypted/)
    expect((await misled.claim(pending({ key: 'other' }), NOW)).entry).toEqual(other)
  })

  it.each([
    ['policy', { policy: { user: 31, agent: 31 } }],
    ['namespace', { namespace: 'public' }],
    ['startedBy', { startedBy: 'agent:mallory' }],
    ['expiry', { expiresAt: NOW + 1e9 }],
    ['tool', { toolName: 'other' }],
    ['a field more', { view: 'raw' }],
  ])('of the clear fields is refused as well: %s', async (_, changes) => {
    const draft = complete({ namespace: 'user:a', toolName: 'analyze', policy: { user: 31, agent: 16 } })
    await put(on.store, draft)
    await on.forge((await on.inner.get(draft.refId))!, changes)
    await expect(on.store.get(draft.refId)).rejects.toThrow(/entry of files:.* is not what was encrypted/)
  })
})

describe('a list', () => {
  it('leaves out what cannot be read, and goes on behind it', async () => {
    const drafts = Array.from({ length: 6 }, (_, number) => complete({ refId: refIdOf('files', number) }))
    for (const draft of drafts) await put(on.store, draft)
    for (const number of [0, 1, 3]) {
      await on.forge((await on.inner.get(drafts[number]!.refId))!, { toolName: 'other' })
    }
    const found = await on.store.list({ cacheName: 'files', limit: 2 })
    expect(found).toEqual([drafts[2], drafts[4]])
    const after = await on.store.list({ cacheName: 'files', limit: 2, after: found[1]! })
    expect(after).toEqual([drafts[5]])
  })

  it('does not hide that keys cannot be had at the moment', async () => {
    await put(on.store, complete())
    const cut = on.over(() => Promise.reject(new Error('the vault is sealed')))
    await expect(cut.list({ cacheName: 'files' })).rejects.toThrow(/callback for encryption keys failed/)
  })
})

describe('the operator', () => {
  it('is warned of each kind of trouble, once', async () => {
    const [a, b] = [complete(), complete()]
    for (const draft of [a, b]) {
      await put(on.store, draft)
      await on.forge((await on.inner.get(draft.refId))!, { toolName: 'other' })
      await expect(on.store.get(draft.refId)).rejects.toThrow()
    }
    expect(on.warnings).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(a.refId), {
      type: 'RefCacheWarning',
      code: 'REFCACHE_UNREADABLE',
    })
    const plain = complete()
    await put(on.inner, plain)
    await expect(on.store.get(plain.refId)).rejects.toThrow()
    expect(on.warnings).toHaveBeenCalledTimes(2)
  })
})

function failed(fields: Partial<FailedEntry> = {}): FailedEntry {
  const { valueBytes, ...rest } = complete()
  const error = { code: 'task_failed', message: 'secret error' } as const
  return { ...rest, status: 'failed', error, retryHistory: [{ attempt: 1, error, at: NOW }], ...fields }
}

const NONCE_AT = 2 + OLD.id.length

function nonceOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(NONCE_AT, NONCE_AT + 12)).toString('hex')
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at < 0 ? copy.length + at : at]! ^= 1
  return copy
}
