import type { AnswerLimits, ReadFields } from '../core/answer-limits.ts'
import { systemClock } from '../core/clock.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { checkChoice } from '../core/options.ts'
import type { RefId } from '../core/ref.ts'
import type { CallResponse } from '../core/response.ts'
import type { CallOptions } from '../flow/call/options.ts'
import { denseTable } from '../preview/dense.ts'
import { isWorthMentioning, withAge } from './age.ts'
import { toResourceUri } from './resource-uri.ts'
import { resourceLink, type ToolResult, toToolResult } from './wire.ts'

/** Where a result's reference stands in a result that is passed on as it is. */
export const REF_ID_META = 'mcp-refcache/ref_id'

/** Whether the task behind an error of a tool can be tried again. */
export const CAN_RETRY_META = 'mcp-refcache/can_retry'

/** How the answers of a tool look. */
export interface EnvelopeOptions {
  /**
   * `when-needed`: a result that fits the budget passes as the handler gave it, and an entry is stored only where somebody could
   * come back for it; previews and handles come in our shape. `always`: every answer has our shape, with its `ref_id`.
   * @defaultValue 'when-needed'
   */
  envelope?: Envelope | undefined
}

const ENVELOPES = ['when-needed', 'always'] as const

export type Envelope = (typeof ENVELOPES)[number]

export function checkEnvelope({ envelope }: EnvelopeOptions): void {
  checkChoice(envelope, ENVELOPES, 'envelope')
}

/** When the entry of a call is claimed: an answer that names its reference needs one. */
export function claimFor(envelope: Envelope | undefined): Pick<CallOptions, 'claim'> {
  return { claim: envelope === 'always' ? 'first' : 'late' }
}

/**
 * How a client is answered about a reference. A whole CallToolResult is passed on as the tool gave it, one with `isError` too;
 * anything else comes in our shape.
 */
export function present(response: CallResponse, how: Presentation = {}): ToolResult {
  const { limits, hasOutputSchema, envelope } = how
  const shown = response.status === 'complete' ? response : response.errorValue
  if (!shown?.isComplete || !shown.isToolResult) {
    const answer = envelope === 'always' ? response : withTable(response)
    const result = inFieldsRead(toToolResult(answer), limits?.reads, hasOutputSchema)
    const isPreview = response.status === 'complete' && !response.isComplete
    return isPreview && !response.isUnstored && limits?.followsLinks
      ? withLink(result, response.refId)
      : result
  }
  return withReference(shown.value as JsonObject, response, how)
}

/** With a link to the value that the result shows a part of. */
function withLink(result: ToolResult, refId: RefId): ToolResult {
  return { ...result, content: [...result.content, resourceLink(toResourceUri(refId), { name: refId })] }
}

/** A whole list of records is shown as a table, where that is shorter. */
function withTable(response: CallResponse): CallResponse {
  const table = response.status === 'complete' && response.isComplete && denseTable(response.value)
  return table ? { ...response, ...table } : response
}

/**
 * An answer of ours stands in both fields of a result, each whole by itself. A client that gives its model the content, or both, gets it
 * once; but where a schema is declared it wants structured content.
 */
export function inFieldsRead(
  result: ToolResult,
  reads: ReadFields = 'unknown',
  hasOutputSchema = false,
): ToolResult {
  if (hasOutputSchema || reads === 'unknown' || reads === 'structured') return result
  const { structuredContent: _, ...content } = result
  return content
}

/** How an answer is written. */
export interface Presentation extends EnvelopeOptions {
  /** The tool that is answered declares an output schema. */
  readonly hasOutputSchema?: boolean | undefined
  /** What the client can take. */
  readonly limits?: AnswerLimits | undefined
}

/** The answer to a call of a handler's tool: what the handler gave as it gave it where it is whole, else our shape. */
export function presentCall(response: CallResponse, how: Presentation): ToolResult {
  const { envelope, hasOutputSchema } = how
  const isWhole = response.status === 'complete' && response.isComplete && !response.isReference
  if (envelope === 'always' || !isWhole || response.isToolResult) return present(response, how)
  const { value } = response
  // Structured content is an object: another value that has to match a schema keeps our shape.
  if (hasOutputSchema && !isJsonObject(value)) return toToolResult(response)
  const text = typeof value === 'string' ? value : stringifyJson(value)
  const result = {
    content: [{ type: 'text', text }],
    ...(hasOutputSchema ? { structuredContent: value } : {}),
  }
  return withReference(result, response, how)
}

/** The tool's own result, with our metadata beside its own. Without an entry behind it there is nothing to add. */
function withReference(result: JsonObject, response: CallResponse, { limits }: Presentation): ToolResult {
  const passed = response.isUnstored ? result : { ...result, _meta: withEntry(result._meta, response) }
  const cachedAt = response.status === 'complete' ? response.cachedAt : undefined
  if (!cachedAt) return passed as unknown as ToolResult
  const now = systemClock.now()
  const aged = withAge(passed, cachedAt, now) as unknown as ToolResult
  const isTold = limits?.reads === 'structured' && isWorthMentioning(cachedAt, now)
  return isTold ? { ...aged, ...withAgeInside(result, response, cachedAt) } : aged
}

/** The age beside the value, for a model that is shown the structured content alone. */
function withAgeInside(
  { structuredContent: value }: JsonObject,
  { refId, isUnstored }: CallResponse,
  cachedAt: Date,
): Pick<ToolResult, 'structuredContent'> {
  if (value === undefined) return {}
  const whole = { status: 'complete', is_complete: true, is_async: false }
  return {
    structuredContent: {
      ...(isUnstored ? {} : { ref_id: refId }),
      ...whole,
      cached_at: cachedAt.toISOString(),
      value,
    },
  }
}

function withEntry(meta: JsonValue | undefined, response: CallResponse): JsonObject {
  const canRetry = response.status === 'complete' ? undefined : response.canRetry
  return {
    ...(meta as JsonObject | undefined),
    [REF_ID_META]: response.refId,
    ...(canRetry === undefined ? {} : { [CAN_RETRY_META]: canRetry }),
  }
}
