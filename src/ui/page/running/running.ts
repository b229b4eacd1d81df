import { html } from 'htm/preact'
import { useRef } from 'preact/hooks'
import type { Overview } from '../../api.ts'
import type { Actions } from '../state/actions.ts'
import type { Task } from '../state/model.ts'
import { plural } from '../words.ts'
import { TaskRow } from './task.ts'

interface RunningProps {
  readonly tasks: readonly Task[]
  readonly isLoaded: boolean
  readonly overview: Overview | undefined
  readonly openedRef: string | undefined
  readonly actions: Actions
}

/** The section keeps room for so many tasks; it grows to the second number, and then scrolls. */
const ROOM = 3
const MOST_ROOM = 5

/** What runs now. */
export function Running({ tasks, isLoaded, overview, openedRef, actions }: RunningProps) {
  const room = useRoom(tasks.length)
  const inFlight = (overview?.running ?? 0) + (overview?.waiting ?? 0)
  const unseen = Math.max(0, inFlight - tasks.length)
  return html`<section class="running" aria-labelledby="running-title">
    <div class="section-head"><h2 id="running-title">Running now</h2></div>
    <div class="tasks" style=${{ '--room': room }} tabindex=${tasks.length > room ? 0 : undefined} role="group" aria-labelledby="running-title">
      ${tasks.length === 0 && html`<${Nothing} isLoaded=${isLoaded} />`}
      ${tasks.map(
        task =>
          html`<${TaskRow} key=${task.row.ref} task=${task} isOpened=${task.row.ref === openedRef} actions=${actions} />`,
      )}
      ${unseen > 0 && html`<p class="more">and ${plural(unseen, 'more task')} that wait or run</p>`}
    </div>
  </section>`
}

function Nothing({ isLoaded }: { isLoaded: boolean }) {
  if (!isLoaded) return html`<p class="empty"></p>`
  return html`<div class="empty">
    <p><strong>Nothing runs.</strong></p>
    <p>Let your agent call a slow tool: its progress shows here, and you can stop it.</p>
  </div>`
}

/** Room that was needed once stays, so that the list below does not jump. */
function useRoom(count: number): number {
  const most = useRef(ROOM)
  most.current = Math.min(MOST_ROOM, Math.max(most.current, count))
  return most.current
}
