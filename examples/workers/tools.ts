import type { RefCache } from 'mcp-refcache'

/** Fronts and workers register the same tools: fronts to be called, workers to run them. */
export function registerTools(cache: RefCache) {
  return cache.cached(
    // A worker may die in the middle: then another one does it again.
    { name: 'primes', asyncTimeout: '200ms', idempotent: true },
    async ({ below }: { below: number }, task) => {
      const found: number[] = []
      for (let n = 2; n < below; n++) {
        if (found.every(prime => n % prime !== 0)) found.push(n)
        if (n % 1_000 === 0) task.progress(n, below, `up to ${n}`)
        if (n % 1_000 === 0) await new Promise(resolve => setTimeout(resolve, 20))
      }
      return { worker: process.pid, count: found.length, largest: found.at(-1) }
    },
  )
}
