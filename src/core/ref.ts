import { randomBytes } from 'node:crypto'
import { InvalidArgument } from './errors.ts'

/** `<cacheName>:<32 hex>`: 128 random bits, never derived from time or arguments. */
export type RefId = string

const CACHE_NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/i
const HEX_LENGTH = 32
const MAX_REF_LENGTH = 64 + 1 + HEX_LENGTH

export function checkCacheName(name: string): string {
  if (typeof name === 'string' && CACHE_NAME.test(name)) return name
  throw new InvalidArgument(
    'A cache name is 1 to 64 letters, digits, dots, dashes or underscores, and starts and ends with a letter or digit.',
  )
}

export function createRefId(cacheName: string): RefId {
  return `${cacheName}:${randomBytes(HEX_LENGTH / 2).toString('hex')}`
}

/** Whether `text` has the full form of a reference of this cache. Looks at no more than its first 97 characters. */
export function isRefOf(cacheName: string, text: unknown): text is RefId {
  return (
    typeof text === 'string' &&
    text.length <= MAX_REF_LENGTH &&
    text.length === cacheName.length + 1 + HEX_LENGTH &&
    text.startsWith(`${cacheName}:`) &&
    /^[0-9a-f]{32}$/.test(text.slice(cacheName.length + 1))
  )
}
