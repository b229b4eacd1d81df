import { html } from 'htm/preact'
import { useNow } from '../clock.ts'
import { ageText, elapsedText } from '../words.ts'

/** Times that go on. Each draws itself again once a second, and nothing around it. */

export function Age({ at }: { at: string }) {
  const since = useNow() - Date.parse(at)
  return html`<time datetime=${at} title=${localTime(at)}>${ageText(since)}</time>`
}

/** `12 s`, `3 min 20 s`: how long something runs by now. */
export function Elapsed({ since }: { since: string }) {
  return html`<time datetime=${since} title=${localTime(since)}>${elapsedText(useNow() - Date.parse(since))}</time>`
}

/** `in 58 min`, `in 12 s`, and once it is over what `over` says. */
export function Until({ at, over = 'now' }: { at: string; over?: string }) {
  const left = Date.parse(at) - useNow()
  return html`<time datetime=${at} title=${localTime(at)}>${left <= 0 ? over : `in ${ageText(Math.max(2_000, left))}`}</time>`
}

export function localTime(at: string): string {
  return new Date(at).toLocaleString()
}
