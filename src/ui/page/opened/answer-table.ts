import { html } from 'htm/preact'
import { isNumber } from '../exact.ts'
import { cellText } from '../words.ts'

interface AnswerTableProps {
  readonly columns: readonly string[]
  /** A text in the place of a row says what is left out. */
  readonly rows: ReadonlyArray<readonly unknown[] | string>
  readonly name: string
}

/** Rows of a value, or of an answer. It scrolls within itself, also by keyboard. */
export function AnswerTable({ columns, rows, name }: AnswerTableProps) {
  const isNumeric = columns.map((_, i) =>
    rows.every(row => typeof row === 'string' || isNumberOrNone(row[i])),
  )
  return html`<div class="scroll" tabindex="0" role="region" aria-label=${name}>
    <table class="answer">
      <thead>
        <tr>${columns.map((column, i) => html`<th key=${i} scope="col" class=${isNumeric[i] ? 'right' : ''}>${column}</th>`)}</tr>
      </thead>
      <tbody>
        ${rows.map((row, i) =>
          typeof row === 'string'
            ? html`<tr key=${i}><td class="muted" colspan=${columns.length}>${row}</td></tr>`
            : html`<tr key=${i}>${columns.map((_, k) => cell(row[k], isNumeric[k] === true, k))}</tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

function isNumberOrNone(value: unknown): boolean {
  return value === null || value === undefined || isNumber(value)
}

function cell(value: unknown, isNumeric: boolean, key: number) {
  if (value === null || value === undefined)
    return html`<td key=${key} class="muted ${isNumeric ? 'right' : ''}">${value === null ? 'null' : ''}</td>`
  const text = cellText(value)
  return html`<td key=${key} class=${isNumeric ? 'right' : typeof value === 'object' && !isNumber(value) ? 'code' : ''} title=${text.length > 40 ? text : undefined}>${text}</td>`
}
