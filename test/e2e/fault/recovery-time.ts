import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Backend } from './backends.ts'
import { until } from './until.ts'
import { type ToolName, Worker } from './worker.ts'

const TASKS = 240
/** Longer than the victim computes without a pause while it begins. */
const LEASE = 2_500
const SWEEP = 500
const DUE = 2 * LEASE + 2 * SWEEP

/** What a killed process ran, and what waited in its queue. */
export function recoveryTime(backend: Backend): void {
  it(`settles ${TASKS} tasks of a killed process within two leases and two sweeps`, {
    timeout: 180_000,
  }, async () => {
    const place = await backend.open()
    const cache = { leaseDuration: LEASE, sweepInterval: SWEEP, maxConcurrentTasks: TASKS / 2 }
    const config = { ...place, cache, tool: { asyncTimeout: 0 } }
    const [victim, survivor] = await Promise.all([Worker.start(config), Worker.start(config)])
    const gate = join(place.folder, 'gate')
    const tools: ToolName[] = ['safe', 'unsafe']
    const calledAt = performance.now()
    const calls = Array.from({ length: TASKS }, (_, number) =>
      victim.call(tools[number % 2] as ToolName, { id: `${number}`, gate }),
    )
    const refIds = (await Promise.all(calls)).map(({ refId }) => refId)
    await until(() => begunBy(victim) === TASKS / 2, 'half of the tasks should run')
    const begunIn = performance.now() - calledAt

    const killedAt = performance.now()
    await victim.kill()
    // What runs again ends at once.
    writeFileSync(gate, '')
    // Nothing has settled before, and nobody else is there to settle anything.
    await until(() => settledBy(survivor) === TASKS, 'all tasks should have settled')
    const took = performance.now() - killedAt
    const outcomes = await Promise.all(refIds.map(refId => survivor.look(refId)))
    const count = (status: string) => outcomes.filter(outcome => outcome.status === status).length
    expect(count('complete') + count('failed')).toBe(TASKS)
    for (const { status, errorCode } of outcomes)
      if (status === 'failed') expect(errorCode).toBe('worker_lost')
    // What had begun and may not be repeated; all else ran again.
    expect(count('failed')).toBeLessThanOrEqual(TASKS / 4)
    // Beside the waiting there is work: a busy machine needs longer for it, as it did when they began.
    expect(took).toBeLessThan(DUE + 2 * begunIn)
    await survivor.end()
    await place.end()
  })
}

function begunBy(worker: Worker): number {
  return worker.said.filter(({ begun }) => begun !== undefined).length
}

function settledBy({ said }: Worker): number {
  return new Set(said.flatMap(({ settled }) => settled ?? [])).size
}
