import { toDate } from '../core/clock.ts'
import { cutText } from '../core/cut-text.ts'
import type { FailedAttempt, Progress } from '../core/entry.ts'
import { asInspectable, errorText } from '../core/error-text.ts'
import { publicMessageOf, RefCacheError, StoreUnavailable } from '../core/errors.ts'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { AsyncTaskResponse, CallResponse, FailedResponse } from '../core/response.ts'
import type { EditedReference } from '../flow/derive/edit.ts'
import { boundedError, boundedMessage } from './error-limit.ts'

/** The one place where the library's camelCase answers become the wire's snake_case, and errors its codes. */

export type WireErrorCode =
  | 'not_found'
  | 'permission_denied'
  | 'invalid_argument'
  | 'task_failed'
  | 'task_cancelled'
  | 'task_not_ready'
  | 'value_too_large'
  | 'answer_too_large'
  | 'query_limit'
  | 'store_unavailable'
  | 'store_full'
  | 'queue_full'
  | 'internal'

/** The part of an MCP CallToolResult that this package writes. */
export interface ToolResult {
  content: Array<{ type: 'text'; text: string }>
  structuredContent?: JsonObject
  isError?: true
  _meta?: JsonObject
  [key: string]: unknown
}

/**
 * An answer as a tool result: the object, and one text block with the same object as compact JSON. That a task failed is
 * an error, whoever asks.
 */
export function toToolResult(response: CallResponse): ToolResult {
  // What a failed task had appended was asked for: that is no error.
  const failed = response.status === 'failed' && !showsContent(response)
  const shown = response.status === 'complete' ? response : response.errorValue
  return {
    ...toResult(failed ? failureBody(response) : toWire(response)),
    ...(failed ? { isError: true as const } : {}),
    ...(shown?.meta ? { _meta: shown.meta } : {}),
  }
}

/** A failed task; what the tool gave as its error is shown like a value, in the place of words about it. */
function failureBody({ errorValue, ...response }: FailedResponse): JsonObject {
  const body = boundedError(toWire(response))
  if (!errorValue) return body
  const { error: _, message, ...about } = body
  return defined({ ...about, ...valueFields(errorValue), message: errorValue.message ?? message })
}

/** How a task stands after it was to be cancelled: no error, and nothing about a value, which nobody asked for. */
export function toCancelResult(response: CallResponse): ToolResult {
  const body = toWire(response)
  if (response.status === 'complete') delete body.is_complete
  return toResult(boundedError(body))
}

export interface ErrorOptions {
  /** Clients hold structured content against the tool's output schema, also of an error: then it has none. */
  hasOutputSchema?: boolean | undefined
}

/** An error as a tool result. */
export function toErrorResult(error: unknown, { hasOutputSchema = false }: ErrorOptions = {}): ToolResult {
  const { structuredContent, ...result } = toResult({ error: boundedError(toWireError(error)) })
  return { ...result, ...(hasOutputSchema ? {} : { structuredContent }), isError: true }
}

/** A changed copy: its reference, and what changed. */
export function toEditResult(edited: EditedReference): ToolResult {
  const { refId, derivedFrom, changes, moreChanges, size, sizeIsEstimate, expiresAt } = edited
  return toResult(
    defined({
      ref_id: refId,
      derived_from: derivedFrom,
      changes: changes.map(change => ({ ...change })),
      more_changes: moreChanges > 0 ? moreChanges : undefined,
      size,
      size_is_estimate: sizeIsEstimate,
      expires_at: expiresAt?.toISOString(),
      message: size === undefined ? PRIVATE_COPY : undefined,
    }),
  )
}

const PRIVATE_COPY =
  'The copy holds a value that you may not see: pass its ref_id on, as it is, as an argument of another tool.'

interface SoFar {
  readonly available?: number | undefined
  readonly isGrowing?: true | undefined
  readonly partial?: true | undefined
}

/** A file that was written. */
export interface WrittenFile extends SoFar {
  readonly name: string
  readonly bytes: number
  readonly sha256: string
  readonly rows?: number | undefined
  /** Where its reader finds what is in it: the file on its own machine, else the resource. */
  readonly link?: { readonly uri: string; readonly mimeType?: string; readonly size?: number } | undefined
}

/** What was written, so that it can be checked, and a link to it. */
export function toExportResult({ link, ...written }: WrittenFile): ToolResult {
  const { name, rows, bytes, sha256 } = written
  const body = { ...defined({ name, rows, bytes, sha256 }), ...soFarFields(written) }
  const result: ToolResult = toResult(body)
  if (link === undefined) return result
  const { uri, ...about } = link
  return { ...result, content: [...result.content, resourceLink(uri, { name, ...about })] }
}

type Block = ToolResult['content'][number]

export function resourceLink(uri: string, about: { name: string; mimeType?: string; size?: number }): Block {
  return { type: 'resource_link', uri, ...about } as unknown as Block
}

/** An object that is on the wire's terms already. */
export function toResult(body: JsonObject) {
  return { content: [{ type: 'text' as const, text: stringifyJson(body) }], structuredContent: body }
}

