import { toWire } from '../../agent/wire.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { CallResponse } from '../../core/response.ts'
import { recordsIn } from '../../preview/records.ts'
import { countTokens } from '../../tokens/tokenizer.ts'
import type { Shown } from '../api.ts'
import { defined } from './rows.ts'

/** Counting more than that takes longer than a look should. */
const MOST_COUNTED = 400_000

/** An answer of the cache as the page shows it, with what an agent would have paid for it. */
export async function toShown(answer: CallResponse): Promise<Shown> {
  const { page, totalPages, totalPagesIsEstimate, totalItems } = answer
  // What else is said tells agents which tool to call next.
  const message = answer.isComplete ? answer.message : undefined
  return defined({
    ref: answer.refId,
    content: contentOf(answer),
    page,
    totalPages,
    totalPagesAreEstimated: totalPagesIsEstimate,
    totalItems,
    tokens: await tokensOf(answer),
    message,
  })
}

async function tokensOf(answer: CallResponse): Promise<number> {
  const text = stringifyJson(toWire(answer))
  if (text.length > MOST_COUNTED) return Math.ceil(text.length / 4)
  return countTokens(text)
}

function contentOf(answer: CallResponse): Shown['content'] {
  if (answer.columns && answer.rows) {
    return { kind: 'table', columns: answer.columns, rows: answer.rows }
  }
  const whole = answer.status === 'complete' && answer.isComplete ? answer.value : undefined
  const value = whole ?? answer.preview
  if (value === undefined) {
    const task = answer.status === 'complete' ? undefined : answer
    const words = [task?.error, task?.progress?.message].filter(word => word !== undefined)
    return { kind: 'text', text: words.join('\n') }
  }
  return contentOfValue(value)
}

function contentOfValue(value: JsonValue): Shown['content'] {
  if (typeof value === 'string') return { kind: 'text', text: value }
  return tableOf(value) ?? { kind: 'json', value }
}

/** A field that is not there looks like null in a table. */
function tableOf(value: JsonValue): Shown['content'] | undefined {
  const records = recordsIn(value)
  if (!records) return undefined
  const { columns } = records
  const cellOf = (record: JsonObject, name: string) =>
    (Object.hasOwn(record, name) ? record[name] : undefined) ?? null
  const rows = records.rows.map(row =>
    typeof row === 'string' ? row : columns.map(name => cellOf(row, name)),
  )
  return { kind: 'table', columns, rows }
}
