import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RefCache } from '../src/index.ts'
import { ADAPTERS } from '../src/ref-cache-adapters.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { PROXIED_RESULT } from '../src/values/result-projections.ts'
import { alone, idle, spin, timed } from './pause.ts'
import type { Row } from './row.ts'

const BYTES = 50e6

/** How long 50 MB hold the event loop, however they come and whatever is done with them. On the SQLite file. */
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
    ]
    const refs = new Map<string, string>()
    for (const [what, result] of Object.entries(results())) {
      const tool = cache.cached({ name: what, projection: PROXIED_RESULT, verbatim: true }, () => result)
      const { outcome, ...timing } = await timed(() => tool({}))
      rows.push(alone(`a result of ${what}, stored and previewed`, timing))
      refs.set(what, outcome.refId)
    }
    const list = recordsOf(BYTES)
    const { outcome: set, ...setting } = await timed(() => cache.set('list', list))
    rows.push(alone('set of a list', setting))
    rows.push(alone('resolve of a list', await timed(() => cache.resolve(set.refId))))
    for (const what of ['lines of a log', 'JSON in a text', 'both fields'] as const) {
      const refId = refs.get(what) ?? ''
      const search = () => cache.query(refId, { search: 'no such thing' })
      rows.push(alone(`search in ${what}`, await timed(search)))
      rows.push(alone(`export of ${what}`, await timed(() => writeOut(cache, refId))))
    }
    return rows
  } finally {
    await cache.close()
    rmSync(folder, { recursive: true })
  }
}

async function writeOut(cache: RefCache, refId: string): Promise<void> {
  const { content } = await cache[ADAPTERS].openExport(refId, { format: 'json' })
  for await (const _ of content) {
    // Only the reading is measured.
  }
}

function results() {
  const text = (text: string) => ({ type: 'text', text })
  const structuredContent = { result: recordsOf(BYTES / 2) }
  const log = logOf(BYTES)
  return {
    'lines of a log': { content: [text(log)] },
    'JSON in a text': { content: [text(JSON.stringify(recordsOf(BYTES), null, 1))] },
    'both fields': { content: [text(JSON.stringify(structuredContent, null, 1))], structuredContent },
    'two texts': { content: [text(log.slice(0, log.length / 2)), text(log.slice(log.length / 2))] },
    'a text beside other data': { content: [text(logOf(BYTES / 2))], structuredContent },
  }
}

function recordsOf(bytes: number) {
  return Array.from({ length: Math.round(bytes / 130) }, (_, id) => ({
    id,
    name: `User ${id}`,
    email: `user${id}@example.com`,
    address: { street: `${id} Main Street`, city: 'Springfield' },
  }))
}

function logOf(bytes: number): string {
  const lines: string[] = []
  for (let length = 0; length < bytes; length += (lines.at(-1) as string).length) {
    lines.push(`2026-01-01T12:00:00Z INFO request ${lines.length} of user ${lines.length % 97} took 12 ms\n`)
  }
  return lines.join('')
}
