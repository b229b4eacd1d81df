import { InvalidArgument } from '../core/errors.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'

/** Braces around a part of a key decide its place in a cluster; ours are around the cache's name. */
export function checkPrefix(prefix: string): string {
  if (typeof prefix === 'string' && !/[{}]/.test(prefix)) return prefix
  throw new InvalidArgument('prefix must be a string without braces.')
}

/** What all keys of a cache begin with. */
export function baseOf(prefix: string, cacheName: string): string {
  return `${prefix}{${cacheName}}`
}

/** Where a cache says its format; `redis-lua.ts` writes it. */
export function formatKey(prefix: string, cacheName: string): string {
  return `${baseOf(prefix, cacheName)}:format`
}

/** What is particular to a reference within its cache. */
export function idOf(refId: RefId): string {
  return refId.slice(cacheNameOf(refId).length + 1)
}

/** The set of names of caches. It belongs to none of them, so no script may touch it together with their keys. */
export function cachesKey(prefix: string): string {
  return `${prefix}caches`
}

/** What the channels of a cache begin with; an entry's id follows. */
export function channelBaseOf(prefix: string, cacheName: string): string {
  return `${baseOf(prefix, cacheName)}:changes:`
}

export function channelOf(prefix: string, refId: RefId): string {
  return channelBaseOf(prefix, cacheNameOf(refId)) + idOf(refId)
}

export function refIdOfChannel(channel: string): RefId {
  const [, cacheName = '', id = ''] = /\{([^}]*)\}:changes:(.*)$/s.exec(channel) ?? []
  return `${cacheName}:${id}`
}
