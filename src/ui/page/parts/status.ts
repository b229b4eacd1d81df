import { html } from 'htm/preact'
import type { Row } from '../../api.ts'

/** Two that are no status of their own: it waits for an answer, or for its next attempt. */
type Standing = Row['status'] | 'asks' | 'retries'

const WORDS: Record<Standing, string> = {
  pending: 'waiting',
  processing: 'running',
  complete: 'complete',
  failed: 'failed',
  cancelled: 'cancelled',
  asks: 'asks',
  retries: 'tries again',
}

/** Each status has a form of its own, so that nobody has to tell colours apart. */
const FORMS: Record<Standing, string> = {
  pending: 'M8 4.5V8l2.5 1.5M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2',
  processing: 'M8 2a6 6 0 1 1-6 6',
  complete: 'M3.5 8.5l3 3 6-7',
  failed: 'M4 4l8 8M12 4l-8 8',
  cancelled: 'M4 12L12 4M8 2a6 6 0 1 1 0 12A6 6 0 0 1 8 2',
  asks: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12M6.4 6.3a1.7 1.7 0 1 1 2.3 1.6c-.5.2-.7.6-.7 1.1M8 11.2v.1',
  retries: 'M13.5 8A5.5 5.5 0 1 1 11.6 3.8L13.5 5.5M13.5 2.2v3.3h-3.3',
}

type Standings = Pick<Row, 'status' | 'questions' | 'retryAt'>

/** It goes on when somebody has answered. */
export function asks({ status, questions = 0 }: Standings): boolean {
  return questions > 0 && (status === 'processing' || status === 'pending')
}

function standingOf(row: Standings): Standing {
  if (asks(row)) return 'asks'
  return row.retryAt !== undefined && row.status === 'pending' ? 'retries' : row.status
}

export function statusWord(row: Standings): string {
  return WORDS[standingOf(row)]
}

/** A form for the eyes, a word for screen readers. */
export function Status({ row }: { row: Standings }) {
  const standing = standingOf(row)
  return html`<span class="status is-${standing}">
    <svg viewBox="0 0 16 16" aria-hidden="true"><path d=${FORMS[standing]} /></svg>
    <span class="unseen">${WORDS[standing]}</span>
  </span>`
}
