import type { ServerContext } from '@modelcontextprotocol/server'
import { ProgressNotifier } from '../agent/progress.ts'
import { type AnswerOptions, answerToolCall, type ToolRequest } from '../agent/request.ts'
import type { ToolResult } from '../agent/wire.ts'
import { onAbort } from '../core/abort.ts'
import { callerOf, type IdentityOptions } from './identity.ts'

/** Answers one request of the SDK that calls a tool. */
export function handleToolCall<Result>(
  context: ServerContext,
  identity: IdentityOptions,
  work: (request: ToolRequest<ServerContext>) => Promise<Result>,
  options?: AnswerOptions,
): Promise<Result | ToolResult> {
  const { _meta, notify } = context.mcpReq
  const signal = signalOf(context)
  const progress = new ProgressNotifier(_meta?.progressToken, params =>
    notify({ method: 'notifications/progress', params }),
  )
  return answerToolCall(
    { caller: () => callerOf(context, identity), signal, progress, context },
    work,
    options,
  )
}

/** At 2026-07-28 a client that leaves cancels its request: there is no session in which it could come back for it. */
function signalOf({ mcpReq: { envelope, signal } }: ServerContext): AbortSignal {
  if (envelope === undefined) return signal
  const left = new AbortController()
  onAbort(signal, () => left.abort())
  if (signal.aborted) left.abort()
  return left.signal
}
