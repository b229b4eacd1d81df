import type { History } from '../../api.ts'

/** The runs of one tool. Milliseconds. */
export interface ToolRuns {
  readonly tool: string
  readonly count: number
  readonly median: number
}

type Run = History['runs'][number]

const MOST_TOOLS = 8
/** Points of one tool spread over so much of its line, so that they do not hide each other. */
const SPREAD = 0.5
/** A logarithm needs something. */
const LEAST_MS = 1

/** `undefined` where a point is of another kind. */
type Place = number | undefined
type Point = readonly [x: number, ended: Place, failed: Place, median: Place]

/** Points of a plot: how long, and on which line; one column each for runs, failed runs and medians. The first tool is the top line. */
export function durationsOf(runs: readonly Run[]): {
  tools: readonly ToolRuns[]
  data: [number[], Place[], Place[], Place[]]
} {
  const tools = toolsOf(runs)
  const lines = new Map(tools.map(({ tool }, i) => [tool, tools.length - 1 - i]))
  const points: Point[] = tools.map(({ tool, median }) => [median, undefined, undefined, lines.get(tool)])
  for (const [i, { tool, milliseconds, status }] of runs.entries()) {
    const line = lines.get(tool)
    if (line === undefined || status === 'cancelled') continue
    const y = line + spread(i)
    const x = Math.max(LEAST_MS, milliseconds)
    points.push(status === 'failed' ? [x, undefined, y, undefined] : [x, y, undefined, undefined])
  }
  points.sort((one, other) => one[0] - other[0])
  return {
    tools,
    data: [points.map(([x]) => x), points.map(p => p[1]), points.map(p => p[2]), points.map(p => p[3])],
  }
}

function toolsOf(runs: readonly Run[]): readonly ToolRuns[] {
  const spans = new Map<string, number[]>()
  for (const { tool, milliseconds, status } of runs) {
    if (status === 'cancelled') continue
    const known = spans.get(tool)
    if (known === undefined) spans.set(tool, [milliseconds])
    else known.push(milliseconds)
  }
  return [...spans]
    .map(([tool, all]) => ({ tool, count: all.length, median: Math.max(LEAST_MS, medianOf(all)) }))
    .sort((one, other) => other.count - one.count)
    .slice(0, MOST_TOOLS)
}

function medianOf(all: number[]): number {
  const sorted = [...all].sort((one, other) => one - other)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0
}

/** The same for each look, and even enough: multiples of the golden ratio. */
function spread(i: number): number {
  return (((i * 0.618_034) % 1) - 0.5) * SPREAD
}
