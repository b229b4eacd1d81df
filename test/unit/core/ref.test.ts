import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import {
  cacheNameOf,
  checkCacheName,
  createRefId,
  isForeignRef,
  isRefOf,
  pooledRandom,
} from '../../../src/core/ref.ts'

describe('references', () => {
  it('get random bytes of their own, however they are fetched', () => {
    const random = pooledRandom()
    const all = new Set(Array.from({ length: 2_000 }, () => Buffer.from(random(16)).toString('hex')))
    expect(all.size).toBe(2_000)
    expect(random(10_000)).toHaveLength(10_000)
  })

  it('are the cache name and 32 hex digits of randomness, and nothing else', () => {
    expect(createRefId('files', () => new Uint8Array(16).fill(0xab))).toBe(`files:${'ab'.repeat(16)}`)
    const ids = new Set(Array.from({ length: 1000 }, () => createRefId('files', randomBytes)))
    expect(ids.size).toBe(1000)
    for (const id of ids) {
      expect(isRefOf('files', id)).toBe(true)
      expect(cacheNameOf(id)).toBe('files')
    }
  })

  it.each([
    ['another cache', `other:${'a'.repeat(32)}`],
    ['a name that begins alike', `files2:${'a'.repeat(32)}`],
    ['too short', `files:${'a'.repeat(31)}`],
    ['too long', `files:${'a'.repeat(33)}`],
    ['upper case', `files:${'A'.repeat(32)}`],
    ['a line break', `files:${'a'.repeat(31)}\n`],
    ['a megabyte', `files:${'a'.repeat(1_000_000)}`],
    ['the empty string', ''],
    ['no string', { toString: () => `files:${'a'.repeat(32)}` }],
  ])('are not: %s', (_, text) => {
    expect(isRefOf('files', text)).toBe(false)
  })

  it.each(['', 'a b', 'a:b', '-a', 'a-', 'ä', 'a'.repeat(65), '../x'])('refuse the cache name %j', name => {
    expect(() => checkCacheName(name)).toThrow(InvalidArgument)
  })

  it.each(['a', 'A9', 'files', 'my.files_v2-b', 'a'.repeat(64)])('take the cache name %j', name => {
    expect(checkCacheName(name)).toBe(name)
  })

  it('say what a cache may be called', () => {
    for (const name of ['', 7, undefined, ['files']]) {
      expect(() => checkCacheName(name as string)).toThrow(/1 to 64 letters, digits.*letter or digit/)
    }
  })

  it.each<[string, unknown, boolean]>([
    ['another cache', `other:${'a'.repeat(32)}`, true],
    ['the longest name', `${'x'.repeat(64)}:${'a'.repeat(32)}`, true],
    ['our own', `files:${'a'.repeat(32)}`, false],
    ['too long a name', `${'x'.repeat(65)}:${'a'.repeat(32)}`, false],
    ['no name', `:${'a'.repeat(32)}`, false],
    ['a name that none may have', `a b:${'a'.repeat(32)}`, false],
    ['too short', `other:${'a'.repeat(31)}`, false],
    ['no hex digits', `other:${'g'.repeat(32)}`, false],
    ['another sign between', `other-${'a'.repeat(32)}`, false],
    ['within a sentence', `see other:${'a'.repeat(32)} please`, false],
    ['no text', [`other:${'a'.repeat(32)}`], false],
    ['nothing', undefined, false],
  ])('of other caches: %s', (_, text, is) => {
    expect(isForeignRef('files', text)).toBe(is)
  })

  it('get bytes that are never given out twice, also where the pool is just used up', () => {
    const random = pooledRandom()
    const parts = [4_096, 1, 4_096, 4_000, 96, 1].map(size => Buffer.from(random(size)))
    expect(parts.map(part => part.length)).toEqual([4_096, 1, 4_096, 4_000, 96, 1])
    for (const part of parts.filter(one => one.length > 1)) {
      expect(part.some(byte => byte !== 0)).toBe(true)
      expect(part.subarray(-32).equals(Buffer.alloc(32))).toBe(false)
    }
  })
})
