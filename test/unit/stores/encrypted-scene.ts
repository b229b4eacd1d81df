import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, type MockInstance, vi } from 'vitest'
import type { Entry } from '../../../src/core/entry.ts'
import { type EncryptedStoreOptions, encryptedStore } from '../../../src/stores/encrypted.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'

export const OLD = { id: '2030-01', key: randomBytes(32) }
export const NEW = { id: '2030-02', key: randomBytes(32) }

/** A store in memory, and one over it that is encrypted under the old key; new for each test. */
export interface Scene {
  inner: Store
  store: Store
  warnings: MockInstance<typeof process.emitWarning>
  /** Another store over the same entries. */
  over(keys: EncryptedStoreOptions['keys'], options?: { acceptPlaintext?: boolean }): Store
  /** Writes into the store below, as somebody with access to the file would. */
  forge(stored: Entry, changes: object, parts?: Parameters<Store['update']>[2]): Promise<void>
}

export function scene(): Scene {
  const scene = {
    over: (keys: EncryptedStoreOptions['keys'], options = {}) =>
      encryptedStore(scene.inner, { keys, ...options }),
    async forge(stored: Entry, changes: object, parts?: Parameters<Store['update']>[2]) {
      const forged = { ...stored, ...changes } as Entry
      expect(await scene.inner.update(forged, stored.version, parts)).toBe(true)
    },
  } as Scene
  beforeEach(() => {
    scene.inner = memoryStore()
    scene.store = scene.over({ current: OLD })
    scene.warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  })
  afterEach(() => scene.warnings.mockRestore())
  return scene
}

export function sealedOf(stored: Entry | undefined): string {
  return (stored as unknown as { sealed: string }).sealed
}
