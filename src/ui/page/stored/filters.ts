import { html } from 'htm/preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { Overview } from '../../api.ts'
import type { Filter } from '../state/list.ts'
import { open } from '../state/route.ts'

interface FiltersProps {
  readonly filter: Filter
  readonly overview: Overview | undefined
  readonly onFilter: (filter: Filter) => void
}

const STATUSES = ['complete', 'failed', 'cancelled']

export function Filters({ filter, overview, onFilter }: FiltersProps) {
  const { caches = [], tools = [] } = overview ?? {}
  const set = (name: keyof Filter, value: string) => {
    const { [name]: _, ...others } = filter
    onFilter((value === '' ? others : { ...others, [name]: value }) as Filter)
  }
  const choice = (name: keyof Filter, label: string, all: string, values: readonly string[]) =>
    html`<select aria-label=${label} value=${filter[name] ?? ''} onChange=${(event: Event) => set(name, (event.target as HTMLSelectElement).value)}>
      <option value="">${all}</option>
      ${values.map(value => html`<option key=${value} value=${value}>${value}</option>`)}
    </select>`
  return html`<div class="filters" role="search" aria-label="Which are listed">
    <${Find} text=${filter.find ?? ''} onFind=${(text: string) => set('find', text)} />
    ${caches.length > 1 && choice('cache', 'Server', 'All servers', caches)}
    ${choice('tool', 'Tool', 'All tools', tools)} ${choice('status', 'Status', 'Any status', STATUSES)}
  </div>`
}

/** Somebody who types is waited for. */
const TYPING_MS = 200
const REFERENCE = /^\S+:[0-9a-f]{32}$/

/** `/` goes here from everywhere. Enter on a whole reference opens it, Escape takes the text away. */
function Find({ text, onFind }: { text: string; onFind: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined)
  const [typed, setTyped] = useState(text)
  useSlash(input)
  // Somebody else took the filter away.
  useEffect(() => {
    if (text === '') setTyped('')
  }, [text])
  const find = (next: string, milliseconds = TYPING_MS) => {
    setTyped(next)
    clearTimeout(timer.current)
    timer.current = setTimeout(() => onFind(next.trim()), milliseconds)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') {
      if (REFERENCE.test(typed.trim())) open(typed.trim())
      find(typed, 0)
    }
    if (event.key !== 'Escape' || typed === '') return
    event.preventDefault()
    find('', 0)
  }
  return html`<span class="find">
    <input ref=${input} type="search" aria-label="Find by tool, label or reference" aria-keyshortcuts="/" title="Find by tool, label or reference ( / )" placeholder="Find" spellcheck=${false} autocomplete="off" value=${typed} onInput=${(event: Event) => find((event.target as HTMLInputElement).value)} onKeyDown=${onKeyDown} />
    <kbd aria-hidden="true">/</kbd>
  </span>`
}

function useSlash(input: { readonly current: HTMLInputElement | null }): void {
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      const isTyping =
        (event.target as Element).closest('input:not([type=radio]), textarea, select, dialog') !== null
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping) return
      event.preventDefault()
      input.current?.focus()
      input.current?.select()
    }
    addEventListener('keydown', listener)
    return () => removeEventListener('keydown', listener)
  }, [])
}
