import type { JsonObject, JsonValue } from '../core/json.ts'

/** The part of `@openai/agents` that this package uses, so that it needs none of it. */

export interface RunContext {
  readonly context: unknown
}

export interface ToolCallDetails {
  readonly toolCall?: { readonly callId: string }
  readonly signal?: AbortSignal
}

/** A function tool as `tool({ … })` of `@openai/agents` makes it. */
export interface FunctionTool {
  readonly type: 'function'
  readonly name: string
  readonly description: string
  readonly parameters: JsonObject
  readonly strict: boolean
  readonly needsApproval: (run: RunContext, input: unknown, callId?: string) => Promise<boolean>
  readonly invoke: (run: RunContext, input: string, details?: ToolCallDetails) => Promise<unknown>
}

/** One of our own tools, as an agent of `@openai/agents` takes it. */
export interface OwnFunctionTool {
  type: 'function'
  name: string
  description: string
  parameters: {
    type: 'object'
    properties: Record<string, JsonValue>
    required: string[]
    additionalProperties: true
  }
  strict: false
  needsApproval: () => Promise<boolean>
  isEnabled: () => Promise<boolean>
  invoke: (run: RunContext, input: string, details?: ToolCallDetails) => Promise<string>
}
