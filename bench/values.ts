import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RefCache } from '../src/index.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { alone, idle, spin, timed } from './pause.ts'
import { compared, type Row } from './row.ts'

const ROUNDS = 5
/** Some 150 bytes of JSON each. */
const SMALL = { name: '1 MB', records: 7_000 }
const LARGE = { name: '100 MB', records: 680_000 }

/** Large lists on the SQLite file: to store them, and to read pages of them as a new process does, with nothing in memory. */
export async function valuesBench(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-bench-'))
  try {
    const path = join(folder, 'cache.db')
    const rows = [alone('an idle loop, for comparison', await timed(idle))]
    rows.push(alone('a loop that only turns, for comparison', await timed(spin)))
    const refs: string[] = []
    for (const { name, records } of [SMALL, LARGE]) {
      const list = listOf(records)
      globalThis.gc?.()
      const before = process.memoryUsage().rss
      const cache = opened(path)
      const { outcome, ...timing } = await timed(() => cache.set('list', list))
      const beside = (timing.peak - before) / 1e6
      rows.push(alone(`set of a ${name} list, ${beside.toFixed(0)} MB of memory beside it`, timing))
      refs.push(outcome.refId)
      await cache.close()
    }
    const [small = '', large = ''] = refs
    const pages = {
      'a preview': {},
      'page 1': { page: 1 },
      'a page in the middle, with page_size': { page: 100, pageSize: 10 },
    }
    for (const [what, options] of Object.entries(pages)) {
      const ofSmall = await firstTime(path, cache => cache.get(small, options))
      const ofLarge = await firstTime(path, cache => cache.get(large, options))
      rows.push(compared(`${what} of a ${LARGE.name} list`, ofLarge, `of ${SMALL.name}`, ofSmall))
    }
    const cache = opened(path)
    rows.push(alone(`resolve of a ${LARGE.name} list`, await timed(() => cache.resolve(large))))
    await cache.close()
    return rows
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function opened(path: string): RefCache {
  return new RefCache({ name: 'bench', store: sqliteStore(path), defaultTtl: null })
}

/** The median of what it takes a cache that has read nothing yet. */
async function firstTime(path: string, run: (cache: RefCache) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const cache = opened(path)
    // The file is open, and the time is agreed upon.
    await cache.exists('bench:00000000000000000000000000000000')
    const start = performance.now()
    await run(cache)
    times.push(performance.now() - start)
    await cache.close()
  }
  return times.sort((a, b) => a - b)[ROUNDS >> 1] as number
}

function listOf(count: number) {
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `User ${id}`,
    email: `user${id}@example.com`,
    note: 'calls back on Mondays',
    address: { street: `${id} Main Street`, city: 'Springfield' },
  }))
}
