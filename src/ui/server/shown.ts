import { toWire } from '../../agent/wire.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { CallResponse } from '../../core/response.ts'
import { recordsIn } from '../../preview/records.ts'
import { countTokens } from '../../tokens/tokenizer.ts'
import { type CallResult, isCallResult, shownValue } from '../../values/call-result.ts'
import type { Medium, Shown } from '../api.ts'
import { isLink, isMedium, toDescribedMedia, toMedia } from './media.ts'
import { defined } from './rows.ts'
import type { Opened } from './sight.ts'

/** What the page shows of a value at once, in the cache's size mode. */
const PAGE_SIZE = 4_000
/** Counting more than that takes longer than a look should. */
const MOST_COUNTED = 400_000

/** A value, or a page or a part of it: as agents get it, but with its images. @throws NotFound, PermissionDenied, InvalidArgument */
export async function valueShown(
  { cache, actor }: Opened,
  reference: string,
  { page, signal }: { readonly page: number | undefined; readonly signal: AbortSignal },
): Promise<Shown> {
  const maxSize = cache.sizeMode === 'token' ? PAGE_SIZE : PAGE_SIZE * 4
  const answer = await cache.get(reference, { actor, page, maxSize, signal })
  if (page !== undefined || !leavesMediaOut(answer)) return toShown(answer)
  // Where it is too large as a whole, its media are told by type and size.
  const whole = await cache.get(reference, { actor, full: true }).catch(() => undefined)
  const result = whole?.status === 'complete' && whole.isComplete ? whole.value : undefined
  return toShown(answer, isCallResult(result) ? toMedia(result.content.filter(isMedium)) : undefined)
}

function leavesMediaOut(answer: CallResponse): boolean {
  if (answer.status !== 'complete' || answer.isComplete) return false
  return answer.about?.media !== undefined || mediaIn(answer.preview).length > 0
}

/**
 * An answer of the cache as the page shows it, with what an agent would have paid for it.
 * @param media of the value, where the answer only describes them
 */
export async function toShown(answer: CallResponse, media?: readonly Medium[]): Promise<Shown> {
  const { page, totalPages, totalPagesIsEstimate, totalItems } = answer
  const parts = partsOf(answer, media)
  // What else is said tells agents which tool to call next.
  const message = answer.isComplete ? answer.message : undefined
  return defined({
    ref: answer.refId,
    content: contentOf(answer, parts),
    media: parts.media.length > 0 ? parts.media : undefined,
    page,
    totalPages,
    totalPagesAreEstimated: totalPagesIsEstimate,
    totalItems: parts.value === undefined ? undefined : totalItems,
    tokens: await tokensOf(answer, parts),
    message,
  })
}

interface Parts {
  /** What is shown of the value; undefined where that is its media alone, or where there is no value. */
  readonly value: JsonValue | undefined
  readonly media: readonly Medium[]
}

function partsOf(answer: CallResponse, media?: readonly Medium[]): Parts {
  if (answer.status !== 'complete') return { value: answer.preview, media: [] }
  if (!answer.isComplete) return partsOfPreview(answer, media)
  if (!answer.isToolResult || !isCallResult(answer.value)) return { value: answer.value, media: [] }
  return partsOfResult(answer.value)
}

/** A value that is its content blocks has its media among them; beside a text they are described. */
function partsOfPreview({ preview, about }: Previewed, media?: readonly Medium[]): Parts {
  const noted = mediaIn(preview)
  if (noted.length === 0) return { value: preview, media: media ?? toDescribedMedia(about) }
  const rest = (preview as JsonValue[]).filter(block => !isMedium(block))
  return { value: rest.length > 0 ? rest : undefined, media: media ?? toMedia(noted) }
}

type Previewed = Extract<CallResponse, { readonly status: 'complete'; readonly isComplete: false }>

function mediaIn(preview: JsonValue | undefined): JsonObject[] {
  return Array.isArray(preview) ? preview.filter(isMedium) : []
}

/** The result of a tool without its envelope, and what is no text in it by itself. */
function partsOfResult(result: CallResult): Parts {
  const media = result.content.filter(isMedium)
  const texts = result.content.filter(block => !isMedium(block))
  if (result.structuredContent !== undefined && result.structuredContent !== null) {
    // Where it repeats the bytes of media, they are left out there, too.
    const content = result.content.filter(block => !isLink(block))
    return { value: shownValue({ ...result, content }).value, media: toMedia(media) }
  }
  const hasText = texts.length > 0 || media.length === 0
  return { value: hasText ? shownValue({ content: texts }).value : undefined, media: toMedia(media) }
}

async function tokensOf(answer: CallResponse, { value, media }: Parts): Promise<number | undefined> {
  if (value === undefined && media.length > 0) return undefined
  const isResult = answer.status === 'complete' && answer.isComplete && value !== undefined
  const text = stringifyJson(toWire(isResult ? { ...answer, value } : answer))
  if (text.length > MOST_COUNTED) return Math.ceil(text.length / 4)
  return countTokens(text)
}

function contentOf(answer: CallResponse, { value, media }: Parts): Shown['content'] {
  if (answer.columns && answer.rows) {
    return { kind: 'table', columns: answer.columns, rows: answer.rows }
  }
  if (value !== undefined) return contentOfValue(value)
  if (media.length > 0) return undefined
  const task = answer.status === 'complete' ? undefined : answer
  const words = [task?.error, task?.progress?.message].filter(word => word !== undefined)
  return { kind: 'text', text: words.join('\n') }
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
