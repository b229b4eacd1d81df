import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import type { History } from '../../api.ts'
import { Choices } from '../parts/choices.ts'
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

/** What was saved over time, and how long tools took: stands where no reference is opened. */
export function HistoryPane({ server, isReady }: { server: Server; isReady: boolean }) {
  const [hours, setHours] = useState(24)
  const [history, setHistory] = useState<History | undefined>(undefined)
  const [problem, setProblem] = useState<string | undefined>(undefined)
  useEffect(() => {
    // What runs and what is stored comes first.
    if (!isReady) return
    let isCurrent = true
    const load = async () => {
      try {
        const next = await server.history(hours)
        if (isCurrent) setHistory(next)
        setProblem(undefined)
      } catch (error) {
        setProblem(problemText(error))
      }
    }
    void load()
    const timer = setInterval(() => void load(), REFRESH_MS)
    return () => {
      isCurrent = false
      clearInterval(timer)
    }
  }, [hours, isReady])
  return html`<section class="opened is-history" aria-labelledby="history-title">
    <header class="opened-head">
      <h2 id="history-title">Over time</h2>
      <${Choices} name="How far back" values=${SPANS} chosen=${hours} onChoose=${setHours} />
    </header>
    ${problem !== undefined && history === undefined && html`<p class="problem" role="alert">${problem}</p>`}
    ${history !== undefined && html`<${TokensPlot} savings=${history.savings} /><${DurationsPlot} runs=${history.runs} />`}
    <p class="hint">Open a reference in the list: its value, its shape and a box for questions show here.</p>
  </section>`
}
