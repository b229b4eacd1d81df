import type { ActorLike } from '../../access/actor.ts'
import type { Namespace } from '../../access/namespace.ts'
import type { AccessPolicy } from '../../access/policy.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import type { Duration } from '../../core/duration.ts'
import type { Progress } from '../../core/entry.ts'
import type { JsonValue } from '../../core/json.ts'
import type { Names } from '../../core/options.ts'
import type { AskCapabilities } from '../../core/question.ts'
import type { CallResponse } from '../../core/response.ts'
import type { ResponseFormat } from '../../core/tool-options.ts'

/** What one call may say for itself; it wins over the tool's options. */
export interface CallOptions {
  /** @defaultValue an anonymous agent */
  actor?: ActorLike | undefined
  namespace?: Namespace | undefined
  /** What it says wins over the tool's policy; what it leaves out is the tool's. */
  policy?: AccessPolicy | undefined
  asyncTimeout?: Duration | undefined
  memoize?: boolean | undefined
  /** Budget of a preview, in the cache's size mode. */
  maxSize?: number | undefined
  responseFormat?: ResponseFormat | undefined
  /** What the reader of the answer can take, which then decides what passes whole. For adapters. @defaultValue `maxSize` decides */
  limits?: AnswerLimits | undefined
  /** The reference is wanted, with the value or a preview of it, however small that is. For adapters. @defaultValue false */
  asReference?: boolean | undefined
  /**
   * Whether the caller can answer what the tool asks in the middle of its work (`task.elicit`, `task.sample`). It is
   * then answered with a handle as soon as there is something to answer. Capabilities say what
   * alone it can answer, in MCP's own shape (`{ elicitation: { form: {} } }`: forms, but no web pages). Counts for the call that starts the task.
   * @defaultValue false
   */
  interactive?: boolean | AskCapabilities | undefined
  /** Runs anew, whatever is stored or in flight; identical calls then follow this run. @defaultValue false */
  fresh?: boolean | undefined
  /**
   * Whether a call of a tool that only reads (`readOnly`) and is not memoized may follow the run of an identical call of
   * the same actor. False where several people look like one actor.
   * @defaultValue true
   */
  shareRuns?: boolean | undefined
  /**
   * When the entry of a call is stored. `late`: when it is first needed, so that a quick answer that passes whole and that nobody
   * could share or come back for costs the store nothing; such an answer says `isUnstored`. For adapters.
   * @defaultValue 'first': before the work starts
   */
  claim?: 'first' | 'late' | undefined
  /**
   * Whether the caller is given an entry of its own where the call follows the run of another one, so that no two callers have one
   * handle: always, or where it is given a handle at all. For adapters.
   * @defaultValue no: it is given the other one's
   */
  ownEntry?: 'always' | 'if-slow' | undefined
  /** What makes two calls the same call, where that is not the whole input. @defaultValue the input */
  identity?: unknown
  /**
   * Gives the handler its third argument, where this call starts the run and the handler runs in this process: for what must never be
   * stored, such as a token. Asked for each attempt when that begins; for a first attempt that has to wait for nothing, during the
   * call. A run that another process takes over, or that begins again by hand, has none. It does not tell calls apart.
   */
  local?: (() => unknown) | undefined
  /**
   * Ends the wait, never the task (but see `cancelsWork`): the answer is then the task as it is. A reason that is an Error
   * (other than an AbortError) says that the caller is gone: it may call again, and then gets the result. Any other abort says
   * that the call is not wanted any more.
   */
  signal?: AbortSignal | undefined
  /** Whether the work ends with the call that `signal` cancels, if no other call follows it. @defaultValue false */
  cancelsWork?: boolean | undefined
  /** Hears of progress while the call waits. */
  onProgress?: ((progress: Progress) => unknown) | undefined
}

/** What the call of a program that wants the value may say for itself. */
export type ValueCallOptions = Omit<
  CallOptions,
  | 'asyncTimeout'
  | 'claim'
  | 'ownEntry'
  | 'maxSize'
  | 'responseFormat'
  | 'limits'
  | 'asReference'
  | 'interactive'
>

/** A call without an input, for tools that need none. */
type WithoutInput<Input, Options> =
  Record<never, never> extends Input ? [input?: undefined, options?: Options | undefined] : never

/** A registered tool: call it with its input; it answers with the result, a preview, or a handle. */
export interface CachedTool<Input, Output = JsonValue> {
  (input: Input, options?: CallOptions | undefined): Promise<CallResponse<Output>>
  (...args: WithoutInput<Input, CallOptions>): Promise<CallResponse<Output>>
  /**
   * Calls it, waits for the result however long that takes, and gives the whole value, as JSON keeps it.
   * @throws what the handler threw; NotFound, PermissionDenied, TaskFailed, TaskCancelled; the signal's reason when it
   *   aborts, while the work goes on
   */
  value(input: Input, options?: ValueCallOptions | undefined): Promise<Output>
  value(...args: WithoutInput<Input, ValueCallOptions>): Promise<Output>
  /**
   * Frees the memoized result of such a call, finished or in flight: the next one runs anew, in every process of the store. What
   * decides on which calls are alike counts here, too: give the `actor`, `namespace`, `policy` and `identity` of the call. Says
   * whether there was one.
   * @throws what such a call throws before it runs
   */
  invalidate(input: Input, options?: CallOptions | undefined): Promise<boolean>
  invalidate(...args: WithoutInput<Input, CallOptions>): Promise<boolean>
}

export const VALUE_CALL_OPTIONS: Names<ValueCallOptions> = {
  actor: true,
  namespace: true,
  policy: true,
  memoize: true,
  fresh: true,
  shareRuns: true,
  identity: true,
  local: true,
  signal: true,
  cancelsWork: true,
  onProgress: true,
}

export const CALL_OPTIONS: Names<CallOptions> = {
  ...VALUE_CALL_OPTIONS,
  asyncTimeout: true,
  claim: true,
  ownEntry: true,
  maxSize: true,
  responseFormat: true,
  limits: true,
  asReference: true,
  interactive: true,
}
