import { html } from 'htm/preact'
import { useRef } from 'preact/hooks'
import { useNow } from '../clock.ts'
import { etaAt, fractionAt, type Sighting } from '../state/progress.ts'
import { ageText } from '../words.ts'
import { asks } from './status.ts'

/** How far a task is: a bar that goes on between two reports, percent and the time that is left. */
export function Progress({ task, name }: { task: Sighting; name: string }) {
  const now = useNow()
  const fraction = useForward(task, fractionAt(task, now))
  const percent = fraction === undefined ? undefined : Math.floor(fraction * 100)
  const eta = etaText(task, now)
  const isMoving = task.row.status === 'processing' && !asks(task.row)
  return html`<div class="progress">
    <div
      class="bar ${fraction === undefined && isMoving ? 'is-unknown' : ''} is-${task.row.status}"
      role="progressbar"
      aria-label=${name}
      aria-valuemin="0"
      aria-valuemax="100"
      aria-valuenow=${percent}
      aria-valuetext=${percent === undefined ? 'not known' : [`${percent} %`, eta].filter(Boolean).join(', ')}
    >
      <div class="bar-fill" style=${{ transform: `scaleX(${fraction ?? 0})` }}></div>
    </div>
    <span class="percent">${percent === undefined ? '' : `${percent} %`}</span>
    <span class="eta">${eta}</span>
  </div>`
}

/** An estimate that was too high is waited for: a bar never goes back within an attempt. */
function useForward({ row }: Sighting, fraction: number | undefined): number | undefined {
  const shown = useRef({ run: '', fraction: 0 })
  const run = `${row.ref} ${row.attempt} ${row.startedAt ?? ''}`
  if (shown.current.run !== run) shown.current = { run, fraction: 0 }
  if (fraction === undefined) return undefined
  shown.current.fraction = Math.max(shown.current.fraction, fraction)
  return shown.current.fraction
}

function etaText(task: Sighting, now: number): string {
  const eta = etaAt(task, now)
  if (eta === undefined) return ''
  return eta < 2 ? 'almost done' : `${ageText(eta * 1_000)} left`
}
