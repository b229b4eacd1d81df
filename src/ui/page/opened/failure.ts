import { html } from 'htm/preact'
import type { Detail } from '../../api.ts'
import { Age } from '../parts/times.ts'

/** Why a task failed, and how its earlier attempts did. */
export function Failure({ detail: { error, row, retryHistory = [] } }: { detail: Detail }) {
  return html`<section class="failure" aria-label="Why it failed">
    <h3>Why it failed ${row.errorCode !== undefined && html`<code>${row.errorCode}</code>`}</h3>
    <pre>${error}</pre>
    ${
      retryHistory.length > 0 &&
      html`<ol class="attempts">
        ${retryHistory.map(({ attempt, code, at }) => html`<li key=${attempt}>Attempt ${attempt}: <code>${code}</code>, <${Age} at=${at} /> ago</li>`)}
      </ol>`
    }
  </section>`
}
