import type { History } from '../api.ts'
import type { Seen, Sight } from './sight.ts'

const MOST_RUNS = 5_000
/** So many entries are looked at for them. */
const MOST_PAGES = 60
const PAGE = 200
const ENDED = ['complete', 'failed', 'cancelled'] as const

/** What was saved since then, and how long runs took that ended since then. */
export async function historyOf(sight: Sight, since: Date): Promise<History> {
  const savings = await sight.savings(since)
  return {
    savings: savings.map(({ at, ...tokens }) => ({ at: at.toISOString(), ...tokens })),
    runs: await runsSince(sight, since),
  }
}

async function runsSince(sight: Sight, since: Date): Promise<History['runs']> {
  const runs: Array<History['runs'][number]> = []
  let cursor: string | undefined
  for (let page = 0; page < MOST_PAGES; page++) {
    const { entries, nextCursor } = await sight.list({ statuses: ENDED, limit: PAGE, cursor })
    for (const entry of entries) runs.push(...runOf(entry, since))
    // The list goes by when work was asked for: what is older may have ended since, but seldom.
    const isPast = (entries.at(-1)?.createdAt ?? since) < since
    cursor = nextCursor
    if (cursor === undefined || isPast || runs.length >= MOST_RUNS) break
  }
  return runs.slice(0, MOST_RUNS).sort((one, other) => (one.at < other.at ? -1 : 1))
}

function runOf({ status, toolName, startedAt, completedAt }: Seen, since: Date): History['runs'] {
  const hasEnded = status === 'complete' || status === 'failed' || status === 'cancelled'
  if (!hasEnded || toolName === undefined || !startedAt || !completedAt || completedAt < since) return []
  const milliseconds = completedAt.getTime() - startedAt.getTime()
  return [{ tool: toolName, at: completedAt.toISOString(), milliseconds, status }]
}
