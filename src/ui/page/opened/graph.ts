import { html } from 'htm/preact'
import { useMemo } from 'preact/hooks'
import type { Detail } from '../../api.ts'
import { Status } from '../parts/status.ts'
import { hashOf } from '../state/route.ts'
import { nameOf, plural } from '../words.ts'
import { type Column, type Graph, layOut, linksOf, type PlacedEdge, type PlacedNode } from './graph-layout.ts'

/** How much of a column's width its nodes take; lines have the rest. */
const NODE_SHARE = 0.82

/** What a reference was made of on the left, what was made of it on the right. On a phone one below the other, further in with each step. */
export function UsedGraph({ detail }: { detail: Detail }) {
  const graph = useMemo(() => {
    const { nodes, edges } = linksOf(detail)
    return layOut(nodes, edges)
  }, [detail])
  if (graph.columns.length < 2) return undefined
  const names = new Map(graph.columns.flatMap(({ nodes }) => nodes.map(node => [node.ref, nameOf(node)])))
  return html`<section class="block" aria-labelledby="graph-title">
    <h3 id="graph-title">Who used whom</h3>
    <div class="graph" style=${{ '--columns': graph.columns.length, '--height': `${graph.height}px` }}>
      <${Lines} graph=${graph} />
      ${graph.columns.map((column, i) => html`<${Nodes} key=${column.level} column=${column} step=${i} names=${names} />`)}
    </div>
    ${graph.edges.some(({ how }) => how === 'guard') && html`<p class="hint">Dashed: a guard. Who may not see the one may not see the other.</p>`}
  </section>`
}

interface NodesProps {
  readonly column: Column
  readonly step: number
  readonly names: ReadonlyMap<string, string>
}

function Nodes({ column: { level, nodes, more }, step, names }: NodesProps) {
  const title = titleOf(level)
  return html`<div class="graph-column" style=${{ '--step': step }}>
    <h4>${title}</h4>
    <ul aria-label=${title}>
      ${nodes.map(node => html`<li key=${node.ref} style=${{ '--y': `${node.y}px` }}><${Node} node=${node} names=${names} /></li>`)}
      ${more > 0 && html`<li class="muted" style=${{ '--y': `${(nodes.at(-1)?.y ?? 0) + 36}px` }}>and ${plural(more, 'more', 'more')}</li>`}
    </ul>
  </div>`
}

function titleOf(level: number): string {
  if (level === 0) return 'Opened'
  const steps = Math.abs(level) === 1 ? '' : `, ${Math.abs(level)} steps away`
  return level < 0 ? `Made of${steps}` : `Used by${steps}`
}

function Node({ node, names }: { node: PlacedNode; names: NodesProps['names'] }) {
  const madeOf = node.madeOf.flatMap(ref => names.get(ref) ?? [])
  const body = html`<${Status} row=${node} /><span class="one-line">${nameOf(node)}</span>${madeOf.length > 0 && html`<span class="unseen">, made of ${madeOf.join(', ')}</span>`}${node.isGuard && html`<span class="unseen">, a guard</span>`}`
  if (node.level === 0) return html`<span class="node is-self" aria-current="true">${body}</span>`
  return html`<a class="node ${node.isGuard ? 'is-guard' : ''}" href=${hashOf(node.ref)} title=${node.ref}>${body}</a>`
}

/** Drawn behind the nodes in percent of the width, so that nothing has to be measured. */
function Lines({ graph: { columns, edges, height } }: { graph: Graph }) {
  const width = 100 / (columns.length - 1 + NODE_SHARE)
  return html`<svg class="graph-lines" viewBox=${`0 0 100 ${height}`} preserveAspectRatio="none" aria-hidden="true">
    ${edges.map((edge, i) => html`<path key=${i} class="is-${edge.how}" d=${pathOf(edge, width)} />`)}
  </svg>`
}

function pathOf({ from: [fromX, fromY], to: [toX, toY] }: PlacedEdge, width: number): string {
  const start = (fromX + NODE_SHARE) * width
  const end = toX * width
  const middle = (start + end) / 2
  return `M${start} ${fromY}C${middle} ${fromY} ${middle} ${toY} ${end} ${toY}`
}
