import type { Steps } from '../core/steps.ts'
import { isLog, logOrder } from './log-lines.ts'
import type { TextRows } from './text-table.ts'

/**
 * The lines of a text in the order in which they are worth showing: of a table its header and rows from everywhere, of a log the
 * first, the last and those that stand out. Undefined: from the beginning, as prose and code.
 *
 * @param lines all lines, so many, whenever it is called
 */
export function* lineOrder(
  lines: () => Iterable<string>,
  total: number,
  rows: TextRows | undefined,
): Steps<(() => Iterable<number>) | undefined> {
  if (rows) return () => rowOrder(rows, total)
  return (yield* isLog(lines(), total)) ? yield* logOrder(lines()) : undefined
}

/** Lines of a text that are remembered in their order: more fit into no preview. */
export const MOST_LINES = 1_500

/** As many lines of an order as are remembered. */
export function firstOf(order: Iterable<number>): number[] {
  const lines = new Set<number>()
  for (const line of order) {
    lines.add(line)
    if (lines.size === MOST_LINES) break
  }
  return [...lines]
}

/** Rows side by side cost one mark. */
const ROWS_PER_RUN = 3

/** Of a table its header, the first, the last and the odd rows, and rows from everywhere. */
export function* rowOrder({ header, starts, outliers }: TextRows, total: number): Iterable<number> {
  const lines = function* (row: number) {
    for (let line = starts.at(row) ?? 0; line < (starts.at(row + 1) ?? total); line++) yield line
  }
  for (let line = 0; line < header; line++) yield line
  for (const row of [0, starts.length - 1, ...outliers]) yield* lines(row)
  const runs = Math.ceil(starts.length / ROWS_PER_RUN)
  for (const run of halving(runs)) {
    for (let row = run * ROWS_PER_RUN; row < Math.min((run + 1) * ROWS_PER_RUN, starts.length); row++) {
      yield* lines(row)
    }
  }
}

/** The numbers from 0 up to `count`, so that as many as are taken lie evenly spaced. */
function* halving(count: number): Iterable<number> {
  yield 0
  for (let parts = 2; parts < 2 * count; parts *= 2) {
    for (let odd = 1; odd < parts; odd += 2) yield Math.floor((odd * count) / parts)
  }
}
