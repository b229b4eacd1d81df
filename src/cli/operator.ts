import { actor } from '../access/actor.ts'
import type { AuditSink } from '../access/audit.ts'
import { cacheNameOf, type RefId } from '../core/ref.ts'
import type { Dispatcher } from '../execution/dispatcher.ts'
import { RefCache } from '../ref-cache.ts'
import type { Store } from '../stores/store.ts'
import { existingStore, referenceOf, type StoreValues, toFailure } from './store-option.ts'

/** Who runs this command owns the store, and may do everything with it. */
export const OPERATOR = actor.system()

/** Gives work away: a process that has the tool takes it. */
const others: Dispatcher = { shared: true, dispatch: () => 'elsewhere' }

/** No sweep begins while a command lasts: what others run is theirs to look after. */
const NEVER_SWEPT = '20d'

/** One cache of a store, for its operator: it runs no tools and sweeps nothing. */
export function operatorCache(name: string, store: Store, audit?: AuditSink): RefCache {
  const limits = { sweepInterval: NEVER_SWEPT, maxTtl: null } as const
  return new RefCache({ name, store, dispatcher: others, ...limits, ...(audit ? { audit } : {}) })
}

/**
 * Does something with one cache of a store, by a `RefCache` that runs no tools and sweeps nothing.
 * @throws CommandFailed in the place of the errors of the cache
 */
export async function withCache<T>(
  store: Store,
  name: string,
  work: (cache: RefCache) => Promise<T>,
): Promise<T> {
  const cache = operatorCache(name, store)
  try {
    return await work(cache)
  } catch (error) {
    throw toFailure(error)
  } finally {
    await cache.close()
  }
}

/**
 * The same with the cache of a reference.
 * @param given a reference, or the beginning of one that is the only one to begin so; with a fragment it names a part
 * @throws CommandFailed
 */
export async function withReference<T>(
  values: StoreValues,
  given: string,
  work: (cache: RefCache, reference: RefId) => Promise<T>,
): Promise<T> {
  const [beginning = '', ...fragment] = given.split('#')
  const store = existingStore(values)
  const refId = await referenceOf(store, beginning).catch(async error => {
    await store.close()
    throw toFailure(error)
  })
  return withCache(store, cacheNameOf(refId), cache => work(cache, [refId, ...fragment].join('#')))
}
