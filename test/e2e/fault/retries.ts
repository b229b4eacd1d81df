import { expect, it } from 'vitest'
import type { Backend } from './backends.ts'
import { stepsIn } from './outside.ts'
import { type Point, type ToolName, Worker } from './worker.ts'

const QUICK = { leaseDuration: 400, sweepInterval: 100 }
const DELAY_MS = 1_500
const TOOL = { asyncTimeout: 0, maxRetries: 2, retryDelay: DELAY_MS, retryBackoffFactor: 1 }
/** A retry comes early by that at most, so that many do not come at the same moment. */
const EARLIEST_MS = DELAY_MS / 2

/** Retries that are due while processes die. */
export function dueRetries(backend: Backend): void {
  it.each<[ToolName, string, readonly Point[]]>([
    ['safe', 'right after a failed run', ['after postpone', 'after postpone']],
    ['unsafe', 'right after a failed run', ['after postpone', 'after postpone']],
    ['unsafe', 'later, when they have taken it over', ['after postpone', 'after take', 'after take']],
  ])(
    'runs a task (%s) that fails three times, each time when it is due, though processes are killed %s',
    async (tool, _, deaths) => {
      const place = await backend.open()
      const config = { ...place, cache: QUICK, tool: TOOL }
      const input = { id: 'bad', fails: true }
      const [first, ...others] = deaths
      const caller = await Worker.start({ ...config, die: { point: first! } })
      const refId = caller.hears(line => line.claimed !== undefined).then(line => line.claimed!)
      caller.call(tool, input).catch(() => {})
      await caller.died
      for (const point of others) await (await Worker.start({ ...config, die: { point } })).died

      const survivor = await Worker.start(config)
      const outcome = await survivor.outcome(await refId)
      expect(outcome).toMatchObject({ status: 'failed', error: 'bad fails', errorCode: 'task_failed' })
      const runs = stepsIn(place.record).filter(({ step }) => step === 'begin')
      expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
      for (const [index, { at }] of runs.slice(1).entries()) {
        expect(at - runs[index]!.at).toBeGreaterThanOrEqual(EARLIEST_MS)
      }
      await survivor.end()
      await place.end()
    },
  )
}
