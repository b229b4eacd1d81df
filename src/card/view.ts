import { html } from 'htm/preact'
import type { Done, Ended, Refused, Running } from './answer.ts'
import type { CardState } from './follow.ts'
import { type Row, shownValue } from './table.ts'
import { detailsOf } from './words.ts'

export interface CardProps {
  readonly title: string
  readonly state: CardState
  /** False: the host lets no card ask its server, so nothing can be followed or done. */
  readonly canAsk: boolean
  readonly actions: {
    cancel(): void
    retry(): void
    page(page: number): void
  }
}

/** One tool call, as it stands. All that comes from outside is text: the templates put nothing else into the page. */
export function Card(props: CardProps) {
  const { title, state } = props
  const problem = 'problem' in state ? state.problem : undefined
  return html`
    <main class="card ${state.kind}">
      <header>
        <h1>${title}</h1>
        <span class="status" role="status">${statusOf(props)}</span>
        <${Buttons} ...${props} />
      </header>
      <${Body} ...${props} />
      ${problem && html`<p class="problem" role="alert">${problem}</p>`}
    </main>
  `
}

function statusOf({ state, canAsk }: CardProps): string {
  switch (state.kind) {
    case 'called':
      return 'running'
    case 'running':
      if (!canAsk) return 'running; ask in the chat how far it is'
      return state.busy === 'cancelling'
        ? 'cancelling…'
        : state.isWaiting || state.isAsking
          ? 'waiting'
          : 'running'
    case 'done':
      return state.busy ? 'loading…' : 'done'
    case 'ended':
      return state.busy ? 'trying again…' : state.status
    case 'refused':
      return 'failed'
  }
}

function Buttons({ state, canAsk, actions }: CardProps) {
  if (!canAsk || state.kind === 'called' || state.refId === undefined) return undefined
  const isBusy = state.busy !== undefined
  if (state.kind === 'running')
    return html`<button type="button" disabled=${isBusy} onClick=${actions.cancel}>Cancel</button>`
  if (state.kind === 'ended' && state.canRetry)
    return html`<button type="button" disabled=${isBusy} onClick=${actions.retry}>Try again</button>`
  return undefined
}

function Body(props: CardProps) {
  const { state, title } = props
  switch (state.kind) {
    case 'called':
      return html`<${Bar} title=${title} />`
    case 'running':
      return html`<${Progress} title=${title} running=${state} />`
    case 'done':
      return html`<${Result} ...${props} done=${state} />`
    case 'ended':
    case 'refused':
      return html`<${Failure} ended=${state} />`
  }
}

function Progress({ title, running }: { title: string; running: Running }) {
  const { percent } = running
  return html`
    <${Bar} title=${title} percent=${percent} />
    <p class="details">
      ${percent !== undefined && html`<strong>${Math.floor(percent)}%</strong>`}
      ${detailsOf(running).map(part => html`<span>${part}</span>`)}
    </p>
  `
}

/** Without a percentage it only says that something goes on. */
function Bar({ title, percent }: { title: string; percent?: number }) {
  return html`
    <div
      class=${percent === undefined ? 'bar unknown' : 'bar'}
      role="progressbar"
      aria-label=${`Progress of ${title}`}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${percent === undefined ? undefined : Math.floor(percent)}
    >
      <div style=${percent === undefined ? undefined : { width: `${percent}%` }}></div>
    </div>
  `
}

function Failure({ ended }: { ended: Ended | Refused }) {
  return ended.words === '' ? undefined : html`<p class="words">${ended.words}</p>`
}

function Result({ done, canAsk, actions }: CardProps & { done: Done }) {
  const shown = shownValue(done.value)
  if (shown.kind === 'nothing') return undefined
  if (shown.kind === 'text')
    return html`<pre class="value" tabindex="0" role="region" aria-label="Result">${shown.text}</pre>
      <${Pages} done=${done} canAsk=${canAsk} page=${actions.page} />`
  return html`
    <div class="value" tabindex="0" role="region" aria-label="Result">
      <table>
        <thead>
          <tr>
            ${shown.columns.map(name => html`<th scope="col">${name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${shown.rows.map(row => html`<${TableRow} row=${row} columns=${shown.columns.length} />`)}
        </tbody>
      </table>
    </div>
    ${shown.left > 0 && html`<p class="details">${shown.left} more</p>`}
    <${Pages} done=${done} canAsk=${canAsk} page=${actions.page} />
  `
}

function TableRow({ row, columns }: { row: Row; columns: number }) {
  if (typeof row === 'string') return html`<tr><td class="mark" colspan=${columns}>${row}</td></tr>`
  return html`<tr>
    ${row.map(cell => html`<td>${cell}</td>`)}
  </tr>`
}

interface PagesProps {
  readonly done: Done
  readonly canAsk: boolean
  page(page: number): void
}

/** What is shown of a large value, and the way to the rest. */
function Pages({ done, canAsk, page: show }: PagesProps) {
  const { isWhole, totalItems, page, totalPages, refId } = done
  if (isWhole || !canAsk || refId === undefined) return undefined
  const items = totalItems === undefined ? '' : ` of ${totalItems} items`
  if (page === undefined)
    return html`<nav class="pages" aria-label="Pages">
      <span>a sample${items}</span>
      <button type="button" onClick=${() => show(1)}>Show all, page by page</button>
    </nav>`
  const isLast = totalPages !== undefined && page >= totalPages
  return html`<nav class="pages" aria-label="Pages">
    <button type="button" disabled=${page <= 1} onClick=${() => show(page - 1)}>Previous</button>
    <span>page ${page}${totalPages === undefined ? '' : ` of ${totalPages}`}${items && `, ${totalItems} items`}</span>
    <button type="button" disabled=${isLast} onClick=${() => show(page + 1)}>Next</button>
  </nav>`
}
