import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RefCache } from '../src/index.ts'
import { ADAPTERS } from '../src/ref-cache-adapters.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { PROXIED_RESULT } from '../src/values/result-projections.ts'
import { LARGE_RESULTS, type LargeResult, recordsOf, text } from './large-results.ts'
import { alone, idle, pauseOf, spin, timed } from './pause.ts'
import type { Row } from './row.ts'
import { wrapPauses } from './wrap-pauses.ts'

const BYTES = 50e6

/**
 * How long 50 MB hold the event loop, however they come and whatever is done with them. On the SQLite file. Against it stands what
 * Node itself takes to write or read the same in small steps.
 */
export async function pausesBench(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-bench-'))
  const cache = new RefCache({
    name: 'bench',
    store: sqliteStore(join(folder, 'cache.db')),
    defaultTtl: null,
  })
  try {
    const rows = [
      alone('an idle loop, for comparison', await timed(idle)),
      alone('a loop that only turns, for comparison', await timed(spin)),
      alone('one text of 50 MB made by Node, for comparison', await measured(flatten)),
    ]
    rows.push(...(await listRows(cache)))
    for (const what of Object.keys(LARGE_RESULTS) as LargeResult[])
      rows.push(...(await resultRows(cache, what)))
    rows.push(...(await wrapPauses(BYTES)))
    return rows
  } finally {
    await cache.close()
    rmSync(folder, { recursive: true })
  }
}

async function listRows(cache: RefCache): Promise<Row[]> {
  const list = recordsOf(BYTES)
  const { outcome: bytes, ...byNode } = await measured(() => writeList(list))
  const { outcome: set, ...setting } = await measured(() => cache.set('list', list))
  // Two lists at a time would be measured otherwise.
  list.length = 0
  const { outcome: _, ...parsing } = await measured(() => readList(bytes))
  bytes.length = 0
  const { outcome: __, ...resolving } = await measured(() => cache.resolve(set.refId))
  return [against('set of a list', setting, byNode), against('resolve of a list', resolving, parsing)]
}

async function resultRows(cache: RefCache, what: LargeResult): Promise<Row[]> {
  let result: object | undefined = LARGE_RESULTS[what](BYTES)
  const tool = cache.cached({ name: what, projection: PROXIED_RESULT, verbatim: true }, () => result)
  const { outcome, ...storing } = await measured(() => tool({}))
  const { refId } = outcome
  result = undefined
  const rows = [alone(`a result of ${what}, stored and previewed`, storing)]
  rows.push(alone(`a search in it`, await measured(() => cache.query(refId, { search: 'no such thing' }))))
  rows.push(alone(`an export of it`, await measured(() => writeOut(cache, refId))))
  return rows
}

/** What was there before is not collected meanwhile. */
async function measured<T>(run: () => Promise<T>) {
  globalThis.gc?.()
  return timed(run)
}

function against(
  what: string,
  ours: Parameters<typeof pauseOf>[0],
  byNode: Parameters<typeof pauseOf>[0],
): Row {
  return { what, ours: pauseOf(ours), against: `Node alone: ${pauseOf(byNode)}` }
}

const PER_STEP = 250

async function writeList(list: readonly object[]): Promise<Buffer[]> {
  const bytes: Buffer[] = []
  for (let at = 0; at < list.length; at += PER_STEP) {
    bytes.push(Buffer.from(JSON.stringify(list.slice(at, at + PER_STEP))))
    await turn()
  }
  return bytes
}

async function readList(bytes: readonly Buffer[]): Promise<object[]> {
  const list: object[] = []
  for (const piece of bytes) {
    for (const item of JSON.parse(piece.toString()) as object[]) list.push(item)
    await turn()
  }
  return list
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

async function writeOut(cache: RefCache, refId: string): Promise<void> {
  const { content } = await cache[ADAPTERS].openExport(refId, { format: 'json' })
  for await (const _ of content) {
    // Only the reading is measured.
  }
}

/** What V8 itself takes for one text of that size, all at once. */
async function flatten(): Promise<void> {
  const half = 'x'.repeat(BYTES / 2)
  text(half + half)
}
