import { html } from 'htm/preact'
import { useMemo } from 'preact/hooks'
import type { Shown } from '../../api.ts'
import { countText, plural, shortCount } from '../words.ts'
import { AnswerTable } from './answer-table.ts'
import { Media } from './media.ts'

/** A value, or as much of it as was asked for: rows, text or JSON, and its media. Never as HTML. */
export function Content({ shown, name }: { shown: Shown; name: string }) {
  const { content, media } = shown
  return html`${content !== undefined && html`<${Words} content=${content} name=${name} />`}
    ${media !== undefined && html`<${Media} media=${media} />`}`
}

function Words({ content, name }: { content: NonNullable<Shown['content']>; name: string }) {
  return useMemo(() => {
    if (content.kind === 'table')
      return html`<${AnswerTable} columns=${content.columns} rows=${content.rows} name=${name} />`
    const text =
      content.kind === 'text' ? content.text : colored(JSON.stringify(content.value, undefined, 2) ?? '')
    return html`<pre class="scroll" tabindex="0" role="region" aria-label=${name}>${text === '' ? html`<span class="muted">(empty text)</span>` : text}</pre>`
  }, [content, name])
}

/** What an agent pays for it, and the pages around it. */
export function Paging({
  shown,
  isBusy,
  onPage,
}: {
  shown: Shown
  isBusy: boolean
  onPage: (page: number) => void
}) {
  const { page = 1, totalPages = 1, totalPagesAreEstimated, totalItems, tokens, media } = shown
  const isLast = page >= totalPages && !totalPagesAreEstimated
  const of = `${totalPagesAreEstimated ? 'about ' : ''}${countText(totalPages)}`
  return html`<div class="paging">
    <span class="muted" aria-live="polite">
      ${[totalItems !== undefined && plural(totalItems, 'item'), tokens !== undefined && `${shortCount(tokens)} tokens for an agent${media === undefined ? '' : ', and its media'}`].filter(Boolean).join(' · ')}
    </span>
    ${
      totalPages > 1 &&
      html`<span class="pages" aria-busy=${isBusy}>
        <button type="button" aria-label="Previous page" aria-disabled=${page <= 1} onClick=${() => page > 1 && onPage(page - 1)}>‹</button>
        <span>Page ${countText(page)} of ${of}</span>
        <button type="button" aria-label="Next page" aria-disabled=${isLast} onClick=${() => isLast || onPage(page + 1)}>›</button>
      </span>`
    }
  </div>`
}

const TOKENS = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(?:true|false|null)\b|-?\d[\d.eE+-]*/g

/** JSON with its names and values told apart. */
function colored(text: string) {
  const pieces = []
  let end = 0
  for (const found of text.matchAll(TOKENS)) {
    pieces.push(text.slice(end, found.index))
    const [all, string, colon] = found
    const kind = string === undefined ? 'is-literal' : colon === undefined ? 'is-string' : 'is-name'
    pieces.push(html`<span class=${kind}>${all}</span>`)
    end = found.index + all.length
  }
  return [...pieces, text.slice(end)]
}
