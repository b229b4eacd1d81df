import { type Actor, toActor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { Permission } from '../../access/permission.ts'
import { isCancelled, LazyAbort } from '../../core/abort.ts'
import { waitWithin } from '../../core/answer-limits.ts'
import { toMilliseconds } from '../../core/duration.ts'
import { type Entry, isInFlight } from '../../core/entry.ts'
import { hasValue } from '../../core/entry-value.ts'
import { events } from '../../core/events.ts'
import type { JsonValue } from '../../core/json.ts'
import { checkNames } from '../../core/options.ts'
import type { CallResponse } from '../../core/response.ts'
import type { Tool } from '../../core/tool.ts'
import { channels, isHeard, trace } from '../../telemetry/channels.ts'
import type { CallMessage } from '../../telemetry/messages.ts'
import { cancel } from '../control/cancel.ts'
import { freeKeyOf } from '../control/invalidate.ts'
import type { Engine } from '../engine.ts'
import type { FollowOptions } from '../entries.ts'
import { reply } from '../read/reply.ts'
import { readValue } from '../read/resolve.ts'
import { hearProgress, inputRequestsFor, taskFailed } from '../read/status.ts'
import { start } from '../run/run.ts'
import type { Listening } from '../run/thrown.ts'
import { type Claimed, claim, followInOwnEntry, withOwnEntryIfForeign } from './claim.ts'
import { type Admitted, type DraftedCall, draftCall } from './draft.ts'
import { followUntilStored, storedOrPassed } from './late-answer.ts'
import {
  CALL_OPTIONS,
  type CachedTool,
  type CallOptions,
  VALUE_CALL_OPTIONS,
  type ValueCallOptions,
} from './options.ts'
import type { Run } from './shared-runs.ts'

/**
 * One tool call: claim the computation, start it where the claim was won, wait for its entry, reply. The wait
 * races the work and never starts it again.
 */
export function call(
  engine: Engine,
  tool: Tool,
  input: unknown,
  options: CallOptions,
  admitted?: Admitted,
): Promise<CallResponse> {
  if (!isHeard(channels.call)) return makeCall(engine, tool, input, options, admitted)
  const message = callMessage(engine, tool, input)
  return trace(channels.call, message, () => makeCall(engine, tool, input, options, admitted, message))
}

function makeCall(
  engine: Engine,
  tool: Tool,
  input: unknown,
  options: CallOptions,
  admitted: Admitted | undefined,
  message?: CallMessage,
): Promise<CallResponse> {
  return asWrite(engine, tool, async () => {
    const wait =
      options.asyncTimeout === undefined
        ? tool.asyncTimeout
        : toMilliseconds(options.asyncTimeout, 'asyncTimeout')
    const within = waitWithin(wait, options.limits)
    const followed = await claimAndFollow(engine, tool, input, { within, ...options }, admitted, message)
    return answerCall(engine, followed, options)
  })
}

/** What a call has when its wait is over. */
interface Followed {
  readonly won: boolean
  readonly latest: Entry | undefined
  readonly who: Actor
}

async function claimAndFollow(
  engine: Engine,
  tool: Tool,
  input: unknown,
  options: CallOptions & { readonly within: number | undefined },
  admitted?: Admitted,
  message?: CallMessage,
): Promise<Followed> {
  const who = toActor(options.actor)
  const { drafted, found } = await draftAndClaim(engine, tool, input, who, options, admitted)
  const claimed = await withOwnEntryIfForeign(engine, tool, drafted, found, who)
  const { won, entry, place } = claimed
  if (message) {
    message.refId = entry.refId
    message.outcome = won ? 'won' : isInFlight(entry) ? 'joined' : 'hit'
  }
  const begin = () => {
    if (won && isInFlight(entry)) start(engine, tool, entry, place, drafted.input)
    else engine.events.emit(events.joined(entry))
  }
  if (!isInFlight(entry)) engine.events.emit(events.hit(entry))
  const latest = isInFlight(entry) ? await followClaimed(engine, claimed, who, options, begin) : entry
  const isOwn = won || claimed !== found
  if (isOwn || !latest || !needsOwnEntry(latest, options)) return { won, latest, who }
  return { won, latest: await followInOwnEntry(engine, tool, drafted, latest, claimed.run), who }
}

async function draftAndClaim(
  engine: Engine,
  tool: Tool,
  input: unknown,
  who: Actor,
  options: CallOptions & { readonly within: number | undefined },
  admitted: Admitted | undefined,
): Promise<{ readonly drafted: DraftedCall; readonly found: Claimed }> {
  try {
    const drafted = await draftCall(engine, tool, input, who, options, admitted)
    return { drafted, found: await claim(engine, tool, drafted, { fresh: options.fresh, admitted }) }
  } catch (error) {
    admitted?.ticket.leave()
    throw error
  } finally {
    admitted?.onClaimed()
  }
}

function needsOwnEntry(followed: Entry, { ownEntry }: CallOptions): boolean {
  return ownEntry === 'always' || (ownEntry === 'if-slow' && isInFlight(followed))
}

/**
 * The entry as it is when the task settles or the wait is over.
 * @param begin starts the work, where it is the call's own; by then the call hears of what becomes of it
 */
async function followClaimed(
  engine: Engine,
  { entry, run }: Claimed,
  who: Actor,
  options: CallOptions & { readonly within: number | undefined },
  begin: () => void,
): Promise<Entry | undefined> {
  const listening = engine.errors.listen(entry.refId)
  const progress = options.onProgress && hearProgress(engine, entry.refId, who, options.onProgress)
  const asked = new LazyAbort()
  try {
    begin()
    const followOptions: FollowOptions = {
      within: options.within,
      signals: [options.signal, listening.abandoned, asked],
      onChange: changed => {
        progress?.saw(changed)
        // The caller has to answer before there is anything to wait for.
        if (options.interactive && inputRequestsFor(engine, changed, who)) asked.abort()
      },
    }
    let latest = await engine.entries.follow(entry, followOptions)
    if (run && isCancelled(options.signal)) await leave(engine, run, who, options)
    else if (latest && engine.lateClaims.isUnstored(latest.refId))
      latest = await followUntilStored(engine, latest, followOptions)
    rejectFailure(engine, latest, who, listening)
    return latest
  } finally {
    progress?.end()
    listening.end()
    engine.lateClaims.release(entry.refId)
  }
}

/** The client turned its call away. The work goes on for other calls that follow it, or where the caller wants that. */
async function leave(engine: Engine, run: Run, who: Actor, { cancelsWork }: CallOptions): Promise<void> {
  const last = engine.sharedRuns.leave(run)
  if (last && cancelsWork) await cancel(engine, run.refId, who).catch(() => {})
}

async function answerCall(
  engine: Engine,
  { won, latest, who }: Followed,
  options: CallOptions,
): Promise<CallResponse> {
  const { maxSize, limits, asReference, responseFormat, signal } = options
  const isLate = latest !== undefined && engine.lateClaims.isUnstored(latest.refId)
  const response = await reply(engine, latest, who, {
    maxSize,
    limits,
    asReference,
    responseFormat,
    signal,
    ifUnreadable: 'reference-only',
    action: 'call',
    audit: isLate ? 'denials-only' : undefined,
    justFollowed: true,
  })
  const answer = won ? response : withAge(response, latest)
  return isLate ? storedOrPassed(engine, latest, who, answer, signal) : answer
}

/** The result of an earlier call says when it was made, to whoever may see it. */
function withAge(response: CallResponse, entry: Entry | undefined): CallResponse {
  if (response.status !== 'complete' || entry?.status !== 'complete') return response
  if ((response.value ?? response.preview ?? response.rows) === undefined) return response
  return { cachedAt: new Date(entry.completedAt), ...response }
}

/** A caller that still waits when the work fails gets the error itself, if it may see what that says. */
function rejectFailure(
  engine: Engine,
  entry: Entry | undefined,
  who: Actor,
  { abandoned, delivered }: Listening,
): void {
  abandoned.throwIfAborted()
  if (entry?.status !== 'failed') return
  // It ended with something to show.
  if (hasValue(entry) && engine.access.canReadMessages(entry, who)) return
  engine.access.authorize(entry, who, {
    action: 'call',
    permission: READ_OR_EXECUTE,
    refId: entry.refId,
    denial: '',
  })
  if (delivered && engine.access.canReadMessages(entry, who)) throw delivered.error
  throw taskFailed(engine, entry, who)
}

/** A tool that writes is a write from its first moment on. When it has its entry, the work itself says how long the write lasts. */
function asWrite<T>(engine: Engine, tool: Tool, run: () => Promise<T>): Promise<T> {
  if (tool.readOnly !== false) return run()
  const endWrite = engine.sharedRuns.beginWrite()
  return run().finally(() => endWrite())
}

/**
 * The same call for a program that wants the value itself: waits for it, however long that takes.
 * @throws what the handler threw; NotFound, PermissionDenied, TaskFailed, TaskCancelled; the signal's reason when it aborts
 */
function callForValue(
  engine: Engine,
  tool: Tool,
  input: unknown,
  options: ValueCallOptions,
): Promise<JsonValue> {
  if (!isHeard(channels.call)) return makeCallForValue(engine, tool, input, options)
  const message = callMessage(engine, tool, input)
  return trace(channels.call, message, () => makeCallForValue(engine, tool, input, options, message))
}

function makeCallForValue(
  engine: Engine,
  tool: Tool,
  input: unknown,
  options: ValueCallOptions,
  message?: CallMessage,
): Promise<JsonValue> {
  return asWrite(engine, tool, async () => {
    const whole = { within: undefined, ...options }
    const { latest, who } = await claimAndFollow(engine, tool, input, whole, undefined, message)
    options.signal?.throwIfAborted()
    const value = await readValue(engine, latest, who, { action: 'call', permission: Permission.READ })
    if (latest) engine.sharedRuns.deliver(latest.refId)
    return value
  })
}

function callMessage(engine: Engine, { name }: Tool, input: unknown): CallMessage {
  return { cache: engine.name, tool: engine.toolLabel(name), input }
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
    return freeKeyOf(
      engine,
      await draftCall(engine, tool, input, toActor(options.actor), { ...options, within: 0 }),
    )
  }
  return Object.assign(answer, { value, invalidate })
}
