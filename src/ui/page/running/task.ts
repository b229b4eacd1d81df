import { html } from 'htm/preact'
import { useState } from 'preact/hooks'
import type { Row } from '../../api.ts'
import { Progress } from '../parts/bar.ts'
import { asks, Status, statusWord } from '../parts/status.ts'
import { Elapsed, Until } from '../parts/times.ts'
import type { Actions } from '../state/actions.ts'
import type { Task } from '../state/model.ts'
import { hashOf } from '../state/route.ts'
import { bytesText, countText, nameOf, plural, spanText } from '../words.ts'

interface TaskRowProps {
  readonly task: Task
  readonly place: number
  readonly isOpened: boolean
  /** The one row that Tab reaches. */
  readonly isActive: boolean
  readonly actions: Actions
}

/** A task in flight, or one that has just ended. */
export function TaskRow({ task, place, isOpened, isActive, actions }: TaskRowProps) {
  const { row } = task
  const name = nameOf(row)
  const tabindex = isActive ? 0 : -1
  const from = [row.cache, row.who].filter(Boolean).join(' · ')
  return html`<li class="task ${isOpened ? 'is-opened' : ''} ${task.leavesAt === undefined ? '' : 'is-leaving'}" style=${{ '--place': place }}>
    <a class="task-name" href=${hashOf(row.ref)} tabindex=${tabindex} aria-current=${isOpened ? 'true' : undefined}>
      <${Status} row=${row} />
      <span class="task-words">
        <span class="name one-line" title=${name}>${name}</span>
        <span class="muted one-line" title=${from}>${from}</span>
      </span>
    </a>
    <span class="task-age"><span class="unseen">age </span>${ageOf(row)}</span>
    <div class="task-progress">
      <${Progress} task=${task} name=${`Progress of ${name}`} />
      <${Message} row=${row} tabindex=${tabindex} />
    </div>
    <span class="task-do"><${TaskAction} row=${row} name=${name} tabindex=${tabindex} actions=${actions} /></span>
  </li>`
}

function ageOf(row: Row) {
  if (row.completedAt !== undefined)
    return spanText(Date.parse(row.completedAt) - Date.parse(row.startedAt ?? row.createdAt))
  return html`<${Elapsed} since=${row.startedAt ?? row.createdAt} />`
}

/** There is always a line under the bar, so that the bar never moves. */
function Message({ row, tabindex }: { row: Row; tabindex: number }) {
  if (asks(row))
    return html`<p class="task-message"><a class="asking" href=${hashOf(row.ref)} tabindex=${tabindex}>${plural(row.questions ?? 0, 'question')} to answer</a></p>`
  const tries = row.attempt > 1 ? `attempt ${countText(row.attempt)}` : undefined
  if (row.status === 'pending' && row.retryAt !== undefined)
    return html`<p class="task-message one-line">${tries ?? 'failed once'} · tries again <${Until} at=${row.retryAt} /></p>`
  const words = [tries, ...wordsOf(row)].filter(Boolean).join(' · ')
  return html`<p class="task-message one-line" title=${words}>${words}</p>`
}

function wordsOf(row: Row): Array<string | undefined> {
  if (row.status === 'pending') return ['waits for its turn']
  if (row.status === 'processing') return [row.progress?.message ?? stepsText(row) ?? 'no progress reported']
  return [statusWord(row), row.errorCode, row.bytes === undefined ? undefined : bytesText(row.bytes)]
}

function stepsText({ progress: { current, total } = {} }: Row): string | undefined {
  if (current === undefined) return undefined
  return total === undefined ? countText(current) : `${countText(current)} of ${countText(total)}`
}

interface TaskActionProps {
  readonly row: Row
  readonly name: string
  readonly tabindex: number
  readonly actions: Actions
}

function TaskAction({ row, name, tabindex, actions }: TaskActionProps) {
  const [isBusy, setBusy] = useState(false)
  const action = row.may.includes('cancel')
    ? 'cancel'
    : row.may.includes('retry') && row.status === 'failed'
      ? 'retry'
      : undefined
  if (action === undefined) return undefined
  const onClick = async () => {
    if (isBusy) return
    setBusy(true)
    await actions[action](row)
    setBusy(false)
  }
  return html`<button type="button" tabindex=${tabindex} aria-disabled=${isBusy} aria-label=${`${action === 'cancel' ? 'Cancel' : 'Retry'} ${name}`} onClick=${onClick}>
    ${action === 'cancel' ? 'Cancel' : 'Retry'}
  </button>`
}
