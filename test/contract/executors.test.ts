import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { InvalidArgument, ProtocolFailure, TaskFailed, WorkerLost } from '../../src/core/errors.ts'
import { fromErrorData, toErrorData } from '../../src/execution/executor-errors.ts'
import { inProcessExecutor } from '../../src/execution/in-process.ts'
import { threadExecutor } from '../../src/execution/threads/index.ts'
import { executorSuite, executorTools } from '../../src/testing/index.ts'
import { childExecutor } from './child-executor.ts'

executorSuite(
  { describe, it },
  { name: 'in-process', canKill: false, open: () => ({ executor: inProcessExecutor(executorTools) }) },
)

executorSuite({ describe, it }, { name: 'child process', canKill: true, open: childExecutor })

executorSuite({ describe, it }, { name: 'threads', canKill: true, open: openThreads })

/** Threads run the built package, as a user's do. */
function openThreads() {
  const threads: Array<{ thread: Worker; started: Promise<unknown> }> = []
  const keep = (thread: Worker) => threads.push({ thread, started: once(thread, 'message') })
  process.on('worker', keep)
  return {
    executor: threadExecutor({ modules: new URL('../../dist/testing/index.js', import.meta.url) }),
    async kill() {
      await expect.poll(() => threads.length).toBeGreaterThan(0)
      for (const { thread, started } of threads.splice(0)) await started.then(() => thread.terminate())
    },
    teardown: () => process.off('worker', keep),
  }
}

describe('errors as data', () => {
  const crossed = (thrown: unknown) => fromErrorData(JSON.parse(JSON.stringify(toErrorData(thrown))))

  it('keep their class, code and cause', () => {
    const error = crossed(new WorkerLost('gone', { cause: new InvalidArgument('why') }))
    expect(error).toBeInstanceOf(WorkerLost)
    expect(error).toMatchObject({ code: 'worker_lost', message: 'gone' })
    expect(error.cause).toBeInstanceOf(InvalidArgument)
  })

  it('keep what a task keeps of them', () => {
    const failed = crossed(new TaskFailed('no', { code: 'internal', value: { partial: [1] } }))
    expect(failed).toMatchObject({ code: 'internal', value: { partial: [1] } })
    expect(failed).toBeInstanceOf(TaskFailed)
    const protocol = crossed(new ProtocolFailure('no', { code: -32_000, data: ['x'] }))
    expect(protocol).toMatchObject({ code: 'protocol_error', rpc: { code: -32_000, data: ['x'] } })
  })

  it('keep the name and code of what others throw, and all errors of several', () => {
    const disk = Object.assign(new RangeError('full'), { code: 'ENOSPC' })
    const several = crossed(new AggregateError([disk, 'a text'], 'both')) as AggregateError
    expect(several).toMatchObject({ name: 'AggregateError', message: 'both' })
    expect(several.errors).toMatchObject([
      { name: 'RangeError', message: 'full', code: 'ENOSPC' },
      { message: 'a text' },
    ])
  })

  it('never throw, whatever was thrown', () => {
    const proxy = new Proxy(new Error('x'), {
      get: () => {
        throw new Error('no')
      },
      getPrototypeOf: () => {
        throw new Error('no')
      },
    })
    const circle = new Error('round') as Error & { cause?: unknown }
    circle.cause = circle
    for (const thrown of [undefined, null, 7, { a: 1 }, Symbol('s'), proxy, circle]) {
      expect(crossed(thrown)).toBeInstanceOf(Error)
    }
  })
})
