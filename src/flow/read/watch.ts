import type { Actor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { tell } from '../../core/listener.ts'
import type { RefId } from '../../core/ref.ts'
import type { Engine } from '../engine.ts'
import { findFor } from './find.ts'

/**
 * Calls `onChange` soon after each change of an entry, its end and its removal included; may coalesce, and may call
 * without need. Authorized as a poll; what changed is asked for, and authorized, then.
 */
export async function watch(
  engine: Engine,
  refId: RefId,
  who: Actor,
  onChange: () => unknown,
): Promise<() => void> {
  const want = { action: 'watch', permission: READ_OR_EXECUTE, denial: '' } as const
  const entry = await findFor(engine, refId, who, want)
  const tellChange = () => tell(onChange)
  const ends = [
    engine.store.watch(refId, tellChange),
    lookNowAndThen(engine, refId, entry.version, tellChange),
  ]
  return () => {
    for (const end of ends) end()
  }
}

/** For what a store does not hear of. */
function lookNowAndThen(
  engine: Engine,
  refId: RefId,
  version: number | undefined,
  tell: () => void,
): () => void {
  let seen = version
  let ended = false
  let end = () => {}
  const look = async () => {
    try {
      const latest = (await engine.store.get(refId))?.version
      if (latest !== seen && !ended) tell()
      seen = latest
    } catch {
      // The store is away: the next look finds what happened.
    }
    again()
  }
  const again = () => {
    if (!ended && !engine.stopping.aborted)
      end = engine.clock.schedule(engine.entries.pollInterval, look, 'background')
  }
  again()
  return () => {
    ended = true
    end()
  }
}
