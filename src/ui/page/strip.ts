import { html } from 'htm/preact'
import type { Overview } from '../api.ts'
import { bytesText, countText, plural, shortCount } from './words.ts'

/** What runs, what is stored, and what that saved: tokens are counted for all of a store, so one actor is not told. */
export function Strip({ overview }: { overview: Overview | undefined }) {
  const { running = 0, waiting = 0, stored, storedBytes, tokens, sight } = overview ?? {}
  const hasTokens = sight !== 'actor'
  const none = overview === undefined
  return html`<dl class="strip ${hasTokens ? '' : 'is-short'}" aria-label="At a glance">
    ${number('Running', none ? undefined : countText(running), waiting === 0 ? 'nothing waits' : `${countText(waiting)} waiting`)}
    ${number('Values stored', stored === undefined ? undefined : stored < 100_000 ? countText(stored) : shortCount(stored), storedBytes === undefined ? 'being counted' : bytesText(storedBytes), stored === undefined ? undefined : plural(stored, 'value'))}
    ${hasTokens && number('Tokens kept out', tokens && shortCount(tokens.keptOut), tokens ? `${shortCount(tokens.pagedIn)} paged in later` : 'not measured yet', tokens && countText(tokens.keptOut))}
    ${hasTokens && number('Net saved', tokens && shortCount(tokens.net), tokens ? `${shortCount(tokens.added)} added by tools` : 'not measured yet', tokens && countText(tokens.net))}
  </dl>`
}

function number(name: string, value: string | undefined, more: string, exact?: string) {
  return html`<div class="number">
    <dt>${name}</dt>
    <dd class="number-value" title=${exact}>${value ?? '–'}</dd>
    <dd class="number-more">${more}</dd>
  </div>`
}
