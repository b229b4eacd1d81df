import type { Actor } from '../../access/actor.ts'
import { type Entry, hasValue, isInFlight, type Lease, type PendingEntry } from '../../core/entry.ts'
import { InvalidArgument, TaskNotReady } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { Tool } from '../../core/tool.ts'
import { transition } from '../../core/transition.ts'
import { anyInFlight } from '../call/references.ts'
import type { Engine } from '../engine.ts'
import { find, findAnd } from '../read/find.ts'
import { replyStatus } from '../read/reply.ts'
import { admit, start } from '../run/dispatch.ts'
import { newLease } from '../run/lease.ts'

/** Begins a failed or cancelled task again, under the same reference. Of two callers at once, one starts it. */
export async function retry(engine: Engine, refId: RefId, who: Actor): Promise<CallResponse> {
  const entry = await findAnd(engine, refId, who, found =>
    engine.access.authorizeControl(found, who, { action: 'retry', refId }),
  )
  const tool = retryable(engine, entry)
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

async function restart(
  engine: Engine,
  entry: Entry,
  lease: Lease,
  keepKey: boolean,
): Promise<PendingEntry | undefined> {
  const moved = transition(entry, { type: 'retry', lease, keepKey, now: engine.clock.now() })
  if (!moved.ok || moved.entry.status !== 'pending') return undefined
  // What the last attempt ended with is no value of the next one.
  const parts = hasValue(entry) ? { value: undefined } : undefined
  return (await engine.store.update(moved.entry, entry.version, parts)) ? moved.entry : undefined
}

function retryable(engine: Engine, entry: Entry): Tool {
  if (entry.status === 'complete') {
    throw new InvalidArgument('The task has finished; there is nothing to retry.')
  }
  if (isInFlight(entry)) throw new TaskNotReady('The task is still running. Cancel it first, or wait for it.')
  if (entry.status === 'failed' && entry.error.code === 'store_full') {
    throw new InvalidArgument(
      'The input of this task was given up for want of room. Call the tool again instead.',
    )
  }
  const tool = engine.tools.get(entry.toolName ?? '')
  if (tool) return tool
  throw new InvalidArgument(
    'This process does not have the tool of this task (any more). Call the tool again instead.',
  )
}
