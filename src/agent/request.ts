import type { Progress } from '../core/entry.ts'
import type { Caller } from './identity.ts'
import type { ProgressNotifier } from './progress.ts'
import { type ErrorOptions, type ToolResult, toErrorResult } from './wire.ts'

/** One request of a client, as the cache wants to know it. */
export interface ToolRequest<Context = unknown> {
  readonly caller: Caller
  /** Aborts when the client cancels the request or goes away. */
  readonly signal: AbortSignal
  readonly onProgress: (progress: Progress) => void
  /** What its transport hands over with it; nothing once it has been answered, or its client has turned it away. */
  readonly openContext: () => Context | undefined
}

/** What the transport knows of a request. */
interface Exchange<Context> {
  /** Who calls. May throw: the server's author has a say in it. */
  caller(): Caller
  readonly signal: AbortSignal
  readonly progress: ProgressNotifier
  readonly context: Context
}

export interface AnswerOptions extends ErrorOptions {
  /** Hears of the error that the request is answered with. */
  onError?(error: unknown): void
}

/** Answers a tool call in every case, with an error too, and after all progress that was reported to it. */
export async function answerToolCall<Result, Context>(
  { caller, signal, progress, context }: Exchange<Context>,
  work: (request: ToolRequest<Context>) => Promise<Result>,
  { onError, hasOutputSchema }: AnswerOptions = {},
): Promise<Result | ToolResult> {
  let isOpen = true
  const openContext = () => (isOpen && !signal.aborted ? context : undefined)
  try {
    return await work({ caller: caller(), signal, onProgress: progress.notify, openContext })
  } catch (error) {
    onError?.(error)
    return toErrorResult(error, { hasOutputSchema })
  } finally {
    isOpen = false
    await progress.end()
  }
}
