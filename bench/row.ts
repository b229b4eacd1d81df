/** One comparison, or one measurement that stands alone. */
export interface Row {
  readonly what: string
  /** What this project took. */
  readonly ours: string
  /** What it is held against, and what that took. */
  readonly against?: string
  /** Ours ÷ theirs in time: below 1 is faster. */
  readonly ratio?: number
}

export function compared(what: string, oursMs: number, name: string, theirsMs: number): Row {
  return { what, ours: duration(oursMs), against: `${name}: ${duration(theirsMs)}`, ratio: oursMs / theirsMs }
}

export function duration(ms: number): string {
  if (ms < 0.1) return `${(ms * 1000).toFixed(1)} µs`
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${ms.toFixed(0)} ms`
}

export function table(rows: readonly Row[]): string {
  const lines = [
    ['', 'this project', 'against', 'ratio'],
    ...rows.map(({ what, ours, against, ratio }) => [
      what,
      ours,
      against ?? '',
      ratio === undefined ? '' : `${ratio.toFixed(2)}×`,
    ]),
  ]
  const widths = [0, 1, 2, 3].map(column => Math.max(...lines.map(line => line[column]!.length)))
  return lines
    .map(line =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('   ')
        .trimEnd(),
    )
    .join('\n')
}
