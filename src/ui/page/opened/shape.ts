import { html } from 'htm/preact'
import type { Column, Table } from '../../api.ts'
import { cellText, countText, plural } from '../words.ts'
import { countsOf, rowsWith } from './sql.ts'

interface ShapeProps {
  readonly tables: readonly Table[]
  /** A click on a column or a value asks about it. */
  readonly onAsk: (sql: string) => void
}

/** What columns a value has, and what is in them. */
export function Shape({ tables, onAsk }: ShapeProps) {
  return html`<section class="block" aria-labelledby="shape-title">
    <h3 id="shape-title">Shape</h3>
    ${tables.map(
      table => html`<div key=${table.name} class="scroll is-shape" tabindex="0" role="region" aria-label=${`Columns of ${table.name}`}>
        <table class="shape">
          <caption><code>${table.name}</code> ${plural(table.rows, 'row')}</caption>
          <thead>
            <tr><th scope="col">Column</th><th scope="col" class="right">Distinct</th><th scope="col">Range</th><th scope="col" class="shape-most">Most frequent</th></tr>
          </thead>
          <tbody>
            ${table.columns.map(column => html`<${ColumnRow} key=${column.name} table=${table} column=${column} onAsk=${onAsk} />`)}
          </tbody>
        </table>
      </div>`,
    )}
  </section>`
}

function ColumnRow({ table, column, onAsk }: { table: Table; column: Column; onAsk: ShapeProps['onAsk'] }) {
  const { name, type, distinct, missing = 0, least, greatest, frequent = [] } = column
  return html`<tr>
    <th scope="row">
      <button type="button" class="link" title="Count its values" onClick=${() => onAsk(countsOf(table, column))}>${name}</button>
      <span class="muted">${type ?? ''}${missing > 0 ? `, ${countText(missing)} missing` : ''}</span>
    </th>
    <td class="right shape-distinct">${distinct === undefined || distinct === 0 ? '' : html`${countText(distinct)} <span class="narrow-only muted">distinct</span>`}</td>
    <td class="range">${least === undefined || greatest === undefined ? '' : rangeText(least, greatest)}</td>
    <td class="shape-most">
      ${frequent.length > 0 && html`<span class="unseen">most frequent </span>`}
      ${frequent.map(
        ({ value, share }) => html`<button
          key=${value}
          type="button"
          class="frequent"
          title=${`Ask for the rows with ${value}`}
          onClick=${() => onAsk(rowsWith(table, column, value))}
        >
          <span class="frequent-fill" style=${{ width: `${Math.max(1, share * 100)}%` }}></span>
          <span class="frequent-value one-line">${value === '' ? html`<span class="muted">empty text</span>` : value}</span>
          <span class="frequent-share">${shareText(share)}</span>
        </button>`,
      )}
    </td>
  </tr>`
}

function rangeText(least: string | number, greatest: string | number) {
  if (cellText(least) === cellText(greatest)) return cellText(least)
  return html`<span class="one-line">${cellText(least)}</span><span class="one-line muted">to ${cellText(greatest)}</span>`
}

function shareText(share: number): string {
  return share > 0 && share < 0.01 ? '< 1 %' : `${Math.round(share * 100)} %`
}
