import { randomBytes } from 'node:crypto'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Entry, FailedEntry } from '../../../src/core/entry.ts'
import { InvalidArgument, StoreUnavailable } from '../../../src/core/errors.ts'
import { type EncryptedStoreOptions, encryptedStore, type KeyRing } from '../../../src/stores/encrypted.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { bytesOf, complete, NOW, next, pending, put, refIdOf } from '../../../src/testing/store-drafts.ts'

const OLD = { id: '2030-01', key: randomBytes(32) }
const NEW = { id: '2030-02', key: randomBytes(32) }

let inner: Store
let store: Store
let warnings: ReturnType<typeof vi.spyOn>

beforeEach(() => {
  inner = memoryStore()
  store = over({ current: OLD })
  warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
})
afterEach(() => warnings.mockRestore())

const over = (keys: EncryptedStoreOptions['keys'], options = {}) =>
  encryptedStore(inner, { keys, ...options })

/** Writes into the store below, as somebody with access to the file would. */
async function forge(stored: Entry, changes: object, parts?: Parameters<Store['update']>[2]): Promise<void> {
  const forged = { ...stored, ...changes } as Entry
  expect(await inner.update({ ...forged, version: stored.version }, stored.version, parts)).toBe(true)
}

function failed(fields: Partial<FailedEntry> = {}): FailedEntry {
  const { valueBytes, ...rest } = complete()
  const error = { code: 'task_failed', message: 'secret error' } as const
  return { ...rest, status: 'failed', error, retryHistory: [{ attempt: 1, error, at: NOW }], ...fields }
}

describe('what is below', () => {
  it('has no word of an entry, and nothing of its bytes', async () => {
    const draft = failed({
      key: 'secret key',
      releasedKey: 'secret released key',
      label: 'secret label',
      progress: { current: 17, total: 4711, message: 'secret progress' },
      ...{ questions: [{ key: 'elicit-1', params: 'secret question', answer: 'secret answer' }] },
    })
    await put(store, draft, { input: bytesOf('secret input'), value: bytesOf('secret value') })
    const stored = await inner.get(draft.refId)
    const parts = [await inner.read(draft.refId, 'input'), await inner.read(draft.refId, 'value')]
    const all = [JSON.stringify(stored), ...parts.map(bytes => Buffer.from(bytes!).toString('latin1'))].join()
    for (const word of ['secret', '4711']) expect(all).not.toContain(word)
    expect(await store.get(draft.refId)).toEqual(draft)
  })

  it('is an entry still, with all that stores and sweeps go by', async () => {
    const { retryHistory, error, ...rest } = failed({ namespace: 'user:a', pastDurations: [1, 2] })
    await put(store, { ...rest, retryHistory, error })
    expect(await inner.get(rest.refId)).toMatchObject({
      ...rest,
      retryHistory: [],
      error: { code: 'task_failed', message: '' },
    })
  })

  it('is different each time, although it says the same', async () => {
    const seen = new Set<string>()
    const draft = pending({ label: 'same' })
    await put(store, draft, { value: bytesOf('same') })
    for (let version = 1; version <= 500; version++) {
      await store.update({ ...draft, version: version + 1 }, version, { value: bytesOf('same') })
      seen.add(nonceOf((await inner.read(draft.refId, 'value'))!))
      seen.add(nonceOf(Buffer.from(sealedOf(await inner.get(draft.refId)), 'base64')))
    }
    expect(seen.size).toBe(1000)
  })

  it('names memo keys by what nobody can compute from an input, the same in every process', async () => {
    await put(store, pending({ key: 'k' }))
    expect((await over({ current: OLD }).claim(pending({ key: 'k' }), NOW)).won).toBe(false)
    const [stored] = await inner.list({ cacheName: 'files' })
    expect(stored?.key).toMatch(/^[0-9a-f]{64}$/)
    inner = memoryStore()
    await put(over({ current: { ...OLD, key: NEW.key } }), pending({ key: 'k' }))
    expect((await inner.list({ cacheName: 'files' }))[0]?.key).not.toBe(stored?.key)
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
    await put(store, draft, { value: bytesOf('a value') })
    const stored = (await inner.get(draft.refId))!
    const value = flipped((await inner.read(draft.refId, 'value'))!, at)
    const sealed = flipped(Buffer.from(sealedOf(stored), 'base64'), at).toString('base64')
    await forge(stored, { sealed }, { value })
    await expect(store.read(draft.refId, 'value')).rejects.toThrow(StoreUnavailable)
    await expect(store.get(draft.refId)).rejects.toThrow(StoreUnavailable)
  })

  it('by any one bit anywhere are refused', async () => {
    const draft = complete()
    await put(store, draft, { value: bytesOf('v') })
    const genuine = (await inner.read(draft.refId, 'value'))!
    const stored = (await inner.get(draft.refId))!
    for (let at = 0; at < genuine.length; at++) {
      await forge(stored, {}, { value: flipped(genuine, at) })
      await expect(store.read(draft.refId, 'value'), `byte ${at}`).rejects.toThrow(StoreUnavailable)
    }
    await forge(stored, {}, { value: genuine })
    expect(await store.read(draft.refId, 'value')).toEqual(Buffer.from('v'))
  })

  it('by cutting or adding are refused', async () => {
    const draft = complete()
    await put(store, draft, { value: bytesOf('value') })
    const genuine = (await inner.read(draft.refId, 'value'))!
    const stored = (await inner.get(draft.refId))!
    for (let length = 0; length < genuine.length; length++) {
      await forge(stored, {}, { value: genuine.subarray(0, length) })
      await expect(store.read(draft.refId, 'value'), `${length} bytes`).rejects.toThrow(StoreUnavailable)
    }
    await forge(stored, {}, { value: Buffer.concat([genuine, Uint8Array.of(0)]) })
    await expect(store.read(draft.refId, 'value')).rejects.toThrow(/not what was encrypted/)
  })
})

