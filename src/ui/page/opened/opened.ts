import { html } from 'htm/preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Detail, Row } from '../../api.ts'
import { useKeptFocus } from '../parts/focus.ts'
import { Status } from '../parts/status.ts'
import type { Server } from '../server.ts'
import type { Actions } from '../state/actions.ts'
import type { Task } from '../state/model.ts'
import { type StatusOf, useOpened } from '../state/opened.ts'
import type { Route } from '../state/route.ts'
import { nameOf, shortRef } from '../words.ts'
import { Ask } from './ask.ts'
import { Facts } from './facts.ts'
import { Failure } from './failure.ts'
import { UsedGraph } from './graph.ts'
import { Questions } from './questions.ts'
import { Shape } from './shape.ts'
import { Value } from './value.ts'

interface OpenedProps {
  readonly route: Route
  readonly server: Server
  readonly actions: Actions
  /** What the lists know of it, which is newer than what was loaded. */
  readonly row: Row | undefined
  readonly task: Task | undefined
  readonly statusOf: StatusOf
  /** How often the lists were loaded. */
  readonly loads: number
  readonly onClose: () => void
}

/** The opened reference. */
export function Opened({ route, server, actions, row, task, statusOf, loads, onClose }: OpenedProps) {
  const { opened, reload } = useOpened(server, route.ref, { row, statusOf, loads })
  const heading = useRef<HTMLHeadingElement>(null)
  const keptFocus = useKeptFocus(() => heading.current)
  useEffect(() => {
    heading.current?.closest('.opened')?.scrollIntoView({ block: 'nearest' })
  }, [route.ref])
  const detail = opened?.detail
  const current = row ?? detail?.row
  const name = current === undefined ? shortRef(route.ref) : nameOf(current)
  return html`<section class="opened" aria-labelledby="opened-title" ...${keptFocus}>
    <header class="opened-head">
      ${current !== undefined && html`<${Status} row=${current} />`}
      <h2 id="opened-title" ref=${heading} tabindex="-1" class="one-line">${name}</h2>
      <${Steps} row=${current} actions=${actions} />
      <button type="button" class="icon-button" aria-label="Close" title="Close (Esc)" onClick=${onClose}>×</button>
    </header>
    <${Reference} text=${route.ref} actions=${actions} />
    ${opened?.problem !== undefined && html`<div class="problem" role="alert"><p>${opened.problem}</p><button type="button" onClick=${reload}>Try again</button></div>`}
    ${detail !== undefined && current !== undefined && html`<${Parts} key=${route.ref} detail=${detail} row=${current} task=${task} route=${route} server=${server} actions=${actions} loads=${loads} />`}
  </section>`
}

interface PartsProps extends Omit<OpenedProps, 'row' | 'statusOf' | 'onClose'> {
  readonly detail: Detail
  readonly row: Row
}

function Parts({ detail, row, task, route, server, actions, loads }: PartsProps) {
  const fill = useRef<((sql: string) => void) | undefined>(undefined)
  const isReadable = row.status === 'complete' && row.may.includes('read')
  return html`
    ${detail.error !== undefined && html`<${Failure} detail=${detail} />`}
    ${detail.questions !== undefined && html`<${Questions} key=${Object.keys(detail.questions).join()} row=${row} questions=${detail.questions} actions=${actions} />`}
    <${Facts} row=${row} task=${task} />
    ${isReadable && html`<${Value} key=${`${row.ref} ${row.completedAt}`} route=${route} bytes=${row.bytes ?? 0} server=${server} loads=${loads} />`}
    ${row.status === 'complete' && !row.may.includes('read') && html`<p class="hint">You may know of this value, and use it by its reference, but not read it.</p>`}
    ${isReadable && detail.tables !== undefined && detail.tables.length > 0 && html`<${Shape} tables=${detail.tables} onAsk=${(sql: string) => fill.current?.(sql)} />`}
    ${isReadable && html`<${Ask} row=${row} tables=${detail.tables ?? []} server=${server} fill=${fill} />`}
    <${UsedGraph} detail=${detail} server=${server} />
  `
}

function Steps({ row, actions }: { row: Row | undefined; actions: Actions }) {
  if (row === undefined) return undefined
  const may = (action: Row['may'][number]) => row.may.includes(action)
  return html`
    ${may('cancel') && html`<button type="button" onClick=${() => actions.cancel(row)}>Cancel</button>`}
    ${may('retry') && html`<button type="button" onClick=${() => actions.retry(row)}>Retry</button>`}
    ${may('delete') && html`<button type="button" onClick=${() => actions.delete(row)}>Delete…</button>`}
  `
}

function Reference({ text, actions }: { text: string; actions: Actions }) {
  const copy = async () => {
    try {
      // There is none where the page is neither on this machine nor behind HTTPS.
      await navigator.clipboard.writeText(text)
      actions.say('The reference is copied.')
    } catch {
      actions.say('It could not be copied. Select the reference, and copy it from there.', true)
    }
  }
  return html`<p class="reference">
    <code class="one-line">${text}</code>
    <button type="button" class="quiet" onClick=${copy}>Copy</button>
  </p>`
}
