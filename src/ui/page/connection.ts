import { html } from 'htm/preact'
import type { Connection } from './state/model.ts'

const WORDS: Record<Connection['state'], string> = {
  connecting: 'connecting',
  live: 'live',
  away: 'server is away',
  stale: 'store is away',
  refused: 'no access',
}

/** Whether what the page shows is what is. */
export function ConnectionSign({ connection }: { connection: Connection }) {
  return html`<p class="connection is-${connection.state}" role="status"><span class="dot" aria-hidden="true"></span>${WORDS[connection.state]}</p>`
}

/** Lies over nothing and moves nothing: it stands in the header's own line. */
export function ConnectionWarning({ connection }: { connection: Connection }) {
  if (connection.state === 'away' || connection.state === 'stale')
    return html`<p class="warning" role="alert">${connection.why} What you see is from before. The page looks for it by itself.</p>`
  if (connection.state === 'refused') return html`<p class="warning" role="alert">${connection.why}</p>`
  return undefined
}
