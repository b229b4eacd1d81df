import { parseExactly } from '../ui/page/exact.ts'

/** What a tool's result says, as far as the card shows it. */
export type Answer = Running | Done | Ended | Refused

/** The task ended without a value. */
export interface Ended {
  readonly kind: 'ended'
  readonly status: 'failed' | 'cancelled'
  readonly refId?: string
  readonly words: string
  readonly canRetry: boolean
}

/** The call itself failed, which says nothing of a task. */
export interface Refused {
  readonly kind: 'refused'
  readonly refId?: undefined
  readonly words: string
  /** The same call may succeed later. */
  readonly isTemporary: boolean
}

export interface Running {
  readonly kind: 'running'
  readonly refId: string
  readonly isWaiting: boolean
  /** It goes on when whoever started it has answered its question: the host asks that in the chat. */
  readonly isAsking?: boolean
  /** From 0 to 100; absent where nobody knows. */
  readonly percent?: number
  /** Such as `15 of 50`. */
  readonly count?: string
  readonly words?: string
  readonly etaSeconds?: number
  /** Counted from 1. */
  readonly attempt: number
  /** How many attempts there may be; absent where nobody said. */
  readonly attempts?: number
  readonly pollAfterSeconds: number
}

export interface Done {
  readonly kind: 'done'
  /** Absent: the result came whole, and nothing of it can be asked for. */
  readonly refId?: string
  /** The value, a preview or a page of it. */
  readonly value: unknown
  readonly isWhole: boolean
  readonly totalItems?: number
  readonly page?: number
  readonly totalPages?: number
}

type Fields = Readonly<Record<string, unknown>>

const STATUSES = ['pending', 'processing', 'complete', 'failed', 'cancelled']

/** Reads an answer of the cache; any other result is the tool's own, and is shown as it is. */
export function readAnswer(result: unknown): Answer {
  const { structuredContent, isError } = fieldsOf(result)
  const text = textOf(result)
  const said = saidIn(structuredContent, text)
  const body = said.map(fieldsOf).find(isOurs)
  if (body) return answerIn(body)
  const error = said.map(one => fieldsOf(fieldsOf(one).error)).find(hasWords)
  if (error) return refused(String(error.message), TEMPORARY.includes(String(error.code)))
  if (isError === true) return refused(text)
  return { kind: 'done', value: said[0] ?? text, isWhole: true }
}

/** The host has read the structured content as JSON, and rounded its large numbers. A text that says the same has all their digits. */
function saidIn(structured: unknown, text: string): readonly unknown[] {
  const exact = parsed(text)
  if (structured === undefined || structured === null) return exact === undefined ? [] : [exact]
  const isSame = exact !== undefined && JSON.stringify(JSON.parse(text)) === JSON.stringify(structured)
  return isSame ? [exact] : [structured, exact]
}

/** How the message of a task begins that has asked something (`flow/read/status.ts`): no other field says it. */
const ASKING = 'Waiting for input'

const TEMPORARY = ['store_unavailable', 'queue_full', 'internal']

function refused(words: string, isTemporary = false): Refused {
  return { kind: 'refused', words, isTemporary }
}

/** Whether it is an answer about a reference, not a result that looks like one. */
function isOurs({ ref_id: refId, status }: Fields): boolean {
  return typeof refId === 'string' && /:[0-9a-f]{32}\b/.test(refId) && STATUSES.includes(String(status))
}

function hasWords({ code, message }: Fields): boolean {
  return typeof code === 'string' && typeof message === 'string'
}

function answerIn(body: Fields): Answer {
  const refId = String(body.ref_id)
  switch (body.status) {
    case 'complete':
      return doneIn(body, refId)
    case 'failed':
    case 'cancelled': {
      // `message` says what a model can do next; a person has the buttons.
      const words = textIn(body.error) ?? textIn(body.value ?? body.preview) ?? ''
      return { kind: 'ended', status: body.status, refId, words, canRetry: body.can_retry === true }
    }
    default:
      return runningIn(body, refId)
  }
}

function runningIn(body: Fields, refId: string): Running {
  const { current, total, percentage, message } = fieldsOf(body.progress)
  const retries = numberIn(body.retry_count) ?? 0
  const most = numberIn(body.max_retries)
  const done = numberIn(current)
  const all = numberIn(total)
  return {
    kind: 'running',
    refId,
    isWaiting: body.status === 'pending',
    ...given('isAsking', textIn(body.message)?.startsWith(ASKING) ? true : undefined),
    ...given('percent', within(numberIn(percentage))),
    ...given('count', done === undefined ? undefined : `${done}${all === undefined ? '' : ` of ${all}`}`),
    ...given('words', textIn(message)),
    ...given('etaSeconds', numberIn(body.eta_seconds)),
    attempt: retries + 1,
    ...given('attempts', most === undefined || most === 0 ? undefined : most + 1),
    pollAfterSeconds: numberIn(body.poll_after_seconds) ?? 5,
  }
}

function doneIn(body: Fields, refId: string): Done {
  const { columns, rows, value = body.preview } = body
  return {
    kind: 'done',
    refId,
    value: Array.isArray(columns) && Array.isArray(rows) ? { columns, rows } : value,
    // The answer to a cancellation says nothing of the value.
    isWhole: body.is_complete === true,
    ...given('totalItems', numberIn(body.total_items)),
    ...given('page', numberIn(body.page)),
    ...given('totalPages', numberIn(body.total_pages)),
  }
}

function given<Name extends string, Value>(name: Name, value: Value | undefined): { [N in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { [N in Name]?: Value }
}

function within(percent: number | undefined): number | undefined {
  return percent === undefined ? undefined : Math.min(100, Math.max(0, percent))
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function textOf(result: unknown): string {
  const { content } = fieldsOf(result)
  const blocks: readonly unknown[] = Array.isArray(content) ? content : []
  return blocks.flatMap(block => textIn(fieldsOf(block).text) ?? []).join('\n')
}

function parsed(text: string): unknown {
  try {
    const value = parseExactly(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
