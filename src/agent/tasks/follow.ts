import { onAbort } from '../../core/abort.ts'
import { retryWhileAway } from '../../core/backoff.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { Signal } from '../../core/signal.ts'
import { isSettled, type Task } from './task.ts'
import type { TaskView } from './view.ts'

/** Follows a task for somebody who listens. */
export interface Following {
  /** Resolves when there is nothing more to tell: the task has settled, is gone, or was left. */
  readonly over: Promise<void>
  end(): void
}

/**
 * Tells `tell` how a task stands, first now and then whenever that changes, until it settles. Each time it is read
 * anew, and authorized by that. While the store is away it waits, since silence means that nothing has changed; any other
 * error, of `tell` too, ends it.
 */
export function followTask<Read extends Task>(
  view: TaskView,
  read: (view: TaskView) => Promise<Read>,
  tell: (task: Read) => Promise<void> | void,
  clock: Clock = systemClock,
): Following {
  const ended = new AbortController()
  const { signal } = ended
  const changes = new Signal()
  let endWatch: (() => void) | undefined
  let told: string | undefined
  /** Whether there is more to tell after this. */
  const step = async () => {
    // What is read after this misses nothing.
    endWatch ??= await view.watch(() => changes.notify())
    const task = await read(view)
    if (task.gist !== told && !signal.aborted) await tell(task)
    told = task.gist
    if (isSettled(task)) return false
    await changes.next()
    return true
  }
  const run = async () => {
    try {
      while (!signal.aborted) {
        const more = await retryWhileAway(step, clock, signal, 'background')
        if (!more) return
      }
    } finally {
      endWatch?.()
    }
  }
  return {
    // Expired or deleted: whoever listens can still ask.
    over: run().catch(() => {}),
    end() {
      ended.abort()
      changes.notify()
    },
  }
}

/** Waits until a task settles or asks something, at most `ms`; gives how it stands then. */
export async function firstNews(
  view: TaskView,
  ms: number,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<Task> {
  const over = new Signal()
  const following = followTask(
    view,
    () => view.peek(),
    task => {
      if (isSettled(task) || task.inputRequests) over.notify()
    },
    clock,
  )
  const ends = [clock.schedule(ms, () => over.notify()), onAbort(signal, () => over.notify())]
  if (!signal.aborted) await over.next()
  for (const end of [...ends, following.end]) end()
  return view.peek()
}
