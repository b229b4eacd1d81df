import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore, RefCache, type RefCacheOptions } from '../src/index.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'

/**
 * `npm run soak`: a million calls and a million polls, and what memory the process is left with. `npm run soak -- 100000`
 * does fewer. By hand: it takes minutes. It passes where, after `clear()` and after everything has expired, `heapUsed` and `external`
 * are within 10 % of a warmed-up start.
 */
const CALLS = Number(process.argv[2] ?? 1_000_000)
const WARM_UP = 5_000
/** How many calls are under way at once. */
const WIDTH = 100
const MB = 1024 * 1024

type Case = { readonly what: string; readonly calls: number; readonly options: () => RefCacheOptions }

const folder = mkdtempSync(join(tmpdir(), 'refcache-soak-'))
const CASES: readonly Case[] = [
  { what: 'memory, 10 entries', calls: CALLS, options: () => ({ store: memoryStore({ maxEntries: 10 }) }) },
  { what: 'memory', calls: CALLS, options: () => ({ store: memoryStore() }) },
  {
    what: 'SQLite',
    calls: Math.ceil(CALLS / 10),
    options: () => ({ store: sqliteStore(join(folder, 'soak.db')) }),
  },
]

/** After collection: what the process holds. */
function held(): number {
  for (let round = 0; round < 4; round++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function run(cache: RefCache, calls: number): Promise<void> {
  const lookup = cache.cached(
    { name: 'lookup', ttl: '2s', maxRetries: 0, replace: true },
    ({ id }: { id: number }) => {
      if (id % 100 === 0) throw new Error(`no ${id}`)
      return { id, text: 'x'.repeat(id % 500), list: [1, 2, 3] }
    },
  )
  for (let start = 0; start < calls; start += WIDTH) {
    await Promise.all(
      Array.from({ length: Math.min(WIDTH, calls - start) }, async (_, n) => {
        const answer = await lookup({ id: start + n }, { actor: 'user' }).catch(() => undefined)
        if (answer) await cache.get(answer.refId, { actor: 'user' }).catch(() => {})
      }),
    )
  }
}

const elapsed = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))
const inMb = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`

let failed = false
for (const { what, calls, options } of CASES) {
  const cache = new RefCache({ ...options(), taskRetention: '2s', sweepInterval: '1s' })
  await run(cache, WARM_UP)
  await cache.clear()
  const before = held()
  const begun = performance.now()
  await run(cache, calls)
  const seconds = (performance.now() - begun) / 1_000
  const full = held()
  // All that was made has expired by then, and was swept.
  await elapsed(4_000)
  const expired = held()
  await run(cache, WARM_UP)
  await cache.clear()
  const cleared = held()
  await cache.close()
  const worst = Math.max(expired, cleared) / before - 1
  failed ||= worst > 0.1
  console.log(
    `${what}: ${calls} calls and polls in ${seconds.toFixed(0)} s; warmed up ${inMb(before)}, full ${inMb(full)}, expired ${inMb(expired)}, cleared ${inMb(cleared)}, closed ${inMb(held())}; ${(worst * 100).toFixed(1)} %`,
  )
}
rmSync(folder, { recursive: true, force: true })
process.exitCode = failed ? 1 : 0
