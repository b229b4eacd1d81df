import { expect, it } from 'vitest'
import type { RefId } from '../../../src/index.ts'
import type { Backend } from './backends.ts'
import { runsOf } from './outside.ts'
import { type ToolName, Worker } from './worker.ts'

/** 20 callers in 3 processes. */
const CALLERS = [7, 7, 6]

/** However many callers there are, in however many processes: the work runs once. */
export function sharedRuns(backend: Backend): void {
  it.each<ToolName>(['safe', 'unsafe'])('runs once for 20 callers in 3 processes (%s tool)', async tool => {
    const place = await backend.open()
    const workers = await Promise.all([...CALLERS, 0].map(() => Worker.start(place)))
    const fourth = workers.at(-1)!
    const input = { id: 'one', ms: 400, size: 300 }

    // Most wait for the result; the rest take a handle and poll.
    const calls = CALLERS.flatMap((count, process) =>
      Array.from({ length: count }, async (_, caller) => {
        const worker = workers[process]!
        const first = await worker.call(tool, input, caller < 4 ? {} : { asyncTimeout: 0 })
        return worker.get(first.refId, { wait: 30_000, full: true })
      }),
    )
    const answers = await Promise.all(calls)

    expect(runsOf(place.record, 'one')).toBe(1)
    expect(answers).toHaveLength(20)
    expect(answers[0]).toMatchObject({ status: 'complete', isComplete: true, value: { id: 'one' } })
    for (const answer of answers) expect(answer).toEqual(answers[0])

    const refId = answers[0]?.refId as RefId
    expect(await fourth.get(refId, { full: true })).toEqual(answers[0])
    expect(await fourth.look(refId)).toMatchObject({ status: 'complete', value: { intact: true } })
    // A call from where nobody called before is a hit, too.
    expect(await fourth.call(tool, input)).toMatchObject({ refId, status: 'complete' })
    expect(runsOf(place.record, 'one')).toBe(1)

    await Promise.all(workers.map(worker => worker.end()))
    await place.end()
  })
}
