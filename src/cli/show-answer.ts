import { toWire } from '../agent/wire.ts'
import type { JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { printable } from '../core/printable.ts'
import type { CallResponse } from '../core/response.ts'
import { type Records, recordsIn } from '../preview/records.ts'
import { EXIT } from './exit.ts'
import { formatTable } from './table.ts'

/** Where a command writes: the answer itself, and what is worth knowing beside it. */
export interface Output {
  readonly answer: (text: string) => void
  /** Takes so many lines back from the end of a terminal. */
  readonly takeBack: (lines: number) => void
  readonly note: (line: string) => void
  /** Cells of a line, where a person looks at it; undefined for a pipe or a file, which get all as it is. */
  readonly width: number | undefined
}

const DEFAULT_WIDTH = 80

export function outputOf({ stdout, stderr }: Pick<typeof process, 'stdout' | 'stderr'> = process): Output {
  return {
    answer: text => void stdout.write(stdout.isTTY ? harmless(text) : text),
    takeBack: lines => void stdout.write(`\u001b[${lines}A\u001b[0J`),
    note: line => void stderr.write(`${printable(line)}\n`),
    // A terminal that does not know its size says 0.
    width: stdout.isTTY ? stdout.columns || DEFAULT_WIDTH : undefined,
  }
}

/** Writes what a reference answered; gives the exit code that says how its task stands. */
export function showAnswer(answer: CallResponse, asJson: boolean, out: Output): number {
  if (asJson) out.answer(`${stringifyJson(toWire(answer))}\n`)
  else if (answer.status === 'complete') showValue(answer, out)
  else showTask(answer, out)
  if (answer.status === 'complete') return EXIT.ok
  return answer.isAsync ? EXIT.notReady : EXIT.failed
}

function showValue(answer: CallResponse & { status: 'complete' }, out: Output): void {
  const { isComplete, value, preview, page, totalPages, totalItems, pageUnit, message } = answer
  const content = isComplete ? value : preview
  if (content === undefined) {
    // How the task stands was asked for, and nothing of its value.
    out.answer(`complete${message === undefined ? '' : ` · ${printable(message)}`}\n`)
    return
  }
  out.answer(shown(content, out.width))
  if (isComplete) return
  const where = page === undefined ? 'a preview' : `page ${page} of ${totalPages}`
  const all = totalItems === undefined ? '' : `, of ${totalItems} ${pageUnit ?? 'items'}`
  out.note(`${where}${all}: --page N shows a page, --full all of it`)
}

function showTask(answer: Exclude<CallResponse, { status: 'complete' }>, out: Output): void {
  const { status, tool, progress, etaSeconds, error, errorCode, canRetry } = {
    error: undefined,
    errorCode: undefined,
    ...answer,
  }
  const percent = progress?.percentage === undefined ? undefined : `${Math.floor(progress.percentage)} %`
  const eta = etaSeconds === undefined ? undefined : `${Math.ceil(etaSeconds)} s to go`
  const words = [status, tool, percent, progress?.message, eta, errorCode, error]
  const line = words.filter(word => word !== undefined).join(' · ')
  out.answer(`${printable(line)}\n`)
  if (canRetry) out.note('retry tries it again')
}

/** A value for people: a text as it is, records as a table, all else as JSON. */
export function shown(value: JsonValue, width: number | undefined): string {
  const records = recordsIn(value)
  if (records) return tableOf(records, width)
  return ended(typeof value === 'string' ? value : JSON.stringify(value, null, 2))
}

function ended(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

/** What a terminal is shown of a text: its lines stay; what could move the cursor does not. */
export function harmless(text: string): string {
  return text
    .split(/(\n|\t)/)
    .map(part => (part === '\n' || part === '\t' ? part : printable(part)))
    .join('')
}

function tableOf({ columns, rows }: Records, width: number | undefined): string {
  const numbers = (column: string) =>
    rows.every(row => typeof row === 'string' || typeof (row[column] ?? 0) === 'number')
  return formatTable(
    columns.map(title => ({ title, align: numbers(title) ? 'right' : 'left' })),
    rows.map(row => (typeof row === 'string' ? row : columns.map(column => cell(row[column])))),
    width,
  )
}

function cell(value: JsonValue | undefined): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : stringifyJson(value)
}
