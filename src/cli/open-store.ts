import { StoreUnavailable } from '../core/errors.ts'
import { encryptedStore } from '../stores/encrypted.ts'
import { memoryStore } from '../stores/memory.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import { PlaceUnusable } from '../stores/sqlite-errors.ts'
import { defaultPath } from '../stores/sqlite-place.ts'
import type { Store } from '../stores/store.ts'
import type { Log } from '../wrap/log.ts'
import { CommandFailed, EXIT } from './exit.ts'
import type { WrapArguments } from './wrap-options.ts'

/** The store that was asked for, or the default one. It has answered once. @throws CommandFailed where it cannot be used */
export async function openStore({ store: where, maxStore, keys }: WrapArguments, log: Log): Promise<Store> {
  const seal = (store: Store) => (keys ? encryptedStore(store, { keys }) : store)
  const quota = { maxBytes: maxStore }
  if (where === 'memory') return seal(memoryStore(quota))
  try {
    // Encrypted entries have a default file of their own: others could not read them, nor they the others.
    return await usable(seal(sqliteStore(where ?? defaultPath(keys ? 'encrypted' : 'cache'), quota)))
  } catch (error) {
    if (where === undefined && error instanceof PlaceUnusable) {
      log.warn(
        'store_memory',
        `Results are kept in memory: they end with this process, and no other one shares them. ${error.message}`,
      )
      return seal(memoryStore(quota))
    }
    if (error instanceof StoreUnavailable) throw new CommandFailed(EXIT.store, error.code, error.message)
    throw error
  }
}

/** Opens it now rather than at the first call. */
async function usable(store: Store): Promise<Store> {
  try {
    await store.get(`refcache:${'0'.repeat(32)}`)
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}
