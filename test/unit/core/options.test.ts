import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { scene } from '../flow/scene.ts'

describe('a misspelled option', () => {
  const misspelled = { polcy: {} } as object

  it('says what a store is, where it was given something else', () => {
    for (const store of ['sqlite', {}]) {
      expect(() => new RefCache({ store: store as never })).toThrow(/store is what memoryStore\(\)/)
    }
  })

  it('of a cache is refused, with the names that there are', () => {
    expect(() => new RefCache({ defaultTTL: '1h' } as object)).toThrow(/defaultTTL.*defaultTtl/)
  })

  it('of a tool is refused', () => {
    expect(() => scene().cache.cached({ name: 'x', ...misspelled }, () => 1)).toThrow(
      /'x' has no option 'polcy'/,
    )
  })

  it('of a value that is stored is refused, and nothing is stored', async () => {
    const { cache } = scene()
    await expect(cache.set('x', 1, misspelled)).rejects.toThrow(InvalidArgument)
    expect(await cache.clear()).toBe(0)
  })
})
