import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Row, Shown, Table } from '../../api.ts'
import { Choices } from '../parts/choices.ts'
import type { Server } from '../server.ts'
import { useShown } from '../state/shown.ts'
import { plural, shortCount } from '../words.ts'
import { Content, Paging } from './content.ts'
import { firstQuestion } from './sql.ts'

interface AskProps {
  readonly row: Row
  readonly tables: readonly Table[]
  readonly server: Server
  /** Set here: writes a question into the box, and asks it. */
  readonly fill: { current: ((sql: string) => void) | undefined }
}

type Way = 'sql' | 'search'

const WAYS = [
  { value: 'sql', label: 'SQL' },
  { value: 'search', label: 'Search' },
] as const

/** Whatever has no table of its own is a text, and its lines are one. */
const LINES: Table = { name: 'lines', rows: 0, columns: [] }

/** Asks the value: in SQL, or by searching its text. */
export function Ask({ row, tables: known, server, fill }: AskProps) {
  const tables = known.length === 0 ? [LINES] : known
  const [way, setWay] = useState<Way>(known.length === 0 ? 'search' : 'sql')
  const [texts, setTexts] = useState({ sql: firstQuestion(tables[0] ?? LINES), search: '' })
  const { shown, problem, isBusy, ask } = useShown()
  const section = useRef<HTMLElement>(null)
  const send = (asked: Way, text: string) => {
    if (text.trim() === '') return
    const context = asked === 'search' ? { context: 2 } : {}
    void ask(() => server.query({ ref: row.ref, [asked]: text, ...context }))
  }
  useEffect(() => {
    fill.current = sql => {
      setWay('sql')
      setTexts(before => ({ ...before, sql }))
      section.current?.scrollIntoView({ block: 'nearest' })
      send('sql', sql)
    }
  }, [row.ref])
  useEffect(() => {
    if (shown !== undefined || problem !== undefined) section.current?.scrollIntoView({ block: 'nearest' })
  }, [shown, problem])
  const asked = shown?.ref
  return html`<section class="block" aria-labelledby="ask-title" ref=${section}>
    <div class="block-head">
      <h3 id="ask-title">Ask</h3>
      <${Choices} name="How to ask" values=${WAYS} chosen=${way} onChoose=${setWay} />
    </div>
    <${Box} way=${way} text=${texts[way]} isBusy=${isBusy} tables=${tables} onText=${(text: string) => setTexts({ ...texts, [way]: text })} onSend=${() => send(way, texts[way])} />
    ${problem !== undefined && html`<p class="problem" role="alert">${problem}</p>`}
    ${
      shown !== undefined &&
      html`<div class="answer-box" aria-live="polite">
        <p class="cost">${costText(shown)}</p>
        <${Content} shown=${shown} name="Answer" />
        ${shown.message !== undefined && html`<p class="hint">${shown.message}</p>`}
        <${Paging} shown=${withoutCost(shown)} isBusy=${isBusy} onPage=${(page: number) => asked && ask(() => server.value(asked, page))} />
      </div>`
    }
  </section>`
}

interface BoxProps {
  readonly way: Way
  readonly text: string
  readonly isBusy: boolean
  readonly tables: readonly Table[]
  readonly onText: (text: string) => void
  readonly onSend: () => void
}

function Box({ way, text, isBusy, tables, onText, onSend }: BoxProps) {
  const onInput = (event: Event) => onText((event.target as HTMLInputElement).value)
  const onKeyDown = (event: KeyboardEvent) => {
    const asks = event.key === 'Enter' && (way === 'search' || event.ctrlKey || event.metaKey)
    if (!asks) return
    event.preventDefault()
    onSend()
  }
  const label =
    way === 'sql'
      ? 'One SELECT over the tables of the value'
      : 'What to look for: a text or a regular expression'
  return html`<div class="ask">
    ${
      way === 'sql'
        ? html`<textarea aria-label=${label} rows="3" spellcheck=${false} autocapitalize="off" value=${text} onInput=${onInput} onKeyDown=${onKeyDown}></textarea>`
        : html`<input type="search" aria-label=${label} placeholder="error|warning" spellcheck=${false} value=${text} onInput=${onInput} onKeyDown=${onKeyDown} />`
    }
    <div class="ask-foot">
      <span class="muted one-line">${way === 'sql' ? `Tables: ${tables.map(({ name }) => name).join(', ')}` : 'With two lines around each hit'}</span>
      <span class="muted keys">${way === 'sql' ? 'Ctrl+Enter' : 'Enter'}</span>
      <button type="button" class="is-main" aria-disabled=${isBusy} onClick=${onSend}>${isBusy ? 'Asking…' : 'Ask'}</button>
    </div>
  </div>`
}

function costText({ content, tokens, totalItems }: Shown): string {
  const rows =
    content?.kind === 'table'
      ? plural(totalItems ?? content.rows.filter(row => typeof row !== 'string').length, 'row')
      : undefined
  const cost = tokens === undefined ? undefined : `an agent pays ${shortCount(tokens)} tokens for this answer`
  return [rows, cost].filter(Boolean).join(' · ')
}

/** It stands above the answer. */
function withoutCost({ tokens: _, totalItems: __, ...shown }: Shown): Shown {
  return shown
}
