import { randomBytes, randomFillSync } from 'node:crypto'
import { InvalidArgument } from './errors.ts'

/** `<cacheName>:<32 hex>`: 128 random bits, never derived from time or arguments. */
export type RefId = string

/** Where randomness comes from: `size` unpredictable bytes. */
export type RandomBytes = (size: number) => Uint8Array

const POOL_BYTES = 4_096

/** Random bytes of the system, fetched in bulk because each fetch costs more than a whole hit; none is given out twice. */
export function pooledRandom(): RandomBytes {
  const pool = new Uint8Array(POOL_BYTES)
  let used = POOL_BYTES
  return size => {
    if (size > POOL_BYTES) return randomBytes(size)
    if (used + size > POOL_BYTES) {
      randomFillSync(pool)
      used = 0
    }
    const bytes = pool.slice(used, used + size)
    pool.fill(0, used, used + size)
    used += size
    return bytes
  }
}

const CACHE_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/i
const ID_BYTES = 16
const ID_FORM = /^[0-9a-f]{32}$/

export function checkCacheName(name: string): string {
  if (typeof name === 'string' && CACHE_NAME.test(name)) return name
  throw new InvalidArgument(
    'A cache name is 1 to 64 letters, digits, dots, dashes or underscores, and starts and ends with a letter or digit.',
  )
}

export function createRefId(cacheName: string, random: RandomBytes): RefId {
  // Joined, since a text that is put together otherwise keeps its pieces in memory.
  return [cacheName, hexOf(random(ID_BYTES))].join(':')
}

/** No two values of an entry have one: those of two attempts must not mix. */
export function createValueId(random: RandomBytes): string {
  return hexOf(random(8))
}

export function hexOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('hex')
}

/** How long each reference of a cache is. */
export function refLengthOf(cacheName: string): number {
  return cacheName.length + 1 + ID_BYTES * 2
}

/** Whether `text` has the full form of a reference of this cache; its length is looked at before its content. */
export function isRefOf(cacheName: string, text: unknown): text is RefId {
  return (
    typeof text === 'string' &&
    text.length === refLengthOf(cacheName) &&
    text.startsWith(`${cacheName}:`) &&
    ID_FORM.test(text.slice(cacheName.length + 1))
  )
}

/** Whether `text` has the full form of a reference of some other cache. Texts that are none may look like one (`md5:…`). */
export function isForeignRef(cacheName: string, text: unknown): text is RefId {
  if (typeof text !== 'string' || text.length > 64 + 1 + ID_BYTES * 2) return false
  const name = cacheNameOf(text)
  return name !== cacheName && CACHE_NAME.test(name) && isRefOf(name, text)
}

/** The cache a reference belongs to. */
export function cacheNameOf(refId: RefId): string {
  return refId.slice(0, -(ID_BYTES * 2 + 1))
}
