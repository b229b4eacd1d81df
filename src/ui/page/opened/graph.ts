import { html } from 'htm/preact'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Detail, EntryGraph } from '../../api.ts'
import { Status } from '../parts/status.ts'
import type { Server } from '../server.ts'
import { hashOf } from '../state/route.ts'
import { nameOf, plural } from '../words.ts'
import { type Column, type Layout, layOut, type PlacedEdge, type PlacedNode, STEP } from './graph-layout.ts'

/** How much of a column's width its nodes take; lines have the rest. */
const NODE_SHARE = 0.82

/** What a reference was made of on the left, what was made of it on the right. On a phone one below the other, further in with each step. */
export function UsedGraph({ detail, server }: { detail: Detail; server: Server }) {
  const graph = useGraph(detail, server)
  const layout = useMemo(() => graph && layOut(graph), [graph])
  const box = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => showOpened(box.current), [layout])
  if (graph === undefined || layout === undefined || layout.columns.length < 2) return undefined
  const { columns, height, edges } = layout
  const names = new Map(graph.nodes.map(node => [node.ref, nameOf(node)]))
  return html`<section class="block" aria-labelledby="graph-title">
    <h3 id="graph-title">Who used whom</h3>
    <div class="graph-box" ref=${box}>
      <div class="graph" style=${{ '--columns': columns.length, '--height': `${height}px` }}>
        <${Lines} layout=${layout} />
        ${columns.map((column, i) => html`<${Nodes} key=${column.level} column=${column} step=${i} names=${names} />`)}
      </div>
    </div>
    ${edges.some(({ how }) => how === 'guard') && html`<p class="hint">Dashed: a guard. Who may not see the one may not see the other.</p>`}
    ${(graph.more ?? 0) > 0 && html`<p class="hint">At least ${plural(graph.more ?? 0, 'entry', 'entries')} more hang together with it.</p>`}
  </section>`
}

/** A wide graph is scrolled to its middle, and the page is not scrolled with it. */
function showOpened(box: HTMLElement | null): void {
  const column = box?.querySelector('.is-self')?.closest<HTMLElement>('.graph-column')
  if (box && column) box.scrollLeft = column.offsetLeft - (box.clientWidth - column.offsetWidth) / 2
}

/** Asked for where there is something to draw, and anew when that changed. */
function useGraph({ row: { ref }, uses, usedBy }: Detail, server: Server): EntryGraph | undefined {
  const [graph, setGraph] = useState<EntryGraph | undefined>(undefined)
  const state = [...uses, ...usedBy].map(one => `${one.ref} ${one.status}`).join()
  useEffect(() => {
    if (state === '') return setGraph(undefined)
    let isCurrent = true
    server.graph(ref).then(
      next => isCurrent && setGraph(next),
      // The rest of the page says that the server is away.
      () => undefined,
    )
    return () => {
      isCurrent = false
    }
  }, [ref, state, server])
  return graph
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
      ${more > 0 && html`<li class="muted" style=${{ '--y': `${(nodes.at(-1)?.y ?? 0) + STEP}px` }}>and ${plural(more, 'more', 'more')}</li>`}
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
  return html`<a class="node ${node.isGuard ? 'is-guard' : ''}" href=${hashOf(node.ref)} title=${`${nameOf(node)} ${node.ref}`}>${body}</a>`
}

/** Drawn behind the nodes in percent of the width, so that nothing has to be measured. */
function Lines({ layout: { columns, edges, height } }: { layout: Layout }) {
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
