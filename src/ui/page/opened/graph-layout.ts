import type { EntryGraph, GraphNode, Linked } from '../../api.ts'

/** A graph in places: in columns, what was made of what going from left to right. */
export interface Layout {
  readonly columns: readonly Column[]
  readonly edges: readonly PlacedEdge[]
  readonly height: number
}

export interface Column {
  /** 0 is the opened reference, below it stands what that was made of, above it what was made of it. */
  readonly level: number
  readonly nodes: readonly PlacedNode[]
  /** How many more there are than are drawn. */
  readonly more: number
}

export interface PlacedNode extends GraphNode {
  /** The middle. */
  readonly y: number
  readonly madeOf: readonly string[]
  /** Nothing but guards ties it. */
  readonly isGuard: boolean
}

/** From the right of one node to the left of another: x is counted in columns. */
export interface PlacedEdge extends Pick<Linked, 'how'> {
  readonly from: readonly [x: number, y: number]
  readonly to: readonly [x: number, y: number]
}

const NODE_HEIGHT = 36
/** From one node of a column to the next. */
export const STEP = NODE_HEIGHT + 8
const MOST_IN_COLUMN = 8

export function layOut({ nodes, edges }: EntryGraph): Layout {
  const levels = [...new Set(nodes.map(({ level }) => level))].sort((one, other) => one - other)
  const groups = levels.map(level => {
    const all = unique(nodes.filter(node => node.level === level))
    return { level, drawn: all.slice(0, MOST_IN_COLUMN), more: Math.max(0, all.length - MOST_IN_COLUMN) }
  })
  const lines = Math.max(...groups.map(({ drawn, more }) => drawn.length + (more > 0 ? 1 : 0)))
  const height = lines * STEP - (STEP - NODE_HEIGHT)
  const places = new Map<string, readonly [x: number, y: number]>()
  const columns = groups.map(({ level, drawn, more }, x) => {
    const top = (height - (drawn.length + (more > 0 ? 1 : 0)) * STEP + (STEP - NODE_HEIGHT)) / 2
    return {
      level,
      more,
      nodes: drawn.map((node, i) => {
        const y = top + i * STEP + NODE_HEIGHT / 2
        places.set(node.ref, [x, y])
        const madeOf = edges.flatMap(({ from, to }) => (to === node.ref ? [from] : []))
        const ties = edges.filter(({ from, to }) => from === node.ref || to === node.ref)
        const isGuard = level !== 0 && ties.every(({ how }) => how === 'guard')
        return { ...node, y, madeOf, isGuard }
      }),
    }
  })
  return { columns, height, edges: edges.flatMap(edge => placed(edge, places)) }
}

/** One and the same may be linked in two ways. */
function unique(nodes: readonly GraphNode[]): readonly GraphNode[] {
  return [...new Map(nodes.map(node => [node.ref, node])).values()]
}

function placed(
  { from, to, how }: EntryGraph['edges'][number],
  places: ReadonlyMap<string, readonly [x: number, y: number]>,
): PlacedEdge[] {
  const [start, end] = [places.get(from), places.get(to)]
  return start === undefined || end === undefined ? [] : [{ from: start, to: end, how }]
}
