import { html } from 'htm/preact'
import type { Row, Size } from '../../api.ts'
import { Status } from '../parts/status.ts'
import { Age, Until } from '../parts/times.ts'
import { bytesText, countText, nameOf, shortCount } from '../words.ts'

interface EntryRowProps {
  readonly row: Row
  readonly size: Size | undefined
  readonly place: number
  readonly top: number
  readonly count: number
  readonly isActive: boolean
  readonly isOpened: boolean
  readonly onOpen: () => void
}

export function rowId(ref: string): string {
  return `entry-${ref}`
}

/** A stored entry: two lines, in columns. */
export function EntryRow({ row, size, place, top, count, isActive, isOpened, onOpen }: EntryRowProps) {
  const label = row.tool === undefined ? undefined : row.label
  const whose = whoseOf(row)
  return html`<div
    id=${rowId(row.ref)}
    class="entry is-row ${isActive ? 'is-active' : ''} ${isOpened ? 'is-opened' : ''}"
    role="option"
    aria-selected=${isOpened ? 'true' : 'false'}
    aria-setsize=${count}
    aria-posinset=${place + 1}
    style=${{ transform: `translateY(${top}px)` }}
    onClick=${onOpen}
  >
    <${Status} row=${row} />
    <span class="pair entry-what">
      <span class="one-line" title=${[nameOf(row), label].filter(Boolean).join(' ')}><bdi class="name">${nameOf(row)}</bdi> ${label !== undefined && html`<bdi class="muted">${label}</bdi>`}</span>
      <span class="muted one-line">${kindOf(row, size)}</span>
    </span>
    <span class="pair right">
      <span>${size?.tokens === undefined ? '' : html`<span title=${`${size.tokensAreEstimated ? 'about ' : ''}${countText(size.tokens)} tokens`}>${shortCount(size.tokens)} <span class="unit">tok</span></span>`}</span>
      <span class="muted">${row.bytes === undefined ? '' : bytesText(row.bytes)}</span>
    </span>
    <span class="pair right">
      <span><${Age} at=${row.completedAt ?? row.createdAt} /></span>
      <span class="muted">${row.expiresAt === undefined ? 'stays' : html`<span class="unseen">expires </span><${Until} at=${row.expiresAt} over="expired" />`}</span>
    </span>
    <span class="pair entry-whose">
      <span class="one-line" title=${whose}>${whose}</span>
      <span class="muted one-line" title=${row.cache}>${row.cache}</span>
    </span>
    <span class="entry-uses right">${row.usedBy ? html`<span class="unseen">used by </span><span class="count" title=${countText(row.usedBy)}>${shortCount(row.usedBy)}</span>` : ''}</span>
  </div>`
}

/** What the value is, once the server has said it. */
function kindOf(row: Row, size: Size | undefined): string {
  if (row.status === 'failed') return row.errorCode ?? 'failed'
  if (row.status === 'cancelled') return 'cancelled'
  return size?.kind ?? (row.may.includes('read') ? '' : 'not yours to read')
}

/** Often who asked and the namespace are the same words. */
function whoseOf({ who, namespace }: Row): string {
  return [...new Set([namespace, who])].filter(Boolean).join(' · ')
}
