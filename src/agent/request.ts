import type { Progress } from '../core/entry.ts'
import type { Caller } from './identity.ts'
import type { ProgressNotifier } from './progress.ts'
import { type ErrorOptions, type ToolResult, toErrorResult } from './wire.ts'

/** One request of a client, as the cache wants to know it. */
export interface ToolRequest {
  readonly caller: Caller
  /** Aborts when the client cancels the request or goes away. */
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
}

/** What the transport knows of a request. */
interface Exchange {
  /** Who calls. May throw: the server's author has a say in it. */
  caller(): Caller
  readonly signal: AbortSignal
  readonly progress: ProgressNotifier
}

export interface AnswerOptions extends ErrorOptions {
  /** Hears of the error that the request is answered with. */
  onError?(error: unknown): void
}

/** Answers a tool call in every case, with an error too, and after all progress that was reported to it. */
export async function answerToolCall<Result>(
  { caller, signal, progress }: Exchange,
  work: (request: ToolRequest) => Promise<Result>,
  { onError, hasOutputSchema }: AnswerOptions = {},
): Promise<Result | ToolResult> {
  try {
    return await work({ caller: caller(), signal, onProgress: progress.notify })
  } catch (error) {
    onError?.(error)
    return toErrorResult(error, { hasOutputSchema })
  } finally {
    await progress.end()
  }
}
