import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { channels, trace } from '../telemetry/channels.ts'
import type { ServerRequestMessage, TraceFields } from '../telemetry/messages.ts'

/** The longest that is read of each, in characters. What is longer than its standard wants is nobody's trace. */
const LONGEST = { traceparent: 128, tracestate: 4_096, baggage: 8_192 } as const

type Field = keyof typeof LONGEST
const FIELDS = Object.keys(LONGEST) as Field[]

/** The trace that the `_meta` of a request names (SEP-414). What is no text, or too long, is as if it were not there. */
export function traceFieldsIn(meta: unknown): TraceFields {
  if (!isJsonObject(meta as JsonValue)) return {}
  const given = meta as JsonObject
  const isField = (name: Field) => typeof given[name] === 'string' && given[name].length <= LONGEST[name]
  return Object.fromEntries(FIELDS.filter(isField).map(name => [name, given[name]]))
}

/** The params of a request with another trace. Baggage stays as it is where the other trace has none. */
export function withTraceFields(params: JsonObject, trace: TraceFields | undefined): JsonObject {
  if (!trace || Object.keys(trace).length === 0) return params
  const { traceparent, tracestate, ...others } = isJsonObject(params._meta) ? params._meta : {}
  const kept = trace.traceparent === undefined ? { traceparent, tracestate } : {}
  const given = Object.entries({ ...others, ...kept, ...trace }).filter(([, value]) => value !== undefined)
  return { ...params, _meta: Object.fromEntries(given) as JsonObject }
}

/** Tells whoever listens of a request that calls a tool. Ask `isHeard` before you make the message. */
export function tracedToolCall<Result extends object>(
  message: ServerRequestMessage,
  answer: () => Promise<Result>,
): Promise<Result> {
  return trace(channels.serverRequest, message, async () => {
    const result = await answer()
    if ('isError' in result && result.isError === true) message.failure = 'tool_error'
    return result
  })
}
