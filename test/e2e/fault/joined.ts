import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Backend, Place } from './backends.ts'
import { runsOf } from './outside.ts'
import { type ToolName, Worker } from './worker.ts'

/** Long enough that a process which is only slow is not taken for dead. */
const QUICK = { leaseDuration: 2_000, sweepInterval: 100 }

/** Callers in two processes wait for what a third one runs, and that one is killed; then whoever runs it may finish. */
async function orphans(place: Place, tool: ToolName) {
  const config = { ...place, cache: QUICK }
  const [claimer, ...others] = await Promise.all([1, 2, 3].map(() => Worker.start(config)))
  const gate = join(place.folder, 'gate')
  const input = { id: 'shared', size: 100, gate }
  const { refId } = await claimer!.call(tool, input, { asyncTimeout: 0 })
  await claimer!.hears(line => line.begun === 'shared')
  const calls = others.flatMap(worker => [worker.call(tool, input), worker.call(tool, input)])
  const polls = others.map(worker => worker.get(refId, { wait: 60_000 }))
  await Promise.all(others.map(worker => worker.hears(line => line.joined === refId)))
  await claimer!.kill()
  writeFileSync(gate, '')
  const end = async () => {
    await Promise.all(others.map(worker => worker.end()))
    await place.end()
  }
  return { refId, calls, polls, end }
}

/** What callers hear of work whose process was killed. */
export function orphanedCallers(backend: Backend): void {
  it('gives the recovered result to callers of a task whose process was killed', async () => {
    const place = await backend.open()
    const { refId, calls, polls, end } = await orphans(place, 'safe')
    const answers = await Promise.all([...calls, ...polls])
    expect(answers).toHaveLength(6)
    expect(answers[0]).toMatchObject({ refId, status: 'complete', value: { id: 'shared' } })
    // A call that joined says that its answer comes from an earlier one; a poll asks for that very one.
    const withoutAge = answers.map(answer => ({ ...answer, cachedAt: undefined }))
    for (const answer of withoutAge) expect(answer).toEqual(withoutAge[0])
    expect(runsOf(place.record, 'shared')).toBe(2)
    await end()
  })

  it('tells callers of a task that may not be repeated that its process was lost', async () => {
    const place = await backend.open()
    const { refId, calls, polls, end } = await orphans(place, 'unsafe')
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'worker_lost' } })
    }
    for (const poll of await Promise.all(polls)) {
      expect(poll).toMatchObject({ refId, status: 'failed', errorCode: 'worker_lost', canRetry: true })
    }
    expect(runsOf(place.record, 'shared')).toBe(1)
    await end()
  })
}
