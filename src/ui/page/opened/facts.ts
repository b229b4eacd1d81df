import { html } from 'htm/preact'
import type { ComponentChildren } from 'preact'
import type { Row } from '../../api.ts'
import { Progress } from '../parts/bar.ts'
import { statusWord } from '../parts/status.ts'
import { Age, Elapsed, Until } from '../parts/times.ts'
import type { Sighting } from '../state/progress.ts'
import { bytesText, spanText } from '../words.ts'

/** What is known of an entry, without its value. */
export function Facts({ row, task }: { row: Row; task: Sighting | undefined }) {
  const isRunning = row.status === 'processing' || row.status === 'pending'
  return html`
    ${
      isRunning &&
      html`<div class="opened-progress">
        ${task !== undefined && html`<${Progress} task=${task} name="Progress" />`}
        <p class="muted one-line">${row.progress?.message ?? ''}</p>
      </div>`
    }
    <dl class="facts">
      ${fact('Status', statusWord(row))} ${fact('Server', row.cache)} ${row.tool !== undefined && row.label !== undefined && fact('Label', row.label)}
      ${fact('Created', html`<${Age} at=${row.createdAt} /> ago`)} ${fact('Took', tookText(row))}
      ${!isRunning && fact('Expires', row.expiresAt === undefined ? 'never' : html`<${Until} at=${row.expiresAt} over="has expired" />`)}
      ${row.bytes !== undefined && fact('Size', bytesText(row.bytes))} ${row.who !== undefined && fact('Asked by', row.who)}
      ${row.namespace !== undefined && fact('Namespace', row.namespace)} ${row.attempt > 1 && fact('Attempts', row.attempt)}
      ${isRunning && row.owner !== undefined && fact('Runs in', row.owner)}
    </dl>
  `
}

/** Words that take more than a line of their column. */
const LONG = 48

function fact(name: string, value: ComponentChildren) {
  if (value === undefined) return undefined
  const isLong = typeof value === 'string' && value.length > LONG
  return html`<div class=${isLong ? 'is-long' : ''}><dt>${name}</dt><dd title=${isLong ? value : undefined}>${value}</dd></div>`
}

function tookText({ startedAt, completedAt }: Row) {
  if (startedAt === undefined) return undefined
  if (completedAt === undefined) return html`<${Elapsed} since=${startedAt} /> so far`
  return spanText(Date.parse(completedAt) - Date.parse(startedAt))
}
