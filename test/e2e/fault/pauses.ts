import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Backend, Place } from './backends.ts'
import { runsOf } from './outside.ts'
import { type ToolName, Worker, type WorkerConfig } from './worker.ts'

const QUICK = { leaseDuration: 500, sweepInterval: 100 }

/** A process that slept while it connected takes the server for silent, until it looks again. */
const AFTER_SLEEP = /^(mcp-refcache (error|warn): The store of the cache .*\n)*$/

/** A process that runs a task until the gate opens, and another one beside it. */
async function scene(place: Place, tool: ToolName, die?: WorkerConfig['die'], cache = QUICK) {
  const config = { ...place, cache }
  const [paused, other] = await Promise.all([Worker.start({ ...config, die }), Worker.start(config)])
  const gate = join(place.folder, 'gate')
  const input = die ? { id: 'late' } : { id: 'late', gate }
  const { refId } = await paused.call(tool, input, { asyncTimeout: 0 })
  await paused.hears(line => line.begun === 'late')
  return { paused, other, refId, input, openGate: () => writeFileSync(gate, '') }
}

/** A process that is stopped within a write holds the lock of a SQLite file: then nobody could do anything about its tasks. */
async function pauseBetweenWrites(place: Place, worker: Worker): Promise<void> {
  for (;;) {
    worker.pause()
    // A signal takes a moment to arrive.
    await sleep(20)
    if (await place.takesWrites()) return
    worker.resume()
    await sleep(20)
  }
}

/** Processes that are stopped and go on later, as when a machine sleeps. */
export function pausedProcesses(backend: Backend): void {
  it('stops the work of a process that was paused for longer than its lease, and discards its result', async () => {
    const place = await backend.open()
    const { paused, other, refId, openGate } = await scene(place, 'safe')
    await pauseBetweenWrites(place, paused)
    await other.hears(line => line.begun === 'late')
    paused.resume()
    expect(await paused.hears(line => line.aborted === 'late')).toMatchObject({ code: 'task_cancelled' })
    // Both handlers are at work now, and both will have a result.
    openGate()
    await Promise.all([paused, other].map(worker => worker.hears(line => line.ended === 'late')))

    const outcome = await other.outcome(refId)
    expect(outcome).toMatchObject({ status: 'complete', refId, value: { by: other.pid, intact: true } })
    await sleep(2 * QUICK.leaseDuration)
    expect(await paused.look(refId)).toMatchObject({ value: outcome.value })
    expect(runsOf(place.record, 'late')).toBe(2)
    await Promise.all([paused.end(), other.end()])
    await place.end()
  })

  it('lets a process that was paused at the very write of its result overwrite nothing', async () => {
    const place = await backend.open()
    const die = { point: 'before settle', signal: 'SIGSTOP' } as const
    const { paused, other, refId } = await scene(place, 'safe', die)
    const outcome = await other.outcome(refId)
    expect(outcome).toMatchObject({ status: 'complete', value: { by: other.pid, intact: true } })
    paused.resume()
    expect(await paused.look(refId)).toMatchObject({ status: 'complete', value: outcome.value })
    await sleep(2 * QUICK.leaseDuration)
    expect(await other.look(refId)).toMatchObject({ status: 'complete', value: outcome.value })
    expect(paused.said.filter(line => line.settled)).toEqual([])
    await Promise.all([paused.end(), other.end()])
    await place.end()
  })

  it('runs no task twice that may not be repeated, and discards the late result', async () => {
    const place = await backend.open()
    const { paused, other, refId, openGate } = await scene(place, 'unsafe')
    await pauseBetweenWrites(place, paused)
    const lost = { status: 'failed', errorCode: 'worker_lost', canRetry: true }
    expect(await other.outcome(refId)).toMatchObject(lost)
    paused.resume()
    await paused.hears(line => line.aborted === 'late')
    openGate()
    await paused.hears(line => line.ended === 'late')
    await sleep(2 * QUICK.leaseDuration)
    expect(await paused.look(refId)).toMatchObject(lost)
    expect(runsOf(place.record, 'late')).toBe(1)

    await other.retry(refId)
    expect(await other.outcome(refId)).toMatchObject({ status: 'complete', value: { by: other.pid } })
    expect(runsOf(place.record, 'late')).toBe(2)
    await Promise.all([paused.end(), other.end()])
    await place.end()
  })

  it('tells a caller who waited in the paused process how its task ended, and nothing else', async () => {
    const place = await backend.open()
    const { paused, other, refId, input, openGate } = await scene(place, 'unsafe')
    const waiting = paused.call('unsafe', input)
    await paused.hears(line => line.joined === refId)
    await pauseBetweenWrites(place, paused)
    expect(await other.outcome(refId)).toMatchObject({ status: 'failed', errorCode: 'worker_lost' })
    paused.resume()
    await expect(waiting).rejects.toMatchObject({ code: 'worker_lost' })
    openGate()
    await Promise.all([paused.end(), other.end()])
    await place.end()
  })

  it('takes nothing from a process that slept as long as the one that looks', async () => {
    const place = await backend.open()
    const cache = { leaseDuration: 2_000, sweepInterval: 200 }
    const { paused, other, refId, openGate } = await scene(place, 'unsafe', undefined, cache)
    await sleep(cache.sweepInterval)
    // As when a machine sleeps, or a shell stops a whole job. Whoever wakes first has seen nothing.
    for (const worker of [paused, other]) worker.pause()
    await sleep(1.5 * cache.leaseDuration)
    other.resume()
    await sleep(cache.sweepInterval)
    paused.resume()
    await sleep(cache.sweepInterval)
    openGate()
    expect(await other.outcome(refId)).toMatchObject({ status: 'complete', value: { by: paused.pid } })
    expect(runsOf(place.record, 'late')).toBe(1)
    await Promise.all([paused, other].map(worker => worker.end(AFTER_SLEEP)))
    await place.end()
  })
}
