import { type Actor, type ActorLike, toActor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { Permission } from '../../access/permission.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import { type Duration, toMilliseconds, toPositiveMilliseconds } from '../../core/duration.ts'
import { type Entry, isInFlight, type Progress } from '../../core/entry.ts'
import { checkNames, type Names } from '../../core/options.ts'
import { toReference } from '../../core/part.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { ResponseFormat } from '../../core/tool-options.ts'
import type { Engine } from '../engine.ts'
import { appendedOf, asksForContent, isThere } from './appended.ts'
import { findFor } from './find.ts'
import type { RenderOptions } from './render.ts'
import { PRIVATE, reply } from './reply.ts'
import { hearProgress } from './status.ts'

/** How a reference is asked for. */
export interface GetOptions {
  /** @defaultValue an anonymous agent */
  actor?: ActorLike | undefined
  /** A page of a list, object or text; from 1. */
  page?: number | undefined
  /** Exactly so many items a page, whatever the budget; what does not fit is `answer_too_large`. @defaultValue as many as fit */
  pageSize?: number | undefined
  /** Budget of the answer, in the cache's size mode. @defaultValue the tool's, else the cache's */
  maxSize?: number | undefined
  /** The whole value, up to the cache's `fullLimitBytes`. */
  full?: boolean | undefined
  /** Keeps the value at least so long from now, up to the cache's `maxTtl`. A task that goes on is not kept by it. */
  keep?: Duration | undefined
  /** How long to wait for a task that is in flight. @defaultValue 0 */
  wait?: Duration | undefined
  /** What the reader of the answer can take, which then decides what passes whole. For adapters. @defaultValue `maxSize` decides */
  limits?: AnswerLimits | undefined
  responseFormat?: ResponseFormat | undefined
  /** Ends the wait, never the task. While a far page of a large value is laid out, it ends that, with its reason. */
  signal?: AbortSignal | undefined
  /** Hears of progress during the wait. */
  onProgress?: ((progress: Progress) => unknown) | undefined
}

const OPTIONS: Names<GetOptions> = {
  actor: true,
  page: true,
  pageSize: true,
  maxSize: true,
  full: true,
  keep: true,
  wait: true,
  limits: true,
  responseFormat: true,
  signal: true,
  onProgress: true,
}

/**
 * A poll: the task before the value, authorized before either, and a wait where one is asked for.
 * @param reference it may be to a part: the answer names what was asked for
 */
export async function poll(engine: Engine, reference: RefId, options: GetOptions): Promise<CallResponse> {
  checkNames(options, OPTIONS, '`get`')
  const who = toActor(options.actor)
  const within = toMilliseconds(options.wait ?? 0, 'wait')
  const { refId, part } = toReference(engine.name, reference) ?? { refId: reference }
  const entry = await findFor(engine, refId, who, {
    action: 'get',
    permission: READ_OR_EXECUTE,
    denial: PRIVATE,
    audit: 'denials-only',
  })
  const asked: AskedTask = { ...options, part, within }
  const latest = isInFlight(entry) ? await followTask(engine, entry, who, asked) : entry
  const answer = await reply(engine, latest, who, {
    ...options,
    part,
    ifUnreadable: 'refuse',
    action: 'get',
    keep: options.keep === undefined ? undefined : toPositiveMilliseconds(options.keep, 'keep'),
    justFollowed: isInFlight(entry),
  })
  return part ? { ...answer, refId: reference } : answer
}

/** What is asked of a task that is in flight, and how long for, in milliseconds. */
interface AskedTask extends RenderOptions, Pick<GetOptions, 'signal' | 'onProgress'> {
  readonly within: number
}

/** The entry when its task has ended, or has what was asked for, or the time is over; nothing where it is gone. */
async function followTask(
  engine: Engine,
  entry: Entry,
  who: Actor,
  asked: AskedTask,
): Promise<Entry | undefined> {
  const { within, signal, onProgress } = asked
  const listening = engine.errors.listen(entry.refId)
  const there = new AbortController()
  const look = (changed: Entry, appended: Pick<Entry, 'appended'> = changed) => {
    // How long an answer takes must not tell of what its reader may not see.
    if (isThere(appended, asked) && engine.access.may(changed, who, Permission.READ)) there.abort()
  }
  const looks = within > 0 && asksForContent(asked)
  const progress = onProgress && hearProgress(engine, entry.refId, who, onProgress)
  try {
    if (looks) look(entry, await appendedOf(engine, entry))
    const latest = await engine.entries.follow(entry, {
      within,
      signals: [signal, listening.lost, there.signal],
      onChange: changed => {
        progress?.saw(changed)
        if (looks) look(changed)
      },
    })
    if (latest && isInFlight(latest)) listening.lost.throwIfAborted()
    return latest
  } finally {
    progress?.end()
    listening.end()
  }
}
