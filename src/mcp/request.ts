import type { ServerContext } from '@modelcontextprotocol/server'
import type { Progress } from '../core/entry.ts'
import { type Caller, callerOf, type IdentityOptions } from './identity.ts'
import { ProgressNotifier } from './progress.ts'
import { type ErrorOptions, type ToolResult, toErrorResult } from './wire.ts'

/** One request of a client, as the cache wants to know it. */
export interface ToolRequest {
  readonly caller: Caller
  /** Aborts when the client cancels the request or goes away. */
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
}

interface AnswerOptions extends ErrorOptions {
  /** Hears of the error that the request is answered with. */
  onError?(error: unknown): void
}

/** Answers a request in every case, with an error too, and after all progress that was reported to it. */
export async function answer<Result>(
  context: ServerContext,
  identity: IdentityOptions,
  work: (request: ToolRequest) => Promise<Result>,
  { onError, hasOutputSchema }: AnswerOptions = {},
): Promise<Result | ToolResult> {
  const { mcpReq } = context
  const progress = new ProgressNotifier(mcpReq._meta?.progressToken, params =>
    mcpReq.notify({ method: 'notifications/progress', params }),
  )
  try {
    const caller = callerOf(context, identity)
    return await work({ caller, signal: context.mcpReq.signal, onProgress: progress.notify })
  } catch (error) {
    onError?.(error)
    return toErrorResult(error, { hasOutputSchema })
  } finally {
    await progress.end()
  }
}
