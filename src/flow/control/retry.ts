import type { Actor } from '../../access/actor.ts'
import {
  type CancelledEntry,
  type Entry,
  type FailedEntry,
  isInFlight,
  type Lease,
  type PendingEntry,
} from '../../core/entry.ts'
import { hasValue } from '../../core/entry-value.ts'
import { InvalidArgument, TaskNotReady } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { Tool } from '../../core/tool.ts'
import { transition } from '../../core/transition.ts'
import { admit } from '../call/claim.ts'
import { newTaskOf } from '../call/draft.ts'
import { anyInFlight } from '../call/references.ts'
import type { Engine } from '../engine.ts'
import { find, findAnd } from '../read/find.ts'
import { replyStatus } from '../read/reply.ts'
import { newLease } from '../run/lease.ts'
import { start } from '../run/run.ts'

/** Begins a failed or cancelled task again: under the same reference, or in a new entry where a client holds it as a native task. Of two callers at once, one starts it. */
export async function retry(engine: Engine, refId: RefId, who: Actor): Promise<CallResponse> {
  const entry = await findAnd(engine, refId, who, found =>
    engine.access.authorizeControl(found, who, { action: 'retry', refId }),
  )
  if (entry.native && entry.retriedAs !== undefined) {
    const latest = await find(engine, entry.retriedAs)
    if (latest) return retryLatest(engine, latest, who)
  }
  checkRetryable(entry)
  const tool = engine.tools.get(entry.toolName ?? '')
  if (!tool) return leaveToOthers(engine, entry, who)
  if (entry.native) return retryInNewEntry(engine, tool, entry, who)
  const lease = newLease(engine)
  // Before the entry changes: a full queue must not cost it what it says of the failure.
  const unsettled = await anyInFlight(engine, entry.uses ?? [])
  const place = admit(engine, tool, { namespace: entry.namespace, refId, unsettled })
  try {
    // Where an identical call holds the key by now, this task goes on without it.
    const begun = (await restart(engine, entry, lease, true)) ?? (await restart(engine, entry, lease, false))
    if (!begun) {
      place.leave()
      return replyStatus(engine, await find(engine, refId), who, { action: 'retry' })
    }
    start(engine, tool, begun, place)
    return replyStatus(engine, begun, who, { action: 'retry' })
  } catch (error) {
    place.leave()
    throw error
  }
}

/** The task has been tried again already. A retry that is under way, or has succeeded, is what is asked for. */
function retryLatest(engine: Engine, latest: Entry, who: Actor): Promise<CallResponse> | CallResponse {
  if (latest.status === 'failed' || latest.status === 'cancelled') return retry(engine, latest.refId, who)
  return replyStatus(engine, latest, who, { action: 'retry' })
}

/** A native task keeps the status that it ended with: another entry tries it again. */
async function retryInNewEntry(engine: Engine, tool: Tool, entry: Entry, who: Actor): Promise<CallResponse> {
  const unsettled = await anyInFlight(engine, entry.uses ?? [])
  const { namespace, refId } = entry
  const place = admit(engine, tool, { namespace, refId, unsettled })
  try {
    const draft = draftRetry(engine, tool, entry)
    const event = { type: 'retry-elsewhere', retriedAs: draft.refId, instead: entry.retriedAs } as const
    if ((await engine.entries.change(entry, event)).refused) {
      place.leave()
      return await retry(engine, refId, who)
    }
    const input = await engine.store.read(refId, 'input')
    const begun = await claimRetry(engine, draft, input)
    start(engine, tool, begun, place)
    return replyStatus(engine, begun, who, { action: 'retry' })
  } catch (error) {
    place.leave()
    throw error
  }
}

/** Where an identical call holds the key by now, the task goes on without it. */
async function claimRetry(
  engine: Engine,
  draft: PendingEntry,
  input: Uint8Array | undefined,
): Promise<PendingEntry> {
  const now = engine.clock.now()
  const { won } = await engine.store.claim(draft, now, { input })
  if (won) return draft
  const { key: _, tags: __, ...unkeyed } = draft
  await engine.store.claim(unkeyed, now, { input })
  return unkeyed
}

async function restart(
  engine: Engine,
  entry: Entry,
  lease: Lease,
  keepKey: boolean,
): Promise<PendingEntry | undefined> {
  const moved = transition(entry, { type: 'retry', lease, keepKey, now: engine.clock.now() })
  if (!moved.ok || moved.entry.status !== 'pending') return undefined
  // What the last attempt ended with is no value of the next one.
  const index = entry.appended ? {} : { index: undefined }
  const parts = hasValue(entry) ? { value: undefined, ...index } : undefined
  return (await engine.store.update(moved.entry, entry.version, parts)) ? moved.entry : undefined
}

/** @throws InvalidArgument, TaskNotReady */
function checkRetryable(entry: Entry): asserts entry is FailedEntry | CancelledEntry {
  if (entry.status === 'complete') {
    throw new InvalidArgument('The task has finished; there is nothing to retry.')
  }
  if (isInFlight(entry)) throw new TaskNotReady('The task is still running. Cancel it first, or wait for it.')
  if (entry.status === 'failed' && entry.error.code === 'store_full') {
    throw new InvalidArgument(
      'The input of this task was given up for want of room. Call the tool again instead.',
    )
  }
}

/** The task waits for a process that has its tool: where this process gives its work to others anyway. */
async function leaveToOthers(engine: Engine, entry: Entry, who: Actor): Promise<CallResponse> {
  if (!engine.dispatcher.shared || entry.native) {
    throw new InvalidArgument(
      'This process does not have the tool of this task (any more). Call the tool again instead.',
    )
  }
  const lease = { ...newLease(engine), duration: 0 }
  const begun = (await restart(engine, entry, lease, true)) ?? (await restart(engine, entry, lease, false))
  if (begun) engine.dispatcher.dispatch({ refId: entry.refId, toolName: entry.toolName ?? '' })
  return replyStatus(engine, begun ?? (await find(engine, entry.refId)), who, { action: 'retry' })
}

/** The entry that tries a native task again, for whoever started that. */
function draftRetry(engine: Engine, tool: Tool, entry: Entry): PendingEntry {
  const { namespace, policy, startedBy, uses, derivedFrom, interactive, releasedKey, tags } = entry
  const { keepFor, slidingTtl, origin } = entry
  return {
    ...newTaskOf(engine, tool, namespace),
    ...(keepFor === undefined ? {} : { keepFor, slidingTtl }),
    ...(origin === undefined ? {} : { origin }),
    ...(releasedKey === undefined ? {} : { key: releasedKey, ...(tags ? { tags } : {}) }),
    namespace,
    policy,
    startedBy,
    ...(uses ? { uses } : {}),
    ...(derivedFrom ? { derivedFrom } : {}),
    ...(interactive ? { interactive } : {}),
    retryOf: entry.refId,
  }
}
