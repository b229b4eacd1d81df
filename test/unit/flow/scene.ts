import { RefCache } from '../../../src/ref-cache.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

/** A cache whose time is the test's. */
export function scene(options: RefCacheOptions = {}) {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock, ...options })
  return { clock, cache }
}

/** A promise that the test settles. */
export function deferred<T = unknown>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}
