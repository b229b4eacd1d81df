import { expect, it } from 'vitest'
import type { RefId } from '../../../src/index.ts'
import type { Backend } from './backends.ts'
import { stepsIn } from './outside.ts'
import { until } from './until.ts'
import { type StoreConfig, Worker } from './worker.ts'

const TASKS = 1_000
/** A hundred run at a time, so all of them take longer than it takes to start them. */
const WORK_MS = 1_500
/** Of each task, while it runs. */
const REPORTS = 12
const MB = 1024 * 1024

export function manyTasks(backend: Backend): void {
  it('settles 1,000 tasks at once, in bounded memory, and answers polls meanwhile', {
    timeout: 120_000,
  }, async () => {
    const place = await backend.open()
    const config = { ...place, store: patient(place.store), nodeOptions: ['--expose-gc'] }
    const [worker, poller] = await Promise.all([Worker.start(config), Worker.start(config)])
    const idle = await worker.call('safe', { id: 'idle' })
    const baseline = await poller.pollTimes([idle.refId], 100)
    const heapBefore = await worker.memory()

    const begin = performance.now()
    const calls = Array.from({ length: TASKS }, (_, number) =>
      worker.call('safe', { id: `${number}`, ms: WORK_MS, steps: REPORTS, size: 200 }, { asyncTimeout: 0 }),
    )
    const refIds = (await Promise.all(calls)).map(({ refId }) => refId)
    const claimed = performance.now() - begin
    const polls = [worker, poller].map(one => one.pollTimes(refIds, 200))
    const heapMeanwhile = await worker.memory()
    const inFlight = TASKS - settledBy(worker, refIds)
    const [own, others] = await Promise.all(polls)
    await until(() => settledBy(worker, refIds) === TASKS, 'all tasks should have settled', 90_000)
    const settled = performance.now() - begin
    const outcomes = await Promise.all(refIds.map(refId => poller.look(refId)))
    const heapAfter = await worker.memory()

    expect(outcomes.filter(({ status, value }) => status === 'complete' && value?.intact)).toHaveLength(TASKS)
    const begun = stepsIn(place.record).filter(({ step }) => step === 'begin')
    expect(new Set(begun.map(({ id }) => id)).size).toBe(TASKS + 1)
    expect(begun).toHaveLength(TASKS + 1)
    const held = (heapMeanwhile.heapUsed - heapBefore.heapUsed) / MB
    const kept = (heapAfter.heapUsed - heapBefore.heapUsed) / MB
    console.log(
      [
        `${TASKS} tasks on ${backend.name}: claimed in ${claimed.toFixed()} ms, settled in ${settled.toFixed()} ms`,
        `polls (median, 99th): idle ${spread(baseline)}, same process ${spread(own!)}, another ${spread(others!)} ms`,
        `heap ${held.toFixed(1)} MB more with ${inFlight} in flight, ${kept.toFixed(1)} MB after it`,
      ].join('; '),
    )
    expect(heapAfter.exact).toBe(true)
    // 1,000 tasks that left something behind would leave more than that: each has an input, progress and timers.
    expect(kept).toBeLessThan(16)
    expect(inFlight).toBeGreaterThan(0)
    expect(held).toBeLessThan(128)
    await Promise.all([worker.end(), poller.end()])
    await place.end()
  })
}

/** A thousand commands at once wait for each other: on a busy machine for longer than a store is waited for. */
function patient(store: StoreConfig): StoreConfig {
  return store.kind === 'redis' ? { ...store, options: { ...store.options, operationTimeout: '20s' } } : store
}

function settledBy(worker: Worker, refIds: readonly RefId[]): number {
  const settled = new Set(worker.said.map(line => line.settled))
  return refIds.filter(refId => settled.has(refId)).length
}

function spread(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (quantile: number) => sorted[Math.floor(quantile * (sorted.length - 1))]!.toFixed(1)
  return `${at(0.5)}, ${at(0.99)}`
}
