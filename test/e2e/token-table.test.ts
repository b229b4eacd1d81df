import { expect, it, vi } from 'vitest'
import { RefCache } from '../../src/ref-cache.ts'

const loaded = vi.fn()
vi.mock('../../src/tokens/o200k-tokens.ts', async original => {
  loaded()
  return original()
})

it('the token table is loaded when a value does not fit by its bytes, and not before', async () => {
  const cache = new RefCache({ name: 'small' })
  const echo = cache.cached({ name: 'echo' }, (input: { text: string }) => input.text)
  expect(await echo({ text: 'hi' })).toMatchObject({ value: 'hi', size: 4 })
  const { refId } = await cache.set('key', 'é'.repeat(499))
  expect(await cache.get(refId)).toMatchObject({ isComplete: true, size: 1000 })
  expect(await cache.get(refId, { full: true })).toMatchObject({ size: 1000 })
  expect(loaded).not.toHaveBeenCalled()
  expect(await cache.get(refId, { maxSize: 999 })).toMatchObject({ isComplete: true })
  expect(loaded).toHaveBeenCalledOnce()
  await cache.close()
})
