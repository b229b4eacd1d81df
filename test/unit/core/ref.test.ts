import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { cacheNameOf, checkCacheName, createRefId, isRefOf, pooledRandom } from '../../../src/core/ref.ts'

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
})
