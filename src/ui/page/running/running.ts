import { html } from 'htm/preact'
import type { Overview } from '../../api.ts'
import { asks } from '../parts/status.ts'
import type { Actions } from '../state/actions.ts'
import type { Task } from '../state/model.ts'
import { hashOf } from '../state/route.ts'
import type { Session } from '../state/session.ts'
import { countText, plural } from '../words.ts'
import { TaskRow } from './task.ts'
import { useWalk } from './walk.ts'

interface RunningProps {
  readonly tasks: readonly Task[]
  readonly isLoaded: boolean
  readonly overview: Overview | undefined
  readonly openedRef: string | undefined
  readonly actions: Actions
  readonly session: Session
}

/** What runs now. While somebody points at a task or walks through them, what has ended stays, so that nothing moves under the pointer. */
export function Running({ tasks, isLoaded, overview, openedRef, actions, session }: RunningProps) {
  const { list, activeRef, ...walk } = useWalk(tasks)
  const hold = () => session.holdTasks()
  const release = () => session.releaseTasks()
  const inFlight = (overview?.running ?? 0) + (overview?.waiting ?? 0)
  const unlisted = Math.max(0, inFlight - tasks.length)
  return html`<section class="running" aria-labelledby="running-title" onPointerMove=${hold} onPointerLeave=${release} onFocusIn=${hold} onKeyDown=${hold} onFocusOut=${release}>
    <div class="section-head">
      <h2 id="running-title">Running now ${inFlight > 0 && html`<span class="muted">${countText(inFlight)}</span>`}</h2>
      <${Asking} tasks=${tasks} />
    </div>
    <div class="tasks">
      ${tasks.length === 0 && html`<${Nothing} isLoaded=${isLoaded} />`}
      <ul ref=${list} aria-labelledby="running-title" style=${{ '--count': tasks.length }} ...${walk}>
        ${tasks.map(
          (task, place) =>
            html`<${TaskRow} key=${task.row.ref} task=${task} place=${place} isOpened=${task.row.ref === openedRef} isActive=${task.row.ref === activeRef} actions=${actions} />`,
        )}
      </ul>
      ${unlisted > 0 && html`<p class="more">and ${plural(unlisted, 'more task')} that wait or run</p>`}
    </div>
  </section>`
}

/** A task that waits for its answer may stand far down. */
function Asking({ tasks }: { tasks: readonly Task[] }) {
  const asking = tasks.filter(({ row }) => asks(row))
  const [first] = asking
  if (first === undefined) return undefined
  return html`<a class="asking" href=${hashOf(first.row.ref)}>${asking.length === 1 ? '1 task asks' : `${countText(asking.length)} tasks ask`}</a>`
}

function Nothing({ isLoaded }: { isLoaded: boolean }) {
  if (!isLoaded) return undefined
  return html`<div class="empty">
    <p><strong>Nothing runs.</strong></p>
    <p>Let your agent call a slow tool: its progress shows here, and you can stop it.</p>
  </div>`
}
