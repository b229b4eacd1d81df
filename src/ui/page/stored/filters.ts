import { html } from 'htm/preact'
import type { Overview } from '../../api.ts'
import type { Filter } from '../state/list.ts'

interface FiltersProps {
  readonly filter: Filter
  readonly overview: Overview | undefined
  readonly onFilter: (filter: Filter) => void
}

const STATUSES = ['complete', 'failed', 'cancelled']

export function Filters({ filter, overview, onFilter }: FiltersProps) {
  const { caches = [], tools = [] } = overview ?? {}
  const choice = (name: keyof Filter, label: string, all: string, values: readonly string[]) => {
    const onChange = (event: Event) => {
      const { [name]: _, ...others } = filter
      const chosen = (event.target as HTMLSelectElement).value
      onFilter((chosen === '' ? others : { ...others, [name]: chosen }) as Filter)
    }
    return html`<select aria-label=${label} value=${filter[name] ?? ''} onChange=${onChange}>
      <option value="">${all}</option>
      ${values.map(value => html`<option key=${value} value=${value}>${value}</option>`)}
    </select>`
  }
  return html`<div class="filters">
    ${caches.length > 1 && choice('cache', 'Server', 'All servers', caches)}
    ${choice('tool', 'Tool', 'All tools', tools)} ${choice('status', 'Status', 'Any status', STATUSES)}
  </div>`
}
