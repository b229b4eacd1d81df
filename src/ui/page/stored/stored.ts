import { html } from 'htm/preact'
import type { Overview } from '../../api.ts'
import type { Filter } from '../state/list.ts'
import type { Model } from '../state/model.ts'
import type { Session } from '../state/session.ts'
import { plural } from '../words.ts'
import { EntryList } from './entry-list.ts'
import { Filters } from './filters.ts'

interface StoredProps {
  readonly model: Model
  readonly session: Session
  readonly openedRef: string | undefined
}

/** What is stored, the newest first. */
export function Stored({ model, session, openedRef }: StoredProps) {
  const { list, overview, loads } = model
  return html`<section class="stored" aria-labelledby="stored-title">
    <div class="section-head">
      <h2 id="stored-title">Stored</h2>
      <${Filters} filter=${list.filter} overview=${overview} onFilter=${(filter: Filter) => session.setFilter(filter)} />
    </div>
    <div class="entry columns" aria-hidden="true">
      <span></span><span>What</span><span class="right">Size</span><span class="right">Age<span class="entry-whose">, expires</span></span><span class="entry-whose">Whose</span
      ><span class="entry-uses right">Used by</span>
    </div>
    ${
      list.rows.length > 0
        ? html`<${EntryList}
            key=${list.generation}
            list=${list}
            sizes=${model.sizes}
            total=${isFiltered(list.filter) ? undefined : overview?.stored}
            openedRef=${openedRef}
            onNear=${() => session.loadMore()}
            onAgain=${() => session.reload()}
            onView=${(refs: readonly string[]) => session.wantSizes(refs)}
          />`
        : html`<div class="empty is-list">${list.isLoaded || list.problem ? emptyText(model, session) : loads > 0 && ''}</div>`
    }
  </section>`
}

/** Empty pages are no answer before the last one. */
function emptyText({ list, overview }: Model, session: Session) {
  if (list.problem !== undefined)
    return html`<p role="alert">${list.problem}</p>
      <button type="button" onClick=${() => session.reload()}>Try again</button>`
  if (list.nextCursor !== undefined) return html`<p role="status">Looking further…</p>`
  if (isFiltered(list.filter))
    return html`<p><strong>Nothing fits.</strong></p>
      <p>${storedText(overview)}</p>
      <button type="button" onClick=${() => session.setFilter({})}>Show all</button>`
  if (list.isBare && overview?.stored && !overview.areCountsOld)
    return html`<p><strong>Nothing that is stored can be shown.</strong></p>
      <p>${storedText(overview)} This page cannot read what was encrypted with another key, or was damaged.</p>`
  return html`<p><strong>Nothing is stored yet.</strong></p>
    <p>
      Let your agent call a tool with a large result. Behind <code>${'mcp-refcache wrap -- <server>'}</code> it becomes a
      reference, and the reference shows here within a second.
    </p>`
}

function storedText(overview: Overview | undefined): string {
  return overview?.stored === undefined ? '' : `${plural(overview.stored, 'value')} stored in all.`
}

function isFiltered(filter: Filter): boolean {
  return Object.keys(filter).length > 0
}
