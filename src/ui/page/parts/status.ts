import { html } from 'htm/preact'
import type { Row } from '../../api.ts'

const WORDS: Record<Row['status'], string> = {
  pending: 'waiting',
  processing: 'running',
  complete: 'complete',
  failed: 'failed',
  cancelled: 'cancelled',
}

/** Each status has a form of its own, so that nobody has to tell colours apart. */
const FORMS: Record<Row['status'], string> = {
  pending: 'M8 4.5V8l2.5 1.5M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2',
  processing: 'M8 2a6 6 0 1 1-6 6',
  complete: 'M3.5 8.5l3 3 6-7',
  failed: 'M4 4l8 8M12 4l-8 8',
  cancelled: 'M4 12L12 4M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2',
}

export function statusWord({
  status,
  questions,
  retryAt,
}: Pick<Row, 'status' | 'questions' | 'retryAt'>): string {
  if (questions !== undefined && questions > 0) return 'asks'
  return retryAt !== undefined && status === 'pending' ? 'tries again' : WORDS[status]
}

/** @param withWord else only a screen reader says it */
export function Status({
  row,
  withWord = false,
}: {
  row: Pick<Row, 'status' | 'questions' | 'retryAt'>
  withWord?: boolean
}) {
  return html`<span class="status is-${row.status}">
    <svg viewBox="0 0 16 16" aria-hidden="true"><path d=${FORMS[row.status]} /></svg>
    <span class=${withWord ? 'status-word' : 'unseen'}>${statusWord(row)}</span>
  </span>`
}
