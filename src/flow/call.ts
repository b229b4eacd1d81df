import { type Actor, type ActorLike, toActor } from '../access/actor.ts'
import { KNOW } from '../access/authorize.ts'
import type { Namespace } from '../access/namespace.ts'
import type { AccessPolicy } from '../access/policy.ts'
import { type Duration, toMilliseconds } from '../core/duration.ts'
import { type Entry, isInFlight, type Progress } from '../core/entry.ts'
import { events } from '../core/events.ts'
import type { QuestionMethod } from '../core/question.ts'
import type { CallResponse } from '../core/response.ts'
import type { ResponseFormat, Tool } from '../core/tool.ts'
import { claim } from './claim.ts'
import { draftCall } from './draft.ts'
import type { Engine } from './engine.ts'
import { follow } from './follow.ts'
import { inputRequestsFor } from './input-requests.ts'
import { reply } from './reply.ts'
import { start } from './start.ts'
import { taskFailed, tellProgress } from './status.ts'
import type { Listening } from './thrown.ts'

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
  /**
   * Whether the caller can answer what the tool asks in the middle of its work (`task.elicit`, `task.sample`). It is
   * then answered with a handle as soon as there is something to answer. A list says what alone it can answer
   * (`['elicitation/create']`: forms, but no web pages). Counts for the call that starts the task.
   * @defaultValue false
   */
  interactive?: boolean | readonly QuestionMethod[] | undefined
  /** Ends the wait, never the task: the answer is then the task as it is. */
  signal?: AbortSignal | undefined
  /** Hears of progress while the call waits. */
  onProgress?: ((progress: Progress) => unknown) | undefined
}

/**
 * One tool call: claim the computation, start it where the claim was won, wait for its entry, reply. The wait
 * races the work and never starts it again.
 */
export async function call(
  engine: Engine,
  tool: Tool,
  input: unknown,
  options: CallOptions,
): Promise<CallResponse> {
  const who = toActor(options.actor)
  const within =
    options.asyncTimeout === undefined
      ? tool.asyncTimeout
      : toMilliseconds(options.asyncTimeout, 'asyncTimeout')
  const drafted = await draftCall(engine, tool, input, who, options)

  const { won, entry, place } = await claim(engine, tool, drafted)
  const answer = (latest: Entry | undefined) =>
    reply(engine, latest, who, { ...options, unreadable: 'withhold', action: 'call', justFollowed: true })
  if (!isInFlight(entry)) {
    engine.events.emit(events.hit(entry))
    return answer(entry)
  }

  const listening = engine.thrown.listen(entry.refId)
  const asked = new AbortController()
  try {
    if (won) start(engine, tool, drafted.draft, place)
    else engine.events.emit(events.joined(entry))
    const latest = await follow(engine, entry, {
      within,
      signals: [options.signal, listening.abandoned, asked.signal],
      onChange: changed => {
        tellProgress(engine, changed, who, options.onProgress)
        // The caller has to answer before there is anything to wait for.
        if (options.interactive && inputRequestsFor(engine, changed, who)) asked.abort()
      },
    })
    rejectFailure(engine, latest, who, listening)
    return await answer(latest)
  } finally {
    listening.end()
  }
}

/** A caller that still waits when the work fails gets the error itself, if it may see what that says. */
function rejectFailure(
  engine: Engine,
  entry: Entry | undefined,
  who: Actor,
  { abandoned, heard }: Listening,
): void {
  abandoned.throwIfAborted()
  if (entry?.status !== 'failed') return
  engine.access.authorize(entry, who, { action: 'call', permission: KNOW, refId: entry.refId, denial: '' })
  if (heard && engine.access.mayHear(entry, who)) throw heard.error
  throw taskFailed(engine, entry, who)
}
