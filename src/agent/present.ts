import { systemClock } from '../core/clock.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import { checkChoice } from '../core/options.ts'
import type { CallResponse } from '../core/response.ts'
import type { CallOptions } from '../flow/call/options.ts'
import { withAge } from './age.ts'
import { type ToolResult, toToolResult } from './wire.ts'

/** Where a result's reference stands in a result that is passed on as it is. */
export const REF_ID_META = 'mcp-refcache/ref_id'

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

interface Presentation extends EnvelopeOptions {
  readonly hasOutputSchema: boolean
}

/** The answer to a call of a handler's tool: the value as the handler gave it where it is whole, else our shape. */
export function present(response: CallResponse, { envelope, hasOutputSchema }: Presentation): ToolResult {
  if (envelope === 'always' || response.status !== 'complete' || !response.isComplete) {
    return toToolResult(response)
  }
  const { value, refId, isUnstored, cachedAt } = response
  // Structured content is an object: another value that has to match a schema keeps our shape.
  if (hasOutputSchema && !isJsonObject(value)) return toToolResult(response)
  const text = typeof value === 'string' ? value : stringifyJson(value)
  const result: ToolResult = {
    content: [{ type: 'text', text }],
    ...(hasOutputSchema ? { structuredContent: value as JsonObject } : {}),
    ...(isUnstored ? {} : { _meta: { [REF_ID_META]: refId } }),
  }
  return cachedAt
    ? (withAge(result as JsonObject, cachedAt, systemClock.now()) as unknown as ToolResult)
    : result
}
