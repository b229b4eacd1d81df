import type { Actor } from '../../access/actor.ts'
import type { AuditAction } from '../../access/audit.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { Permission } from '../../access/permission.ts'
import { toDate } from '../../core/clock.ts'
import { type Entry, isExpired } from '../../core/entry.ts'
import { type AppendedView, hasValue } from '../../core/entry-value.ts'
import { NotFound, PermissionDenied, UnreadableValue } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import type { CacheResponse, CallResponse } from '../../core/response.ts'
import type { ResponseFormat } from '../../core/tool-options.ts'
import type { Engine } from '../engine.ts'
import { appendedOf, asksForContent, madeOfFields, withAppended } from './appended.ts'
import { type RenderOptions, showValue } from './render.ts'
import { describeTask } from './status.ts'
import { renew } from './values.ts'

export interface ReplyOptions extends RenderOptions {
  responseFormat?: ResponseFormat | undefined
  /**
   * What a value that the actor may use but not see is answered with: an error, or the bare reference (for the
   * call that made it).
   */
  ifUnreadable: 'refuse' | 'reference-only'
  action: AuditAction
  /** What becomes of the answer is recorded by the caller. */
  audit?: 'denials-only' | undefined
  /** The caller has followed the entry until now: that it expired in between must not cost it the answer. */
  justFollowed?: boolean
  /** The value is to be kept so long from now, in milliseconds. */
  keep?: number | undefined
  /** Aborted: nobody waits for the answer any more. */
  signal?: AbortSignal | undefined
}

export const PRIVATE =
  'This value is private: it may be used in computations, but not seen. Pass this ref_id, as it is, as an argument of another tool.'

/** The only way out of the cache for what an entry holds. Whatever leaves has been authorized here. */
export async function reply(
  engine: Engine,
  entry: Entry | undefined,
  who: Actor,
  options: ReplyOptions,
): Promise<CallResponse> {
  const answer = await answerAbout(engine, entry, who, options)
  const { limits } = options
  // A program that asks has none, and no account.
  if (limits) engine.savings.answered(answer, { ...options, limits })
  return answer
}

async function answerAbout(
  engine: Engine,
  entry: Entry | undefined,
  who: Actor,
  options: ReplyOptions,
): Promise<CallResponse> {
  const { action, ifUnreadable, audit } = options
  const live = liveEntry(engine, entry, options.justFollowed)
  const appended = live && live.status !== 'complete' ? await appendedOf(engine, live) : undefined
  const shown =
    live && appended && asksForContent(options) && engine.access.may(live, who, Permission.READ)
      ? appended
      : undefined
  const permission = live?.status === 'complete' || shown ? Permission.READ : READ_OR_EXECUTE
  let known: Entry
  try {
    known = engine.access.authorize(live, who, {
      action,
      permission,
      refId: live?.refId,
      denial: PRIVATE,
      audit,
    })
  } catch (error) {
    // The one call that made the value is answered without it.
    if (!live || ifUnreadable !== 'reference-only' || !(error instanceof PermissionDenied)) throw error
    return delivered(engine, live, bare(live, PRIVATE), options.signal)
  }
  if (known.status !== 'complete') {
    const described = describeTask(engine, known, who, options.responseFormat, appended)
    if (shown) {
      return withAppended(engine, shown, described, options).catch(error =>
        replyAnew(engine, known, shown, who, options, error),
      )
    }
    if (!hasValue(known) || !engine.access.canReadMessages(known, who)) return described
    return { ...described, errorValue: await showValue(engine, known, options) }
  }
  await renew(engine, known)
  const { expiresAt } = await kept(engine, known, options.keep)
  const { madeAt } = known
  const answer = {
    ...withExpiry(await showValue(engine, known, options), expiresAt),
    ...(known.madeOf ? madeOfFields(known.madeOf) : {}),
  }
  const aged = madeAt === undefined ? answer : { ...answer, cachedAt: toDate(madeAt) }
  return delivered(engine, known, aged, options.signal)
}

/** The value that was asked for may be no more: another attempt began a new one, or the task has ended. */
async function replyAnew(
  engine: Engine,
  entry: Entry,
  asked: AppendedView,
  who: Actor,
  options: ReplyOptions,
  error: unknown,
): Promise<CallResponse> {
  if (!(error instanceof UnreadableValue || error instanceof NotFound)) throw error
  const latest = await engine.entries.readAnew(asked.refId)
  if (latest?.status === asked.status && latest.appended?.id === asked.segments.id) throw error
  const isOwn = asked.refId === entry.refId
  return answerAbout(engine, isOwn ? latest : await engine.entries.readAnew(entry.refId), who, options)
}

/** The entry, kept for as long as its reader wants and may. */
async function kept(engine: Engine, entry: Entry, keep: number | undefined): Promise<Entry> {
  const { expiresAt } = entry
  const until = engine.clock.now() + Math.min(keep ?? 0, engine.settings.maxTtl ?? Number.POSITIVE_INFINITY)
  if (keep === undefined || expiresAt === undefined || expiresAt >= until) return entry
  const changed = await engine.entries.change(entry, { type: 'keep', until })
  return changed.entry ?? entry
}

/** What is not the whole value says how long the rest is there. */
function withExpiry(answer: CacheResponse, expiresAt: number | undefined): CacheResponse {
  const isRest = !answer.isComplete || answer.isReference
  return isRest && expiresAt !== undefined ? { ...answer, expiresAt: toDate(expiresAt) } : answer
}

/** From now on the result is fetched. What is memoized is shared by its key, fetched or not. */
function delivered(
  engine: Engine,
  { key, refId }: Entry,
  answer: CacheResponse,
  signal: AbortSignal | undefined,
): CacheResponse {
  if (signal?.aborted) return answer
  engine.store.noteUse?.(refId, engine.clock.now())
  if (key === undefined) engine.sharedRuns.deliver(refId)
  return answer
}

export interface StatusOptions {
  action: AuditAction
  /** As it was asked for. */
  refId?: RefId | undefined
  format?: ResponseFormat | undefined
  /** The caller has just changed the entry: that it is kept for no time must not cost it the answer. */
  justChanged?: boolean
}

/** The same way out for callers who ask how a task stands, not for its value. */
export function replyStatus(
  engine: Engine,
  entry: Entry | undefined,
  who: Actor,
  { action, refId, format, justChanged }: StatusOptions,
): CallResponse {
  const live = liveEntry(engine, entry, justChanged)
  // What came before an answer to anything else was recorded there.
  const quiet = action === 'status' ? {} : ({ audit: 'denials-only' } as const)
  const want = { action, refId: refId ?? live?.refId, denial: PRIVATE, ...quiet }
  const { known, mayRead } = engine.access.authorizeStatus(live, who, want)
  if (known.status !== 'complete') return describeTask(engine, known, who, format)
  return {
    ...bare(known, mayRead ? FINISHED : PRIVATE),
    ...(mayRead ? { valueBytes: known.valueBytes } : {}),
  }
}

const FINISHED = 'The task has finished. Its value can be read with this ref_id.'

function liveEntry(engine: Engine, entry: Entry | undefined, justFollowed = false): Entry | undefined {
  return entry && !justFollowed && isExpired(entry, engine.clock.expiryNow()) ? undefined : entry
}

function bare({ refId }: Entry, message: string): CacheResponse {
  return { refId, status: 'complete', isComplete: false, isAsync: false, message }
}
