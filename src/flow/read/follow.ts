import { onAbort } from '../../core/abort.ts'
import { type Entry, isInFlight } from '../../core/entry.ts'
import { Signal } from '../../core/signal.ts'
import type { Engine } from '../engine.ts'

export interface FollowOptions {
  /** How long to follow, in milliseconds; absent: until the task settles. */
  within: number | undefined
  /** Each ends the following, never the task. */
  signals?: ReadonlyArray<AbortSignal | undefined>
  /** Hears of every change that is seen on the way. */
  onChange?: ((entry: Entry) => void) | undefined
}

/** Stores that cannot tell of other processes' changes are asked this often; the others, to be safe, rarely. */
const POLL_MS = { unwatched: 200, watched: 2_000 }

export function pollInterval(engine: Engine): number {
  return engine.store.capabilities.watch ? POLL_MS.watched : POLL_MS.unwatched
}

/**
 * Waits until the task settles, or the time is over, or the caller gives up; gives the entry as it then is, or
 * nothing where it is gone. The wait races the task and never touches it.
 */
export async function follow(
  engine: Engine,
  entry: Entry,
  options: FollowOptions,
): Promise<Entry | undefined> {
  const { within, signals = [], onChange } = options
  if (!isInFlight(entry) || within === 0 || signals.some(signal => signal?.aborted)) return entry
  const { followed, clock } = engine
  const { refId } = entry
  const changed = new Signal()
  let isOver = false
  const finish = () => {
    isOver = true
    changed.notify()
  }
  const ends = [
    followed.follow(refId, () => changed.notify()),
    repeat(engine, () => {
      followed.doubt(refId)
      changed.notify()
    }),
    ...(within === undefined ? [] : [clock.schedule(within, finish)]),
    ...signals.flatMap(signal => (signal ? [onAbort(signal, finish)] : [])),
  ]
  try {
    let latest = await followed.read(refId)
    while (latest && isInFlight(latest) && !isOver) {
      onChange?.(latest)
      await changed.next()
      latest = await followed.read(refId)
    }
    return latest
  } finally {
    for (const end of ends) end()
  }
}

/** For what a store does not tell of. */
function repeat(engine: Engine, look: () => void): () => void {
  const again = (): (() => void) =>
    engine.clock.schedule(pollInterval(engine), () => {
      look()
      end = again()
    })
  let end = again()
  return () => end()
}
