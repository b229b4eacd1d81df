import { html } from 'htm/preact'
import type { Row, Size } from '../../api.ts'
import { Status } from '../parts/status.ts'
import { Age, Until } from '../parts/times.ts'
import { bytesText, countText, shortCount, shortRef } from '../words.ts'

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
  return html`<div
    id=${rowId(row.ref)}
    class="entry is-row ${isActive ? 'is-active' : ''} ${isOpened ? 'is-opened' : ''}"
    role="option"
    aria-selected=${isOpened ? 'true' : 'false'}
    aria-setsize=${count}
    aria-posinset=${place + 1}
    style=${{ top: `${top}px` }}
    onClick=${onOpen}
  >
    <${Status} row=${row} />
    <span class="pair entry-what">
      <span class="one-line"><span class="name">${row.tool ?? row.label ?? shortRef(row.ref)}</span> ${row.tool !== undefined && row.label !== undefined && html`<span class="muted">${row.label}</span>`}</span>
      <span class="muted one-line">${kindOf(row, size)}</span>
    </span>
    <span class="pair right">
      <span>${size?.tokens === undefined ? '' : html`<span title=${`${size.tokensAreEstimated ? 'about ' : ''}${countText(size.tokens)} tokens`}>${shortCount(size.tokens)} <span class="unit">tok</span></span>`}</span>
      <span class="muted">${row.bytes === undefined ? '' : bytesText(row.bytes)}</span>
    </span>
    <span class="pair right">
      <span><${Age} at=${row.completedAt ?? row.createdAt} /></span>
      <span class="muted">${row.expiresAt === undefined ? 'stays' : html`<span class="unseen">expires </span><${Until} at=${row.expiresAt} />`}</span>
    </span>
    <span class="pair entry-whose">
      <span class="one-line">${whoseOf(row)}</span>
      <span class="muted one-line">${row.cache}</span>
    </span>
    <span class="entry-uses right">${row.usedBy ? html`<span class="unseen">used by </span><span class="count">${countText(row.usedBy)}</span>` : ''}</span>
  </div>`
}

function kindOf(row: Row, size: Size | undefined): string {
  if (row.status === 'failed') return row.errorCode ?? 'failed'
  if (row.status === 'cancelled') return 'cancelled'
  return size?.kind ?? ' '
}

/** Often who asked and the namespace are the same words. */
function whoseOf({ who, namespace }: Row): string {
  return [...new Set([namespace, who])].filter(Boolean).join(' · ')
}