describe('what was moved', () => {
  it('from one entry to another is refused: value, words, and a whole record', async () => {
    const [a, b] = [complete({ label: 'a' }), complete({ label: 'b' })]
    await put(store, a, { value: bytesOf('a') })
    await put(store, b, { value: bytesOf('b') })
    const [storedA, storedB] = [(await inner.get(a.refId))!, (await inner.get(b.refId))!]
    await forge(storedB, {}, { value: (await inner.read(a.refId, 'value'))! })
    await expect(store.read(b.refId, 'value')).rejects.toThrow(/not what was encrypted/)
    await forge(storedB, { sealed: sealedOf(storedA) })
    await expect(store.get(b.refId)).rejects.toThrow(/not what was encrypted/)
    const misleading = { ...inner, get: async () => storedA } as Store
    const misled = encryptedStore(misleading, { keys: { current: OLD } })
    await expect(misled.get(b.refId)).rejects.toThrow(/not what was encrypted/)
  })

  it('from one part to another is refused', async () => {
    const draft = complete()
    await put(store, draft, { input: bytesOf('in'), value: bytesOf('out') })
    const stored = (await inner.get(draft.refId))!
    await forge(stored, {}, { value: (await inner.read(draft.refId, 'input'))! })
    await expect(store.read(draft.refId, 'value')).rejects.toThrow(/not what was encrypted/)
    await forge(stored, {}, { value: Buffer.from(sealedOf(stored), 'base64') })
    await expect(store.read(draft.refId, 'value')).rejects.toThrow(/not what was encrypted/)
  })

  it('from one memo key to another is refused', async () => {
    const other = pending({ key: 'other' })
    await put(store, other)
    const stored = (await inner.get(other.refId))!
    const misleading = { ...inner, claim: async () => ({ won: false, entry: stored }) } as unknown as Store
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
    await put(store, draft)
    await forge((await inner.get(draft.refId))!, changes)
    await expect(store.get(draft.refId)).rejects.toThrow(/entry of files:.* is not what was encrypted/)
  })
})

describe('a list', () => {
  it('leaves out what cannot be read, and goes on behind it', async () => {
    const drafts = Array.from({ length: 6 }, (_, number) => complete({ refId: refIdOf('files', number) }))
    for (const draft of drafts) await put(store, draft)
    for (const number of [0, 1, 3]) {
      await forge((await inner.get(drafts[number]!.refId))!, { toolName: 'other' })
    }
    const found = await store.list({ cacheName: 'files', limit: 2 })
    expect(found).toEqual([drafts[2], drafts[4]])
    const after = await store.list({ cacheName: 'files', limit: 2, after: found[1]!.refId })
    expect(after).toEqual([drafts[5]])
  })

  it('does not hide that keys cannot be had at the moment', async () => {
    await put(store, complete())
    const cut = over(() => Promise.reject(new Error('the vault is sealed')))
    await expect(cut.list({ cacheName: 'files' })).rejects.toThrow(/callback for encryption keys failed/)
  })
})

