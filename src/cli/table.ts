import stringWidth from 'string-width'
import { printable } from '../core/printable.ts'

export interface Column {
  readonly title: string
  /** @defaultValue 'left' */
  readonly align?: 'left' | 'right'
}

const GAP = '  '
const LEAST_WIDTH = 4
const MARK = '…'

/** Its cells; or a remark between rows, which may run over all columns. */
export type Row = readonly string[] | string

/**
 * Rows in columns, each on one line of at most `width` cells. The widest columns give way, and what is cut has a mark.
 * Nothing in a cell can move the cursor.
 *
 * @param width of the terminal; undefined: nothing is cut, as for a pipe
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly Row[],
  width: number | undefined,
): string {
  const safe = rows.map(row => (typeof row === 'string' ? printable(row) : row.map(printable)))
  const lines: readonly Row[] = [columns.map(({ title }) => printable(title)), ...safe]
  const widths = fitted(widthsOf(columns.length, lines), width)
  return lines.map(row => `${lineOf(row, columns, widths, width)}\n`).join('')
}

function lineOf(row: Row, columns: readonly Column[], widths: readonly number[], width: number | undefined) {
  if (typeof row === 'string') return cut(row, width ?? Number.POSITIVE_INFINITY)
  const cells = row.map((cell, at) => padded(cell, widths[at] ?? 0, columns[at]?.align))
  return cells.join(GAP).trimEnd()
}

function widthsOf(count: number, rows: readonly Row[]): number[] {
  const widths = Array<number>(count).fill(0)
  for (const row of rows) {
    if (typeof row === 'string') continue
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, stringWidth(cell))
  }
  return widths
}

/** Takes from the widest column, again and again. */
function fitted(widths: number[], width: number | undefined): number[] {
  if (width === undefined) return widths
  let excess = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width
  while (excess > 0) {
    const widest = Math.max(...widths)
    if (widest <= LEAST_WIDTH) break
    widths[widths.lastIndexOf(widest)] = widest - 1
    excess--
  }
  return widths
}

function padded(cell: string, width: number, align: Column['align'] = 'left'): string {
  const text = cut(cell, width)
  const space = ' '.repeat(Math.max(0, width - stringWidth(text)))
  return align === 'right' ? space + text : text + space
}

/** By characters as people see them: a cut never halves one. */
function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let kept = ''
  let used = stringWidth(MARK)
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += stringWidth(segment)
    if (used > width) break
    kept += segment
  }
  return kept + MARK
}
