import { html } from 'htm/preact'
import type { Detail, Linked } from '../../api.ts'
import { Status } from '../parts/status.ts'
import { hashOf } from '../state/route.ts'
import { shortRef } from '../words.ts'

/** The graph around a reference: what it was made of on the left, what was made of it on the right. */
export function Links({ detail: { row, uses, usedBy } }: { detail: Detail }) {
  if (uses.length === 0 && usedBy.length === 0) return undefined
  return html`<section class="block" aria-labelledby="links-title">
    <h3 id="links-title">Who used whom</h3>
    <div class="graph">
      <${Side} linked=${uses} name="Made of" side="left" none="nothing else" />
      <div class="node is-self"><${Status} row=${row} /><span class="one-line">${row.tool ?? row.label ?? shortRef(row.ref)}</span></div>
      <${Side} linked=${usedBy} name="Used by" side="right" none="nobody yet" />
    </div>
    ${[...uses, ...usedBy].some(({ how }) => how === 'guard') && html`<p class="hint">Dashed: a guard. Who may not see the one may not see the other.</p>`}
  </section>`
}

interface SideProps {
  readonly linked: readonly Linked[]
  readonly name: string
  readonly side: 'left' | 'right'
  readonly none: string
}

function Side({ linked, name, side, none }: SideProps) {
  return html`<h4 class="is-${side}">${name}</h4>
    <div class="side is-${side} ${linked.length === 0 ? 'is-empty' : ''}">
    ${
      linked.length === 0
        ? html`<p class="muted">${none}</p>`
        : html`<ul>
            ${linked.map(
              one => html`<li key=${`${one.ref} ${one.how}`} class="is-${one.how}">
                <a class="node" href=${hashOf(one.ref)} title=${one.ref}>
                  <${Status} row=${one} />
                  <span class="pair"><span class="one-line">${one.tool ?? shortRef(one.ref)}</span>${one.how === 'guard' && html`<span class="muted">guard</span>`}</span>
                </a>
              </li>`,
            )}
          </ul>`
    }
  </div>`
}
