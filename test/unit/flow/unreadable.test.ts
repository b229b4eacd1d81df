import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { toWireError } from '../../../src/agent/wire.ts'
import { encryptedStore } from '../../../src/stores/encrypted.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { scene } from './scene.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-'))
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  vi.spyOn(process, 'emitWarning').mockReturnValue()
})
afterEach(() => {
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true })
})

const keysOf = (byte: number) => ({ current: { id: `k${byte}`, key: Buffer.alloc(32, byte) } })
const STORES: Record<string, () => Store> = {
  memory: () => memoryStore(),
  sqlite: () => sqliteStore(join(folder, 'cache.db')),
  'sqlite, encrypted': () => encryptedStore(sqliteStore(join(folder, 'cache.db')), { keys: keysOf(1) }),
}

const json = JSON.stringify(Array.from({ length: 5_000 }, (_, i) => i))
const brotli = brotliCompressSync(json)
/** No Node can read these, as Node 20 cannot read zstd. */
const DAMAGE: Record<string, Uint8Array | undefined> = {
  'an encoding of a newer version': Buffer.from([9, 1, 2, 3]),
  'zstd that is none': Buffer.concat([Buffer.from([2]), brotli]),
  'brotli with a flipped byte': Buffer.concat([Buffer.from([1]), brotli.fill(0xff, 20, 60)]),
  'brotli that ends early': Buffer.concat([Buffer.from([1]), brotli.subarray(0, 30)]),
  'JSON that ends early': Buffer.from('\0[1,2'),
  'JSON of another length': Buffer.from('\0[1,2]'),
  'no bytes at all': new Uint8Array(),
  nothing: undefined,
}

describe.each(Object.entries(STORES))('on %s', (_, open) => {
  it.each(Object.entries(DAMAGE))(
    'a hit whose value is %s is a miss, and the new result is kept',
    async (_, bytes) => {
      const store = open()
      const handler = vi.fn(() => JSON.parse(json))
      const first = await scene({ store }).cache.cached({ name: 'list' }, handler)({})
      await damage(store, first.refId, bytes)

      const { cache } = scene({ store })
      const list = cache.cached({ name: 'list' }, handler)
      const [second, third] = await Promise.all([list({}), list({})])
      expect(second).toMatchObject({ status: 'complete', totalItems: 5_000 })
      expect(second.refId).not.toBe(first.refId)
      expect(third.refId).toBe(second.refId)
      expect((await list({})).refId).toBe(second.refId)
      expect(handler).toHaveBeenCalledTimes(2)
      expect(process.stderr.write).toHaveBeenCalledWith(
        expect.stringMatching(/result of list is not used: .*cannot be read/),
      )
      await cache.close()
    },
  )
})

describe('on an encrypted store', () => {
  it('whoever lacks the key leaves no question there, which would be legible', async () => {
    const inner = memoryStore()
    const { cache } = scene({ store: encryptedStore(inner, { keys: keysOf(1) }) })
    const { refId } = await cache.set('rows', [{ level: 'error' }])
    const without = scene({ store: inner }).cache
    const own = await without.set('own', [{ level: 'error' }])
    const sql = "select 'secret' from items"
    for (const asked of [
      without.query(refId, { sql }),
      without.query(refId, { search: 'secret' }),
      without.query(own.refId, { sql, tables: { r: refId } }),
    ]) {
      await expect(asked).rejects.toThrow(/cannot be read/)
    }
    const left = await inner.list({ cacheName: cache.name })
    expect(left.map(entry => entry.refId).sort()).toEqual([refId, own.refId].sort())
  })

  async function hitAfter(spoil: (inner: Store, refId: string) => Promise<void>) {
    const inner = memoryStore()
    const handler = vi.fn(() => 'made')
    const before = scene({ store: encryptedStore(inner, { keys: keysOf(1) }) })
    const { refId } = await before.cache.cached({ name: 'make' }, handler)({})
    await spoil(inner, refId)
    const { cache } = scene({ store: encryptedStore(inner, { keys: keysOf(1) }) })
    return { handler, answer: cache.cached({ name: 'make' }, handler)({}) }
  }

  it('a sealed value that was damaged is a miss', async () => {
    const { handler, answer } = await hitAfter(async (inner, refId) => {
      const sealed = (await inner.read(refId, 'value')) as Uint8Array
      sealed.set([(sealed.at(-1) ?? 0) ^ 1], sealed.length - 1)
      await damage(inner, refId, sealed)
    })
    expect(await answer).toMatchObject({ value: 'made' })
    expect(handler).toHaveBeenCalledTimes(2)
  })

  it('a value under a key that is not configured stays an error', async () => {
    const { handler, answer } = await hitAfter(async (inner, refId) => {
      const sealed = (await inner.read(refId, 'value')) as Uint8Array
      // The id of the key stands at the beginning.
      sealed[3] = '2'.charCodeAt(0)
      await damage(inner, refId, sealed)
    })
    await expect(answer).rejects.toThrow(/key 'k2', which is not configured/)
    expect(handler).toHaveBeenCalledTimes(1)
  })
})

describe('what cannot be read', () => {
  async function broken() {
    const store = memoryStore()
    const { cache, clock } = scene({ store })
    const { refId } = await cache.set('value', [1, 2, 3])
    await damage(store, refId, Buffer.from('\0[1,2'))
    return { cache, clock, refId }
  }

  it('is a coded error to who polls or resolves it, which says to call the tool again', async () => {
    const { cache, refId } = await broken()
    for (const read of [
      cache.get(refId),
      cache.get(refId, { page: 1 }),
      cache.get(refId, { full: true }),
      cache.resolve(refId),
    ]) {
      const error = await read.catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'store_unavailable' })
      expect(toWireError(error)).toMatchObject({ message: expect.stringMatching(/Call the tool .* again/) })
    }
  })

  it('fails the call that uses it, once, with the same words', async () => {
    const { cache, refId } = await broken()
    const handler = vi.fn((input: { list: unknown }) => input)
    const tool = cache.cached({ name: 'use', maxRetries: 3 }, handler)
    await expect(tool({ list: refId })).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(handler).not.toHaveBeenCalled()
  })
})

/** As a disk, another program or a newer version would leave it. */
async function damage(store: Store, refId: string, value: Uint8Array | undefined): Promise<void> {
  const entry = await store.get(refId)
  if (!entry) throw new Error('there is nothing to damage')
  await store.update(entry, entry.version, { value })
}
