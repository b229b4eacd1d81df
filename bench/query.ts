import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { RefCache } from '../src/index.ts'
import { duration, type Row } from './row.ts'

/** The compiled bench stands elsewhere than the package. */
const ENTRY = ['../dist/query/child.mjs', '../../../dist/query/child.mjs']
  .map(path => fileURLToPath(new URL(path, import.meta.url)))
  .find(path => existsSync(path))

interface Case {
  readonly what: string
  readonly list: () => object[]
  readonly first: string
  readonly next: string
}

const CASES: readonly Case[] = [
  {
    what: '35,000 log records',
    list: () =>
      Array.from({ length: 35_000 }, (_, at) => ({
        ts: new Date(1_700_000_000_000 + at * 1_000).toISOString(),
        level: at % 20 === 0 ? 'warn' : 'info',
        service: `svc${at % 12}`,
        ms: at % 977,
        message: `request ${at} was handled`,
      })),
    first: "select count(*) n from items where level = 'warn'",
    next: 'select service, max(ms) worst from items group by 1',
  },
  {
    what: 'a 100 MB list of 5 columns',
    list: () =>
      Array.from({ length: 1_000_000 }, (_, at) => ({
        id: at,
        level: at % 20 === 0 ? 'warn' : 'info',
        service: `svc${at % 50}`,
        ms: ((at * 7919) % 30_000) / 10,
        message: `request handled in time ${at}`,
      })),
    first: 'select count(*) n from items',
    next: 'select service, avg(ms) mean from items group by 1',
  },
  {
    what: '40 MB of 300 columns',
    list: () =>
      Array.from({ length: 6_700 }, (_, at) =>
        Object.fromEntries(
          Array.from({ length: 300 }, (_, column) => [
            `column_${column}`,
            column % 3 ? at * column : `v${at}`,
          ]),
        ),
      ),
    first: 'select max(column_7) most from items',
    next: 'select column_3, count(*) n from items group by 1 limit 5',
  },
]

/** Questions in SQL: the first about a value, for which it is loaded, and the next. How long the serving process was held, too. */
export async function queryBench(): Promise<Row[]> {
  const cache = new RefCache({ name: 'bench', defaultTtl: null, query: { entry: ENTRY } })
  const rows: Row[] = []
  for (const { what, list, first, next } of CASES) {
    const { refId } = await cache.set('list', list())
    globalThis.gc?.()
    // The process is there, as it is for all questions but the very first.
    const warm = await cache.set('warm', [1])
    await cache.query(warm.refId, { sql: 'select 1' })
    rows.push(await timed(`${what}, first question`, () => cache.query(refId, { sql: first })))
    rows.push(await timed(`${what}, next question`, () => cache.query(refId, { sql: next })))
    await cache.delete(refId)
  }
  await cache.close()
  return rows
}

async function timed(what: string, run: () => Promise<unknown>): Promise<Row> {
  let last = performance.now()
  let longestPause = 0
  const tick = () => {
    longestPause = Math.max(longestPause, performance.now() - last)
    last = performance.now()
  }
  const ticking = setInterval(tick, 1)
  const start = performance.now()
  await run()
  const ms = performance.now() - start
  tick()
  clearInterval(ticking)
  return { what, ours: `${duration(ms)}, longest pause ${duration(longestPause)}` }
}
