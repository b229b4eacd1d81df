import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import type { Row } from '../../api.ts'
import { Progress } from '../parts/bar.ts'
import { Status, statusWord } from '../parts/status.ts'
import { Elapsed, Until } from '../parts/times.ts'
import type { Actions } from '../state/actions.ts'
import type { Task } from '../state/model.ts'
import { hashOf } from '../state/route.ts'
import { plural, shortRef, spanText } from '../words.ts'

/** A task in flight, or one that has just ended. */
export function TaskRow({ task, isOpened, actions }: { task: Task; isOpened: boolean; actions: Actions }) {
  const { row } = task
  const name = row.tool ?? row.label ?? shortRef(row.ref)
  return html`<div class="task ${isOpened ? 'is-opened' : ''} ${task.leavesAt === undefined ? '' : 'is-leaving'}">
    <a class="task-name" href=${hashOf(row.ref)}>
      <${Status} row=${row} />
      <span class="task-words">
        <span class="name">${name}</span>
        <span class="muted one-line">${[row.cache, row.who].filter(Boolean).join(' · ')}</span>
      </span>
    </a>
    <span class="task-age"><span class="unseen">age </span>${ageOf(row)}</span>
    <div class="task-progress">
      <${Progress} task=${task} name=${`Progress of ${name}`} />
      <p class="task-message one-line">${messageOf(row)}</p>
    </div>
    <span class="task-do"><${TaskAction} row=${row} name=${name} actions=${actions} /></span>
  </div>`
}

function ageOf(row: Row) {
  if (row.completedAt !== undefined)
    return spanText(Date.parse(row.completedAt) - Date.parse(row.startedAt ?? row.createdAt))
  return html`<${Elapsed} since=${row.startedAt ?? row.createdAt} />`
}

function messageOf(row: Row) {
  const tries = row.attempt > 1 ? `attempt ${row.attempt}` : undefined
  const word = statusWord(row)
  if (word === 'asks')
    return html`<a href=${hashOf(row.ref)}>${plural(row.questions ?? 0, 'question')} to answer</a>`
  if (word === 'tries again' && row.retryAt !== undefined)
    return html`${tries ?? 'failed once'} · tries again <${Until} at=${row.retryAt} />`
  const ended = row.status === 'processing' ? undefined : word
  return [tries, ended, row.errorCode, row.progress?.message].filter(Boolean).join(' · ')
}

function TaskAction({ row, name, actions }: { row: Row; name: string; actions: Actions }) {
  const [isBusy, setBusy] = useState(false)
  const action = row.may.includes('cancel')
    ? 'cancel'
    : row.may.includes('retry') && row.status === 'failed'
      ? 'retry'
      : undefined
  if (action === undefined) return undefined
  const onClick = async () => {
    setBusy(true)
    await actions[action](row)
    setBusy(false)
  }
  return html`<button type="button" disabled=${isBusy} aria-label=${`${action === 'cancel' ? 'Cancel' : 'Retry'} ${name}`} onClick=${onClick}>
    ${action === 'cancel' ? 'Cancel' : 'Retry'}
  </button>`
}