/** Whether something of what a task has appended is in the answer. */
function showsContent({ preview, rows }: CallResponse): boolean {
  return preview !== undefined || rows !== undefined
}

export function toWire(response: CallResponse): JsonObject {
  const { refId, status, isComplete, message } = response
  const isTask = response.status !== 'complete'
  return defined({
    ref_id: response.isUnstored ? undefined : refId,
    status,
    is_complete: isComplete,
    // For clients it also says that there is no value.
    is_async: status !== 'complete',
    expires_at: response.expiresAt?.toISOString(),
    cached_at: response.status === 'complete' ? response.cachedAt?.toISOString() : undefined,
    ...(isTask && !showsContent(response) ? taskFields(response) : valueFields(response)),
    ...soFarFields(response),
    ...(isTask ? {} : { error_code: response.errorCode }),
    message,
  })
}

/** How much there is of a value whose task has not come to its end, or ended without one. */
export function soFarFields(answer: SoFar): JsonObject {
  return defined({ available: answer.available, is_growing: answer.isGrowing, partial: answer.partial })
}

function valueFields(response: CallResponse): Record<string, JsonValue | undefined> {
  const isWhole = 'value' in response
  return {
    // A table stands in the place of the value.
    value: isWhole && !response.rows ? response.value : undefined,
    size: isWhole ? response.size : undefined,
    preview: response.preview,
    columns: response.columns && [...response.columns],
    rows: response.rows && [...response.rows],
    preview_strategy: response.previewStrategy,
    total_items: response.totalItems,
    original_size: response.originalSize,
    original_size_is_estimate: response.originalSizeIsEstimate,
    preview_size: response.previewSize,
    shape: response.shape,
    parts: response.parts,
    lines: response.lines && [...response.lines],
    total_lines: response.totalLines,
    reformatted: response.reformatted,
    page: response.page,
    total_pages: response.totalPages,
    total_pages_is_estimate: response.totalPagesIsEstimate,
    page_unit: response.pageUnit,
    path: response.path,
    ...('about' in response ? response.about : undefined),
  }
}

function taskFields(response: AsyncTaskResponse): Record<string, JsonValue | undefined> {
  return {
    tool: response.tool && cutText(response.tool, MAX_NAME_LENGTH),
    started_at: response.startedAt?.toISOString(),
    progress: response.progress && wireProgress(response.progress),
    eta_seconds: response.etaSeconds,
    eta_basis: response.etaBasis,
    poll_after_seconds: response.pollAfterSeconds,
    error: response.error,
    error_code: response.errorCode,
    retry_count: response.retryCount,
    max_retries: response.maxRetries,
    can_retry: response.canRetry,
    retry_of: response.retryOf,
    retried_as: response.retriedAs,
    is_cancellable: response.isCancellable,
    retry_history: response.retryHistory?.slice(-MAX_ATTEMPTS).map(wireAttempt),
    expected_schema: response.expectedSchema,
  }
}

const MAX_NAME_LENGTH = 200

/** How many failed attempts an answer tells of, the latest ones. */
const MAX_ATTEMPTS = 10

function wireProgress({ message, ...numbers }: Progress): JsonObject {
  return defined({ ...numbers, message: message === undefined ? undefined : boundedMessage(message) })
}

function wireAttempt({ attempt, error, at }: FailedAttempt): JsonObject {
  return { attempt, error: error.message, error_code: error.code, at: toDate(at).toISOString() }
}

/** The fields that have a value: what has none costs no tokens. */
export function defined(fields: Record<string, JsonValue | undefined>): JsonObject {
  const kept: JsonObject = {}
  for (const name of Object.keys(fields)) {
    const value = fields[name]
    if (value !== undefined) kept[name] = value
  }
  return kept
}

/**
 * An error as the wire has it. An error of this package says so itself; one that a tool threw is the tool's failure.
 * No stack or cause goes out.
 */
export function toWireError(thrown: unknown): { code: WireErrorCode; message: string } {
  const error = asInspectable(thrown)
  if (error instanceof StoreUnavailable) return { code: error.code, message: publicMessageOf(error) }
  if (error instanceof RefCacheError) return { code: wireCode(error), message: error.message }
  return { code: 'task_failed', message: errorText(error) }
}

function wireCode({ code }: RefCacheError): WireErrorCode {
  switch (code) {
    case 'hard_timeout':
    case 'worker_lost':
    case 'worker_out_of_memory':
    case 'input_unavailable':
    case 'not_serializable':
    case 'protocol_error':
      return 'task_failed'
    case 'circular_reference':
      return 'invalid_argument'
    default:
      return code
  }
}

/** An error that nobody planned for: its text could hold anything, so it stays here, as the cause. */
class Internal extends RefCacheError {
  readonly name = 'Internal'
  readonly code = 'internal'
}

export function internalError(cause: unknown): RefCacheError {
  return new Internal('Something went wrong inside of the server. Try again; its log may say more.', {
    cause,
  })
}
