import { html } from 'htm/preact'
import { useEffect, useState } from 'preact/hooks'
import { Choices } from '../parts/choices.ts'
import type { Server } from '../server.ts'
import { hashOf, type Route } from '../state/route.ts'
import { useShown } from '../state/shown.ts'
import { Content, Paging } from './content.ts'

const WAYS = [
  { value: 'sample', label: 'Sample' },
  { value: 'pages', label: 'Pages' },
] as const

/** A value up to here is shown as a whole. */
const WHOLE_BYTES = 4_000

interface ValueProps {
  readonly route: Route
  readonly bytes: number
  readonly server: Server
  /** How often the lists were loaded: they are loaded anew when a server that was away is back. */
  readonly loads: number
}

/** The value: a sample of it as agents get one, page by page, or one part of it. */
export function Value({ route, bytes, server, loads }: ValueProps) {
  const { ref, part } = route
  const { shown, problem, isAway, isBusy, ask } = useShown()
  const show = (page?: number) => ask(() => server.value(part === '' ? ref : `${ref}#${part}`, page))
  // Media alone are no list, and no text.
  const hasPages = shown === undefined || shown.content !== undefined
  const way = shown?.page === undefined ? 'sample' : 'pages'
  useEffect(() => void show(), [ref, part])
  useEffect(() => {
    if (isAway) void show()
  }, [loads])
  return html`<section class="block" aria-labelledby="value-title">
    <div class="block-head">
      <h3 id="value-title">Value</h3>
      ${bytes > WHOLE_BYTES && hasPages && html`<${Choices} name="How to show it" values=${WAYS} chosen=${way} onChoose=${(chosen: string) => show(chosen === 'pages' ? 1 : undefined)} />`}
      <${PartBox} key=${part} route=${route} />
    </div>
    ${problem !== undefined && html`<div class="problem" role="alert"><p>${problem}</p><button type="button" onClick=${() => show()}>Try again</button></div>`}
    ${
      shown === undefined
        ? problem === undefined && html`<div class="absent" aria-hidden="true"></div>`
        : html`<${Content} shown=${shown} name="Content" />
            ${shown.message !== undefined && html`<p class="hint">${shown.message}</p>`}
            <${Paging} shown=${shown} isBusy=${isBusy} onPage=${show} />`
    }
  </section>`
}

/** Names a part of the value, as an agent would. */
function PartBox({ route: { ref, part } }: { route: Route }) {
  const [text, setText] = useState(part)
  const onSubmit = (event: Event) => {
    event.preventDefault()
    location.hash = hashOf(ref, text.trim().replace(/^#/, ''))
  }
  return html`<form class="part" onSubmit=${onSubmit}>
    <label for="part" class="muted">Part #</label>
    <input id="part" type="text" spellcheck=${false} autocomplete="off" placeholder="/rows/3 or L10-L20" value=${text} onInput=${(event: Event) => setText((event.target as HTMLInputElement).value)} />
    <button type="submit">Show</button>
    ${part !== '' && html`<a href=${hashOf(ref)}>Whole</a>`}
  </form>`
}
