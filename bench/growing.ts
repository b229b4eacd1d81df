import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RefCache } from '../src/index.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { median } from './interleave.ts'
import { recordsOf } from './large-results.ts'
import { compared, type Row } from './row.ts'

const PIECE = recordsOf(100_000)
const SMALL = { name: '2 MB', pieces: 20 }
const LARGE = { name: '100 MB', pieces: 1_000 }
const ROUNDS = 15

/**
 * A list that a task appends to, on the SQLite file: what another piece costs, and what another process's polls and pages cost, while
 * it is small and when it is large.
 */
export async function growingBench(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-bench-'))
  const open = () =>
    new RefCache({ name: 'bench', store: sqliteStore(join(folder, 'cache.db')), defaultTtl: null })
  const [cache, elsewhere] = [open(), open()]
  const figures: Record<string, number>[] = []
  const grow = cache.cached<object>({ name: 'grow', asyncTimeout: 1, hardTimeout: null }, async (_, task) => {
    let appended = 0
    const append = () => {
      appended++
      return task.append(PIECE)
    }
    for (const { pieces } of [SMALL, LARGE]) {
      while (appended < pieces) await append()
      figures.push(await measure(append, elsewhere, task.refId, appended * PIECE.length))
    }
    return []
  })
  try {
    const { refId } = await grow({})
    await cache.get(refId, { wait: '10m' })
    const [small, large] = figures
    if (!small || !large) throw new Error('The task did not come to its end.')
    return Object.entries(large).map(([what, ms]) =>
      compared(`${what}, at ${LARGE.name}`, ms, `at ${SMALL.name}`, small[what] as number),
    )
  } finally {
    await Promise.all([cache.close(), elsewhere.close()])
    rmSync(folder, { recursive: true })
  }
}

/** The median of each in milliseconds. */
async function measure(
  append: () => Promise<void>,
  elsewhere: RefCache,
  refId: string,
  items: number,
): Promise<Record<string, number>> {
  const operations = {
    'another piece of 100 KB': append,
    'a poll': () => elsewhere.get(refId),
    'its first page': () => elsewhere.get(refId, { page: 1 }),
    'a page near its end': () => elsewhere.get(refId, { page: Math.floor(items / 10), pageSize: 10 }),
  }
  const times: Record<string, number[]> = {}
  for (let round = 0; round < ROUNDS; round++) {
    // The entry is written at most each 100 ms.
    await new Promise(resolve => setTimeout(resolve, 120))
    for (const [what, operation] of Object.entries(operations)) {
      const start = performance.now()
      await operation()
      times[what] = [...(times[what] ?? []), performance.now() - start]
    }
  }
  return Object.fromEntries(Object.entries(times).map(([what, all]) => [what, median(all)]))
}
