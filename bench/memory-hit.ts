import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { RefCache } from '../src/index.ts'
import { interleave } from './interleave.ts'
import { compared, type Row } from './row.ts'

/** Batches long enough that each pays for the garbage it makes: in short ones the median leaves it out. */
const PLAN = { rounds: 15, batch: 10_000 }

/**
 * A hit in memory: `cached()` canonicalizes the input, hashes it, claims, authorizes and shows the value, which is
 * more than `getOrSet` does with a key that the caller has made.
 */
export async function memoryHitBench(): Promise<Row[]> {
  return [await hit('small value', { name: 'Ada', visits: 3 }), await hit('200 rows', rows(200))]
}

async function hit(what: string, value: unknown): Promise<Row> {
  const bento = new BentoCache({
    default: 'memory',
    stores: { memory: bentostore().useL1Layer(memoryDriver({ maxItems: 10_000 })) },
  })
  const cache = new RefCache()
  const lookup = cache.cached({ name: 'lookup' }, (_: { id: string }) => value)
  const [ours, theirs] = await interleave(
    [() => lookup({ id: 'ada' }), () => bento.getOrSet({ key: 'ada', ttl: '1h', factory: () => value })],
    PLAN,
  )
  await cache.close()
  await bento.disconnectAll()
  return compared(`memory hit of cached(), ${what}`, ours!, 'bentocache getOrSet', theirs!)
}

function rows(count: number): unknown {
  return Array.from({ length: count }, (_, id) => ({ id, name: `user ${id}`, active: id % 2 === 0 }))
}
