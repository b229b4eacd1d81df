import type { Actor } from '../../access/actor.ts'
import type { Namespace } from '../../access/namespace.ts'
import { splitArguments } from '../../agent/arguments.ts'
import { traceFieldsIn, withTraceFields } from '../../agent/request-traces.ts'
import { declaresArgument } from '../../agent/schema.ts'
import { withMeantTypes } from '../../agent/sent-arguments.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import type { CallOptions } from '../../flow/call/options.ts'
import { metaOf, protocolMeta } from '../rpc.ts'
import type { KnownTool } from './catalog.ts'

/** Whose call it is. */
export interface CallerIdentity {
  /** What makes the server's answers the caller's own: other command, credentials or session, other answers. */
  readonly scope: string
  /** Which of the servers of this scope is its own, where there may be several. */
  readonly session?: string | undefined
  readonly actor: Actor
  readonly namespace: Namespace
  /** Several people may look like this one caller: none may be given what another one's call made. */
  readonly ambiguous?: boolean | undefined
}

/** One call as the client made it. */
export interface ToolCall {
  readonly name: string
  readonly tool: KnownTool
  /** The server's, but for the reserved argument, the progress token, and the wish for a task. */
  readonly params: JsonObject
}

/** What the handler of a tool gets, and what a call's key is made of. */
export interface CallInput {
  scope: string
  /** On whose server it runs, as long as that is there. */
  session?: string
  /** Without the arguments: nothing in them is ours to read. */
  params: JsonObject
  /** What the caller wrote; references in it stand for their values. */
  arguments?: JsonValue
}

/** A call, as the cache is asked for it. */
export function prepare(
  { actor, namespace, scope, session, ambiguous = false }: CallerIdentity,
  { tool, params: given }: ToolCall,
  mayMemoize: boolean,
): { readonly input: CallInput; readonly options: CallOptions } {
  const memoize = !ambiguous && mayMemoize
  const declares = (argument: string) => declaresArgument(tool.inputSchema, argument)
  const { own: sent, responseFormat, fresh, asReference } = splitArguments(given.arguments, declares)
  const own = withMeantTypes(tool.inputSchema, sent)
  const { task: _, arguments: __, ...asked } = given
  const params = memoize ? withTrace(withoutToken(asked, true), asked) : withoutToken(asked, false)
  const input = own === undefined ? { scope, params } : { scope, params, arguments: own as JsonValue }
  const identity = { scope, params: withoutToken(asked, true), arguments: (own ?? {}) as JsonValue }
  const ofSession = session === undefined ? undefined : { session }
  const options = {
    actor,
    namespace,
    memoize,
    shareRuns: !ambiguous,
    fresh,
    asReference,
    // A server may have a state of its session: what is not memoized is shared within that alone.
    identity: memoize || !ofSession ? identity : { ...identity, ...ofSession },
    responseFormat,
    cancelsWork: true,
    claim: 'late' as const,
  }
  return { input: ofSession ? { ...input, ...ofSession } : input, options }
}

/** What the server is asked with. */
export function paramsOf({ params, arguments: own }: CallInput): JsonObject {
  return own === undefined ? params : { arguments: own, ...params }
}

/** The schema of a call's input. The references in the tool's own go on meaning the tool's own. */
export function callSchema(inputSchema: JsonObject): JsonObject {
  return { properties: { arguments: { $id: 'arguments', ...inputSchema } } }
}

/** With the client's trace: it says where a request belongs, and a result does not depend on it. Baggage may say more. */
function withTrace(params: JsonObject, { _meta }: JsonObject): JsonObject {
  const { traceparent, tracestate } = traceFieldsIn(_meta)
  if (traceparent === undefined) return params
  return withTraceFields(params, tracestate === undefined ? { traceparent } : { traceparent, tracestate })
}

/**
 * The progress token is the client's own and the server gets one of ours. Of other metadata a memoized result may only
 * depend on what the protocol itself defines: the rest differs from call to call, and makes no other call of it.
 */
function withoutToken(params: JsonObject, memoize: boolean): JsonObject {
  const { _meta, ...rest } = params
  const { progressToken, ...meta } = metaOf(params)
  const kept = memoize ? protocolMeta(params) : meta
  return kept === undefined || Object.keys(kept).length === 0 ? rest : { _meta: kept, ...rest }
}
