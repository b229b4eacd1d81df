import type { CacheEvent } from '../core/events.ts'
import type { RefId } from '../core/ref.ts'
import type { CallResponse } from '../core/response.ts'

/**
 * What the channels of `channels.ts` say. A message may hold what a caller sent or was answered, and errors with their texts: it is for
 * code of the same process, which is trusted. Whoever passes it on decides what of it may leave.
 */

/** What each message about something that takes time has. It is one object from `start` to `asyncEnd`. */
export interface Traced<Result = unknown> {
  /** What came of it, when it has ended well. */
  result?: Result
  /** What it threw. */
  error?: unknown
  /**
   * A subscriber to `start` may set it: the work then runs inside, as in `context.with` of OpenTelemetry. Where another subscriber
   * has set it, call that one inside of your own.
   */
  around?: (<Given>(work: () => Given) => Given) | undefined
}

/** What W3C's trace context and baggage look like in `_meta` of MCP. */
export interface TraceFields {
  traceparent?: string
  tracestate?: string
  baggage?: string
}

/** `mcp-refcache:server-request`: a request of a client, from when it came in until it is answered. */
export interface ServerRequestMessage extends Traced {
  readonly method: string
  /** The tool that is called, as the client knows it. */
  readonly tool?: string | undefined
  /** The prompt that is asked for. */
  readonly prompt?: string | undefined
  /** What the tool is called with. */
  readonly arguments?: unknown
  readonly requestId?: string | number | undefined
  /** The session, as actors and namespaces have it. */
  readonly sessionId?: string | undefined
  /** The revision of MCP. */
  readonly protocolVersion?: string | undefined
  readonly transport: 'pipe' | 'tcp'
  /** The trace of the client, as it was sent: nobody has checked it. */
  readonly trace: TraceFields
  /** Where it did not end well: `tool_error`, or the code of the JSON-RPC error. */
  failure?: string
}

/** `mcp-refcache:client-request`: a request that `wrap` makes of the server behind it, until it is answered. */
export interface ClientRequestMessage extends Traced {
  readonly method: string
  readonly tool?: string | undefined
  readonly prompt?: string | undefined
  readonly requestId: string | number
  readonly protocolVersion?: string | undefined
  readonly transport: 'pipe' | 'tcp'
  /** A subscriber to `start` may set it: it is what the server is sent in the place of the client's own. */
  trace?: TraceFields | undefined
  failure?: string
}

/** `mcp-refcache:call`: a call of a tool through the cache. It ends with its answer: the work may go on. */
export interface CallMessage extends Traced<CallResponse> {
  readonly cache: string
  readonly tool: string
  readonly input: unknown
  /** What it follows. Known by `asyncEnd`; absent for a call that was refused. */
  refId?: RefId
  /** `won`: it started the work. `joined`: the work was under way. `hit`: it was done. */
  outcome?: 'won' | 'joined' | 'hit'
}

/** `mcp-refcache:attempt`: one run of a handler, until it has really ended: a handler may outlive its cancelled task. */
export interface AttemptMessage extends Traced<{ readonly valueBytes?: number }> {
  readonly cache: string
  readonly tool: string
  readonly refId: RefId
  /** From 1. */
  readonly attempt: number
}

/** What a process does with its store. */
export type StoreOperation =
  | 'claim'
  | 'findByKey'
  | 'get'
  | 'read'
  | 'stage'
  | 'readSegment'
  | 'update'
  | 'delete'
  | 'list'
  | 'peek'
  | 'match'
  | 'count'
  | 'caches'
  | 'changes'
  | 'clear'
  | 'prune'
  | 'time'
  | 'beat'
  | 'owners'
  | 'usage'
  | 'addSavings'
  | 'savings'

/** `mcp-refcache:store`: one operation of the store. */
export interface StoreMessage extends Traced {
  readonly cache: string
  readonly operation: StoreOperation
}

/** `mcp-refcache:render`: a value becomes what is shown of it. */
export interface RenderMessage extends Traced<CallResponse> {
  readonly cache: string
  readonly tool: string | undefined
  readonly refId: RefId
  /** Of the whole value. */
  readonly valueBytes: number
}

/** `mcp-refcache:query`: a question is asked of a value, until its answer or its handle. */
export interface QueryMessage extends Traced<CallResponse> {
  readonly cache: string
  readonly refId: RefId
  readonly kind: 'sql' | 'search'
  /** How many values are asked together. */
  readonly sources: number
}

/** `mcp-refcache:question`: a task asks whoever called it, until there is an answer or nobody waits for one. */
export interface QuestionMessage extends Traced {
  readonly cache: string
  readonly tool: string | undefined
  readonly refId: RefId
  readonly method: string
}

/** `mcp-refcache:sweep`: one look for expired entries and lost tasks. */
export interface SweepMessage extends Traced {
  readonly cache: string
}

/** `mcp-refcache:take`: a worker takes work that another process has announced, until it has ended here. */
export interface TakeMessage extends Traced {
  readonly cache: string
  readonly tool: string
  readonly refId: RefId
  /** As the announcement brought it. */
  readonly trace: TraceFields
}

/** `mcp-refcache:announce`: work is announced to other processes. */
export interface AnnounceMessage {
  readonly refId: RefId
  readonly tool: string
  /** A subscriber may set it: the announcement then carries the `traceparent`, and nothing else of it. */
  trace?: TraceFields
}

/** `mcp-refcache:task`: a task is this process's to run, waiting for its turn or not; or is no more. */
export interface TaskMessage {
  readonly cache: string
  readonly tool: string
  readonly refId: RefId
  readonly state: 'begun' | 'ended'
}

/** `mcp-refcache:event`: what `RefCache.on('*')` tells, of all caches of the process. */
export interface EventMessage {
  readonly cache: string
  readonly event: CacheEvent
}

/** `mcp-refcache:savings`: what one answer to an agent cost and saved, in tokens, as in `stats().savings`. */
export interface SavingsMessage {
  readonly cache: string
  readonly keptOut: number
  readonly pagedIn: number
  readonly added: number
}

/** `mcp-refcache:missed-beat`: this process could not tell the store that it lives. After a few, others take its tasks over. */
export interface MissedBeatMessage {
  readonly cache: string
  readonly error: unknown
}
