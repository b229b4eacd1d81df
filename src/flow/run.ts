import { decode } from '../core/codec.ts'
import type { Entry } from '../core/entry.ts'
import { StoreUnavailable } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import type { ProgressReport, TaskContext } from '../core/tool.ts'
import type { Perform } from '../runners/runner.ts'
import { change } from './change.ts'
import type { Engine } from './engine.ts'
import { guard, sustain } from './guards.ts'
import { leaseFor } from './lease.ts'
import { ProgressReporter } from './progress.ts'
import { type Outcome, settle } from './settle.ts'
import { encodeValue } from './values.ts'

/** How the holder of the lease `owner` runs a task: from `pending`, through `processing`, to its settlement. */
export function performer(engine: Engine, owner: string): Perform {
  return async (refId, signal) => {
    try {
      const lease = leaseFor(engine, owner)
      const { entry, refused } = await change(engine, refId, {
        type: 'start',
        lease,
        now: engine.clock.now(),
      })
      // Refused: cancelled, or taken over by another process, before it began.
      if (entry && !refused) await execute(engine, entry, owner, signal)
    } catch (cause) {
      // Only the store fails here. The lease runs out, and a sweep settles the task once the store is back.
      engine.thrown.abandon(refId, cause)
    }
  }
}

async function execute(engine: Engine, entry: Entry, owner: string, signal: AbortSignal): Promise<void> {
  const { refId } = entry
  const tool = engine.tools.get(entry.toolName ?? '')
  const progress = new ProgressReporter(engine.clock, latest =>
    sustain(engine, refId, { type: 'progress', owner, progress: latest }),
  )
  const unguard = guard(engine, refId, owner, tool?.hardTimeout)
  let outcome: Outcome
  try {
    if (!tool) throw new StoreUnavailable(`The tool '${entry.toolName}' is not registered in this process.`)
    const input = await readInput(engine, refId)
    const result = await untilAborted(signal, () => tool.handler(input, contextOf(entry, signal, progress)))
    outcome = { value: await encodeValue(engine, result), ttl: tool.ttl }
  } catch (error) {
    engine.thrown.tell(refId, error)
    outcome = { error }
  } finally {
    unguard()
    await progress.end()
  }
  await settle(engine, refId, owner, outcome, progress.latest)
}

async function readInput(engine: Engine, refId: RefId): Promise<never> {
  const bytes = await engine.store.read(refId, 'input')
  if (!bytes) throw new StoreUnavailable('The input of this task is gone from the store.')
  // The tool's own schema vouched for the type when the input was stored.
  return JSON.parse(await decode(bytes)) as never
}

function contextOf(entry: Entry, signal: AbortSignal, progress: ProgressReporter): TaskContext {
  return {
    refId: entry.refId,
    attempt: entry.attempt,
    signal,
    progress(current: number | ProgressReport, total?: number, message?: string) {
      progress.report(typeof current === 'object' ? current : { current, total, message })
    },
  }
}

/** The work's result, or the reason of the abort: work that ignores its signal is left behind. */
async function untilAborted<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let abandon = () => {}
  const aborted = new Promise<never>((_, reject) => {
    abandon = () => reject(signal.reason)
    signal.addEventListener('abort', abandon)
  })
  try {
    return await Promise.race([aborted, (async () => work())()])
  } finally {
    signal.removeEventListener('abort', abandon)
  }
}
