import type { Row } from '../../api.ts'

/** A task, and when the page was told how far it is. Milliseconds of the server's clock. */
export interface Sighting {
  readonly row: Row
  readonly seenAt: number
}

/** An estimate never says that the work is done. */
const ALMOST = 0.99

/**
 * How far the task is now, 0 to 1: what it said, and from there on by its ETA, so that a bar moves between two reports.
 * `undefined` where neither says anything.
 */
export function fractionAt({ row, seenAt }: Sighting, now: number): number | undefined {
  if (row.status === 'complete') return 1
  const etaSeconds = etaOf(row)
  const said = saidFraction(row)
  if (etaSeconds === undefined) return said
  const since = Math.max(0, now - seenAt)
  const eta = etaSeconds * 1_000
  const from = said ?? startFraction(row, seenAt, eta)
  if (from === undefined) return undefined
  if (from >= ALMOST || eta === 0) return from
  return Math.min(furthest(said), from + (1 - from) * Math.min(1, since / eta))
}

/** Seconds that are left now. Absent where the task has been silent for so long that its estimate means nothing. */
export function etaAt(task: Sighting, now: number): number | undefined {
  const etaSeconds = etaOf(task.row)
  if (etaSeconds === undefined) return undefined
  const limit = furthest(saidFraction(task.row))
  if (limit < ALMOST && fractionAt(task, now) === limit) return undefined
  return Math.max(0, etaSeconds - Math.max(0, now - task.seenAt) / 1_000)
}

/** Without another word a task gets no further than twice as far: it has then been silent for as long as it had run before. */
function furthest(said: number | undefined): number {
  return said === undefined || said === 0 ? ALMOST : Math.min(ALMOST, 2 * said)
}

/** A task that waits, also for an answer, comes no nearer to its end. */
function etaOf({ status, questions = 0, etaSeconds }: Row): number | undefined {
  return status === 'processing' && questions === 0 ? etaSeconds : undefined
}

function saidFraction({ progress }: Row): number | undefined {
  const { percentage, current, total } = progress ?? {}
  const fraction =
    percentage !== undefined
      ? percentage / 100
      : current !== undefined && total !== undefined && total > 0
        ? current / total
        : undefined
  return fraction === undefined ? undefined : Math.min(1, Math.max(0, fraction))
}

/** A task that says nothing of itself, but whose earlier runs do. */
function startFraction(row: Row, seenAt: number, eta: number): number | undefined {
  if (row.startedAt === undefined) return undefined
  const elapsed = Math.max(0, seenAt - Date.parse(row.startedAt))
  return elapsed + eta === 0 ? undefined : elapsed / (elapsed + eta)
}
