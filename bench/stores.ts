import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryStore, RefCache, type Store, type TaskContext } from '../src/index.ts'
import { redisStore } from '../src/stores/redis.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { redisIsInstalled, startRedis } from '../test/redis-server.ts'
import { interleave } from './interleave.ts'
import { compared, type Row } from './row.ts'

const PLAN = { rounds: 7, batch: 100 }

/** Claims, polls and progress of a whole cache on each store, against the bare operation of that store. */
export async function storesBench(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-bench-'))
  const redis = redisIsInstalled ? await startRedis() : undefined
  try {
    const rows = [
      ...(await measure('memory', memoryStore())),
      ...(await measure('SQLite', sqliteStore(join(folder, 'cache.db')))),
    ]
    if (!redis) return [...rows, { what: 'Redis', ours: 'not measured: redis-server is not installed' }]
    return [...rows, ...(await measure('Redis', redisStore(redis.url)))]
  } finally {
    await redis?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(name: string, store: Store): Promise<Row[]> {
  const cache = new RefCache({ name: 'bench', store })
  const echo = cache.cached({ name: 'echo' }, ({ n }: { n: number }) => n)
  let n = 0
  const { refId } = await echo({ n })
  const bareGet = () => store.get(refId)
  const [hit, won, poll, get] = await interleave(
    [() => echo({ n: 0 }), () => echo({ n: ++n }), () => cache.get(refId), bareGet],
    PLAN,
  )
  const progress = await progressCost(cache)
  await cache.close()
  return [
    compared(`${name}: call answered from the cache`, hit!, 'bare get', get!),
    compared(`${name}: call that runs (claim, start, settle)`, won!, 'bare get', get!),
    compared(`${name}: poll`, poll!, 'bare get', get!),
    { what: `${name}: task.progress, one of 100,000`, ours: `${(progress * 1e6).toFixed(0)} ns` },
  ]
}

/** Milliseconds of one report, the throttled writes included. */
async function progressCost(cache: RefCache): Promise<number> {
  const reports = 100_000
  let took = 0
  const busy = cache.cached({ name: 'busy', memoize: false }, (_: object, task: TaskContext) => {
    const start = performance.now()
    for (let n = 0; n < reports; n++) task.progress(n, reports)
    took = performance.now() - start
  })
  await busy({})
  return took / reports
}
