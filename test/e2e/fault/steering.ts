import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Backend } from './backends.ts'
import { runsOf } from './outside.ts'
import { Worker } from './worker.ts'

const QUICK = { leaseDuration: 500, sweepInterval: 100 }

/** Tasks that are cancelled, begun again or deleted while they run. */
export function steeredTasks(backend: Backend): void {
  it('runs a task that was cancelled and begun again at once', async () => {
    const place = await backend.open()
    const worker = await Worker.start(place)
    const gate = join(place.folder, 'gate')
    const refIds: string[] = []
    for (let number = 0; number < 30; number++) {
      const id = `task ${number}`
      const { refId } = await worker.call('safe', { id, gate }, { asyncTimeout: 0 })
      await worker.hears(line => line.begun === id)
      await worker.cancelAndRetry(refId)
      refIds.push(refId)
    }
    writeFileSync(gate, '')
    for (const refId of refIds) expect(await worker.outcome(refId)).toMatchObject({ status: 'complete' })
    await worker.end()
    await place.end()
  })

  it('does not abort the signal of work that has finished', async () => {
    const place = await backend.open()
    const worker = await Worker.start(place)
    for (let number = 0; number < 20; number++) await worker.call('safe', { id: `task ${number}` })
    expect(worker.said.filter(line => line.aborted)).toEqual([])
    await worker.end()
    await place.end()
  })

  it('takes over more tasks than may wait in its queue', async () => {
    const place = await backend.open()
    const victim = await Worker.start({ ...place, cache: QUICK })
    const ids = Array.from({ length: 10 }, (_, number) => `task ${number}`)
    const calls = ids.map(id => victim.call('safe', { id, ms: 300 }, { asyncTimeout: 0 }))
    const handles = await Promise.all(calls)
    await victim.kill()
    const narrow = { ...QUICK, maxConcurrentTasks: 2, maxQueuedTasks: 3 }
    const survivor = await Worker.start({ ...place, cache: narrow })
    for (const { refId } of handles) {
      expect(await survivor.outcome(refId)).toMatchObject({ status: 'complete', value: { intact: true } })
    }
    // Some had not begun when the victim died.
    for (const id of ids) expect([1, 2]).toContain(runsOf(place.record, id))
    await survivor.end()
    await place.end()
  })
}
