import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import type { History, Overview } from '../../api.ts'
import { Choices } from '../parts/choices.ts'
import { localTime } from '../parts/times.ts'
import { problemText, type Server } from '../server.ts'
import { DurationsPlot } from './durations.ts'
import { TokensPlot } from './tokens.ts'

/** In hours. */
const SPANS = [
  { value: 6, label: '6 h' },
  { value: 24, label: '24 h' },
  { value: 168, label: '7 d' },
]
const REFRESH_MS = 30_000

interface HistoryProps {
  readonly server: Server
  readonly isReady: boolean
  readonly sight: Overview['sight'] | undefined
}

/** What was saved over time, and how long tools took: stands where no reference is opened. Savings are of all of a store, and not one actor's. */
export function HistoryPane({ server, isReady, sight }: HistoryProps) {
  const [hours, setHours] = useState(24)
  const { history, problem } = useHistory(server, isReady, hours)
  return html`<section class="opened is-history" aria-labelledby="history-title">
    <header class="opened-head">
      <h2 id="history-title">Over time</h2>
      <${Choices} name="How far back" values=${SPANS} chosen=${hours} onChoose=${setHours} />
    </header>
    ${problem !== undefined && history === undefined && html`<p class="problem" role="alert">${problem}</p>`}
    ${history !== undefined && sight !== 'actor' && html`<${TokensPlot} savings=${history.savings} />`}
    ${history !== undefined && html`<${DurationsPlot} runs=${history.runs} />`}
    ${history?.runsFrom !== undefined && html`<p class="hint">Runs since ${localTime(history.runsFrom)}: there are too many to show those before.</p>`}
    <p class="hint">Open a reference in the list: its value, its shape and a box for questions show here.</p>
  </section>`
}

/** What there is of so many hours: that of another choice is never shown in its place. */
function useHistory(server: Server, isReady: boolean, hours: number) {
  const [loaded, setLoaded] = useState<Loaded | undefined>(undefined)
  useEffect(() => {
    // What runs and what is stored comes first.
    if (!isReady) return
    let isCurrent = true
    const load = async () => {
      const next = await server.history(hours).then(
        (history): Loaded => ({ hours, history }),
        (error): Loaded => ({ hours, problem: problemText(error) }),
      )
      // A plot that is there stays while the server is away.
      if (isCurrent) setLoaded(before => (before?.hours === hours ? { ...before, ...next } : next))
    }
    void load()
    const timer = setInterval(() => void load(), REFRESH_MS)
    return () => {
      isCurrent = false
      clearInterval(timer)
    }
  }, [hours, isReady])
  const current: Partial<Loaded> = loaded?.hours === hours ? loaded : {}
  return current
}

interface Loaded {
  readonly hours: number
  readonly history?: History
  readonly problem?: string
}