describe('the operator', () => {
  it('is warned of each kind of trouble, once', async () => {
    const [a, b] = [complete(), complete()]
    for (const draft of [a, b]) {
      await put(store, draft)
      await forge((await inner.get(draft.refId))!, { toolName: 'other' })
      await expect(store.get(draft.refId)).rejects.toThrow()
    }
    expect(warnings).toHaveBeenCalledExactlyOnceWith(expect.stringContaining(a.refId), {
      type: 'RefCacheWarning',
      code: 'REFCACHE_UNREADABLE',
    })
    const plain = complete()
    await put(inner, plain)
    await expect(store.get(plain.refId)).rejects.toThrow()
    expect(warnings).toHaveBeenCalledTimes(2)
  })
})

describe('rotation', () => {
  const rotated = () => over({ current: NEW, previous: [OLD] })

  it('keeps old entries readable while their key is listed, and writes under the new one', async () => {
    const before = complete({ label: 'before' })
    await put(store, before, { value: bytesOf('old value') })
    const both = rotated()
    expect(await both.get(before.refId)).toEqual(before)
    expect(await both.read(before.refId, 'value')).toEqual(Buffer.from('old value'))
    const after = complete({ label: 'after' })
    await put(both, after)

    await expect(store.get(after.refId)).rejects.toThrow(/under the key '2030-02', which is not configured/)
    const alone = over({ current: NEW })
    expect(await alone.get(after.refId)).toEqual(after)
    await expect(alone.get(before.refId)).rejects.toThrow(/under the key '2030-01', which is not configured/)
    expect(await alone.list({ cacheName: 'files' })).toEqual([after])
  })

  it('moves an entry to the new key with its next change', async () => {
    const draft = pending({ label: 'l', key: 'k' })
    await put(store, draft)
    expect(await rotated().update(next(draft), 1)).toBe(true)
    const alone = over({ current: NEW })
    expect(await alone.get(draft.refId)).toEqual(next(draft))
    expect((await alone.claim(pending({ key: 'k' }), NOW)).entry).toEqual(next(draft))
  })

  it('can be prepared by listing the new key behind the current one', async () => {
    const draft = pending({ key: 'k' })
    await put(store, draft)
    const prepared = over({ current: OLD, previous: [NEW] })
    expect((await prepared.claim(pending({ key: 'k' }), NOW)).won).toBe(false)
    const ahead = complete()
    await put(rotated(), ahead)
    expect(await prepared.get(ahead.refId)).toEqual(ahead)
  })

  it('costs identical calls one more run, and leaves both tasks free to go on', async () => {
    const before = pending({ key: 'k' })
    await put(store, before)
    const both = rotated()
    const again = pending({ key: 'k' })
    expect((await both.claim(again, NOW)).won).toBe(true)
    // The new form of its key is taken; it keeps the old one.
    expect(await both.update(next(before), 1)).toBe(true)
    expect(await both.update(next(again), 1)).toBe(true)
    expect(await both.get(before.refId)).toEqual(next(before))
    expect((await both.claim(pending({ key: 'k' }), NOW)).entry.refId).toBe(again.refId)
    expect((await store.claim(pending({ key: 'k' }), NOW).catch(error => error)).message).toMatch(/2030-02/)
  })

  it('by a new name for the old bytes is one, too', async () => {
    await put(store, pending({ key: 'k' }))
    const renamed = over({ current: { id: NEW.id, key: OLD.key } })
    expect((await renamed.claim(pending({ key: 'k' }), NOW)).won).toBe(true)
  })

  it('is told apart from bytes that changed under the same id', async () => {
    const draft = complete()
    await put(store, draft)
    const wrong = over({ current: { id: OLD.id, key: NEW.key } })
    await expect(wrong.get(draft.refId)).rejects.toThrow(/or the key '2030-01' has other bytes/)
  })
})

