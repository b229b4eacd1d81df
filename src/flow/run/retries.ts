import { TaskCancelled, UnreadableValue, WorkerLost } from '../../core/errors.ts'
import { retryDelay } from '../../core/retry-policy.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'

/** `retryable` may ask somebody else, but the task must end. */
const RETRYABLE_WITHIN_MS = 10_000

/** Another attempt would end alike. */
const FINAL = [WorkerLost, TaskCancelled, UnreadableValue]

/** Whether the executor of a tool lost the worker that ran the handler, while this process goes on. */
export function isWorkerLost({ stopping }: Engine, { executor }: Tool, error: unknown): boolean {
  return error instanceof WorkerLost && executor !== undefined && !stopping.aborted
}

/** Whether the tool lets an attempt that failed so be tried again. A `retryable` that throws, or does not answer in time, is a no. */
export async function mayTryAgain(engine: Engine, tool: Tool, error: unknown): Promise<boolean> {
  if (FINAL.some(kind => error instanceof kind) && !isWorkerLost(engine, tool, error)) return false
  let cancel = () => {}
  const late = new Promise<false>(resolve => {
    cancel = engine.clock.schedule(RETRYABLE_WITHIN_MS, () => resolve(false), 'background')
  })
  try {
    return Boolean(await Promise.race([tool.retry.retryable(error), late]))
  } catch {
    return false
  } finally {
    cancel()
  }
}

/** When a retry is due. @param retry 1 for the first one */
export function retryTime(engine: Engine, tool: Tool, retry: number, now: number): number {
  const random = Buffer.from(engine.random(4)).readUInt32LE() / 2 ** 32
  return now + retryDelay(tool.retry, retry, random)
}
