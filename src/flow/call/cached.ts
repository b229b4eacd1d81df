import type { JsonValue } from '../../core/json.ts'
import { checkNames } from '../../core/options.ts'
import type { CallResponse } from '../../core/response.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'
import { call, callForValue, invalidateCall } from './call.ts'
import { CALL_OPTIONS, type CallOptions, VALUE_CALL_OPTIONS, type ValueCallOptions } from './options.ts'

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

/** A registered tool as a function. */
export function cachedTool<Input, Output>(engine: Engine, tool: Tool): CachedTool<Input, Output> {
  // The types are the handler's: what comes back is its result, as JSON keeps it.
  const answer = async (input: unknown = {}, options: CallOptions = {}) => {
    checkNames(options, CALL_OPTIONS, `A call of '${tool.name}'`)
    return (await call(engine, tool, input, options)) as CallResponse<Output>
  }
  const value = async (input: unknown = {}, options: ValueCallOptions = {}) => {
    checkNames(options, VALUE_CALL_OPTIONS, `A call of '${tool.name}' for its value`)
    return (await callForValue(engine, tool, input, options)) as Output
  }
  const invalidate = async (input: unknown = {}, options: CallOptions = {}) => {
    checkNames(options, CALL_OPTIONS, `\`invalidate\` of '${tool.name}'`)
    return invalidateCall(engine, tool, input, options)
  }
  return Object.assign(answer, { value, invalidate })
}