describe('what was stored unencrypted', () => {
  it('is refused, or else anybody could pass it off', async () => {
    const draft = complete({ label: 'plain' })
    await put(inner, draft, { value: bytesOf('\0{}') })
    await expect(store.get(draft.refId)).rejects.toThrow(/entry of .* is not encrypted.*acceptPlaintext/)
    await expect(store.read(draft.refId, 'value')).rejects.toThrow(/value of .* is not encrypted/)
    expect(await store.list({ cacheName: 'files' })).toEqual([])
  })

  it('is read where that is asked for, and encrypted with its next change', async () => {
    const draft = pending({ label: 'plain', key: 'k' })
    await put(inner, draft, { input: bytesOf('\0{}') })
    const migrating = over({ current: OLD }, { acceptPlaintext: true })
    expect(await migrating.get(draft.refId)).toEqual(draft)
    expect(await migrating.read(draft.refId, 'input')).toEqual(bytesOf('\0{}'))
    expect(await migrating.list({ cacheName: 'files' })).toEqual([draft])
    expect(await migrating.update(next(draft), 1, { input: bytesOf('\0[]') })).toBe(true)
    expect(await store.get(draft.refId)).toEqual(next(draft))
    expect(await store.read(draft.refId, 'input')).toEqual(Buffer.from('\0[]'))
  })

  it('cannot stand in for the value of an encrypted entry', async () => {
    const draft = complete()
    await put(store, draft, { value: bytesOf('genuine') })
    await forge((await inner.get(draft.refId))!, {}, { value: bytesOf('\0"forged"') })
    await expect(store.read(draft.refId, 'value')).rejects.toThrow(StoreUnavailable)
  })
})

describe('large values', () => {
  it('leave others their turns, and come back byte by byte', async () => {
    const value = randomBytes(8 * 1024 * 1024 + 5)
    const draft = complete()
    let turns = 0
    let going = true
    const others = () => {
      turns++
      if (going) setImmediate(others)
    }
    setImmediate(others)
    await put(store, draft, { value })
    const whileSealing = turns
    const read = await store.read(draft.refId, 'value')
    going = false
    expect(Buffer.compare(read!, value)).toBe(0)
    expect(whileSealing).toBeGreaterThanOrEqual(8)
    expect(turns - whileSealing).toBeGreaterThanOrEqual(8)
  })
})

describe('a callback for keys', () => {
  it('is asked for the current key at each write, and for others once', async () => {
    const asked: Array<string | undefined> = []
    const ring = [NEW, OLD]
    const source = over(async id => {
      asked.push(id)
      return id === undefined ? ring[0] : ring.find(key => key.id === id)
    })
    const old = [complete(), complete()]
    for (const draft of old) await put(store, draft)
    for (const draft of old) expect(await source.get(draft.refId)).toEqual(draft)
    expect(asked).toEqual([OLD.id])
    await put(source, complete())
    ring.reverse()
    const draft = complete()
    await put(source, draft)
    expect(asked).toEqual([OLD.id, undefined, undefined])
    expect(await over({ current: OLD }).get(draft.refId)).toEqual(draft)
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
    await expect(over(keys).claim(complete(), NOW)).rejects.toThrow(StoreUnavailable)
    expect(await inner.list({ cacheName: 'files' })).toEqual([])
  })

  it('that gives a key of another id is not believed', async () => {
    const draft = complete()
    await put(store, draft)
    await expect(over(() => NEW).get(draft.refId)).rejects.toThrow(/callback for encryption keys failed/)
  })
})

describe('keys', () => {
  const bad = (keys: unknown) => () => over(keys as KeyRing)

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
    const opened = over({ current: { id: 'a', key } })
    key.fill(0)
    const draft = complete()
    await put(opened, draft)
    expect(await over({ current: { id: 'a', key: copy } }).get(draft.refId)).toEqual(draft)
    const shown = inspect(opened, { depth: 10, showHidden: true })
    expect(shown).not.toContain(copy.toString('hex').slice(0, 8))
    expect(shown).not.toMatch(/<Buffer|Uint8Array/)
  })

  it('are in no error, whatever goes wrong', async () => {
    const draft = complete({ label: 'words', key: 'k' })
    await put(store, draft, { value: bytesOf('a value') })
    await forge((await inner.get(draft.refId))!, { toolName: 'other' })
    const plain = complete()
    await put(inner, plain)
    const attempts = [
      () => store.get(draft.refId),
      () => store.get(plain.refId),
      () => store.claim(pending({ key: 'k' }), NOW),
      () => over({ current: NEW }).get(draft.refId),
      () => over({ current: { id: OLD.id, key: NEW.key } }).read(draft.refId, 'value'),
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

const NONCE_AT = 2 + OLD.id.length

function nonceOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(NONCE_AT, NONCE_AT + 12)).toString('hex')
}

function sealedOf(stored: Entry | undefined): string {
  return (stored as unknown as { sealed: string }).sealed
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at < 0 ? copy.length + at : at]! ^= 1
  return copy
}
