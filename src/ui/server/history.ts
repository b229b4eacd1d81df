import { setImmediate as turn } from 'node:timers/promises'
import type { History } from '../api.ts'
import type { Seen, Sight } from './sight.ts'

/** So many of the newest entries are looked at for runs: enough for a plot, and few enough to wait for. */
const MOST_LOOKED_AT = 2_000
const PAGE = 200
const ENDED = ['complete', 'failed', 'cancelled'] as const

/** What was saved since then, and how long runs took that ended since then. */
export async function historyOf(sight: Sight, since: Date): Promise<History> {
  const savings = await sight.savings(since)
  return {
    savings: savings.map(({ at, ...tokens }) => ({ at: at.toISOString(), ...tokens })),
    ...(await runsSince(sight, since)),
  }
}

async function runsSince(sight: Sight, since: Date): Promise<Pick<History, 'runs' | 'runsFrom'>> {
  const runs: Array<History['runs'][number]> = []
  let oldest: Seen | undefined
  let cursor: string | undefined
  for (let page = 0; page < MOST_LOOKED_AT / PAGE; page++) {
    const { entries, nextCursor } = await sight.list({ statuses: ENDED, limit: PAGE, cursor })
    for (const entry of entries) runs.push(...runOf(entry, since))
    oldest = entries.at(-1) ?? oldest
    cursor = nextCursor
    // The list goes by when work was asked for: what is older may have ended since, but seldom.
    if (cursor === undefined || (oldest && oldest.createdAt < since)) break
    await turn()
  }
  runs.sort((one, other) => (one.at < other.at ? -1 : 1))
  if (cursor === undefined || !oldest || oldest.createdAt < since) return { runs }
  return { runs, runsFrom: oldest.createdAt.toISOString() }
}

function runOf({ status, toolName, startedAt, completedAt }: Seen, since: Date): History['runs'] {
  const hasEnded = status === 'complete' || status === 'failed' || status === 'cancelled'
  if (!hasEnded || toolName === undefined || !startedAt || !completedAt || completedAt < since) return []
  const milliseconds = completedAt.getTime() - startedAt.getTime()
  return [{ tool: toolName, at: completedAt.toISOString(), milliseconds, status }]
}
