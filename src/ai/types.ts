import type { Tool, ToolExecutionOptions, ToolSet } from 'ai'
import type { ProgramOptions } from '../agent/program/options.ts'
import type { Reference } from '../agent/program/reference.ts'

/** A call of a tool, as `actorOf` is asked about it. */
export interface ToolCallInfo<Context = unknown> extends Pick<ToolExecutionOptions<Context>, 'toolCallId'> {
  readonly toolName: string
  /** What `toolsContext` has for the tool, ours too. */
  readonly context: Context
}

/** Options of `withReferences`. */
export interface ReferenceOptions<Tools extends ToolSet = ToolSet, Context = unknown>
  extends ProgramOptions<keyof Tools & string, ToolCallInfo<Context>> {}

/** What an AI SDK tool takes and gives, with a reference where the result is large or slow. */
export type WithReferences<Tools extends ToolSet, Context = unknown> = {
  [Name in keyof Tools]: Referenced<Tools[Name]>
} & OwnTools<Context>

/** Tools without `execute` are the program's own to answer, and stay as they are. */
type Referenced<Given> = [Given] extends [{ execute: (...args: never) => unknown }]
  ? [Given] extends [Tool<infer Input, infer Output, infer Context>]
    ? { execute: Execute<Input, Output, Context> } & Tool<Input, Output | Reference<Output>, Context> &
        ([Given] extends [{ type: 'dynamic' }] ? { type: 'dynamic' } : unknown)
    : Given
  : Given

/** The last signature is what the AI SDK calls. */
export interface Execute<Input, Output, Context> {
  /** Waits for all of the result and gives that: for the program itself. */
  (input: Input, options: ToolExecutionOptions<Context> & { readonly whole: true }): Promise<Output>
  (
    input: Input,
    options: ToolExecutionOptions<Context>,
  ): AsyncIterable<Output | Reference<Output>> | PromiseLike<Output | Reference<Output>>
}

/** Through which the model follows references, and works with what is behind them. */
export type OwnTools<Context = unknown> = {
  get_cached_result: OwnAiTool<{ ref_id: string; page?: number; max_size?: number; full?: boolean }, Context>
  cancel_task: OwnAiTool<{ ref_id: string }, Context>
  retry_task: OwnAiTool<{ ref_id: string }, Context>
  query_cached_result: OwnAiTool<{ ref_id: string; sql?: string; search?: string }, Context>
  edit_cached_result: OwnAiTool<{ ref_id: string; edits: unknown }, Context>
}

type OwnAiTool<Input, Context> = Tool<Input, unknown, Context> & {
  execute(input: Input, options: ToolExecutionOptions<Context>): PromiseLike<unknown>
}
