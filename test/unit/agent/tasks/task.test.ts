import { describe, expect, it } from 'vitest'
import { toCoreTask as encodeCore } from '../../../../src/agent/tasks/revision-2025.ts'
import { toExtensionTask as encodeExtension } from '../../../../src/agent/tasks/revision-2026.ts'
import { toTask } from '../../../../src/agent/tasks/task.ts'
import type { AsyncTaskResponse, CallResponse } from '../../../../src/core/response.ts'
import type { TaskInfo } from '../../../../src/flow/operate/task-info.ts'

const refId = `t:${'0'.repeat(32)}`
const createdAt = new Date('2026-01-15T12:00:00Z')
const updatedAt = new Date('2026-01-15T12:00:30Z')

function info(response: Partial<AsyncTaskResponse>, more: Partial<TaskInfo> = {}): TaskInfo {
  const base = { refId, status: 'processing', isComplete: false, isAsync: true }
  return { response: { ...base, ...response } as CallResponse, createdAt, updatedAt, ...more }
}

const toCoreTask = (given: TaskInfo) => encodeCore(toTask(given))
const toExtensionTask = (given: TaskInfo) => encodeExtension(toTask(given))
const rpcErrorOf = (given: TaskInfo) => toTask(given).rpcError
const inputRequestsOf = (given: TaskInfo) => toTask(given).inputRequests
const gist = (given: TaskInfo) => toTask(given).gist

const question = { method: 'elicitation/create', params: { message: '?' } } as const

describe('an entry as a task', () => {
  it('is its reference, its times, and how long it is kept from its beginning', () => {
    const expiresAt = new Date(createdAt.getTime() + 60_000)
    expect(toExtensionTask(info({ status: 'cancelled' }, { expiresAt }))).toEqual({
      taskId: refId,
      status: 'cancelled',
      statusMessage: 'The task was cancelled.',
      createdAt: '2026-01-15T12:00:00.000Z',
      lastUpdatedAt: '2026-01-15T12:00:30.000Z',
      ttlMs: 60_000,
    })
    expect(toCoreTask(info({ pollAfterSeconds: 2 }))).toEqual({
      taskId: refId,
      status: 'working',
      createdAt: '2026-01-15T12:00:00.000Z',
      lastUpdatedAt: '2026-01-15T12:00:30.000Z',
      ttl: null,
      pollInterval: 2_000,
    })
  })

  it.each([
    [{ status: 'pending' }, 'working', 'working'],
    [{ status: 'processing' }, 'working', 'working'],
    [{ status: 'processing', inputRequests: { a: question } }, 'input_required', 'input_required'],
    [{ status: 'processing', inputRequests: {} }, 'working', 'working'],
    [{ status: 'complete' }, 'completed', 'completed'],
    [{ status: 'failed', error: 'x' }, 'completed', 'failed'],
    [{ status: 'failed', error: 'x', errorRpc: { code: -1 } }, 'failed', 'failed'],
    [{ status: 'cancelled' }, 'cancelled', 'cancelled'],
  ] as const)('%j is %s in the extension and %s in 2025-11-25', (response, extension, core) => {
    const task = info(response as Partial<AsyncTaskResponse>)
    expect(toExtensionTask(task).status).toBe(extension)
    expect(toCoreTask(task).status).toBe(core)
  })

  it.each([
    [{}, undefined],
    [{ progress: { message: 'reading' } }, 'reading'],
    [{ progress: { current: 3, total: 9 } }, '3 of 9'],
    [{ progress: { current: 3 } }, '3'],
    [{ progress: { current: 3, total: 9, message: 'row 3' }, etaSeconds: 23.4 }, 'row 3; about 23 s left'],
    [{ etaSeconds: 0.2 }, 'about 1 s left'],
    [{ etaSeconds: 600 }, 'about 10 min left'],
    [{ inputRequests: { a: question }, progress: { message: 'reading' } }, 'Waiting for an answer.'],
  ])('%j says %s', (response, message) => {
    expect(toExtensionTask(info(response)).statusMessage).toBe(message)
  })

  it('says why it failed where that is all that the client will see', () => {
    const failed = { status: 'failed', error: 'the disk is full' } as const
    expect(toCoreTask(info(failed)).statusMessage).toBe('the disk is full')
    // There the result has it.
    expect(toExtensionTask(info(failed)).statusMessage).toBeUndefined()
    const rpc = info({ ...failed, errorRpc: { code: -32099, data: { left: 0 } } })
    expect(toExtensionTask(rpc).statusMessage).toBe('the disk is full')
    expect(rpcErrorOf(rpc)).toEqual({ code: -32099, data: { left: 0 }, message: 'the disk is full' })
  })

  it.each([
    [{ etaSeconds: 0 }, 500],
    [{ etaSeconds: 10 }, 2_000],
    [{ etaSeconds: 10, pollAfterSeconds: 9 }, 2_000],
    [{ etaSeconds: 1e9 }, 15_000],
    [{ pollAfterSeconds: 4 }, 4_000],
    [{}, 1_000],
  ])('%j is to be polled after %i ms', (response, ms) => {
    expect(toExtensionTask(info(response)).pollIntervalMs).toBe(ms)
  })

  it('is not to be polled any more when it has settled', () => {
    expect(toExtensionTask(info({ status: 'cancelled', pollAfterSeconds: 4 }))).not.toHaveProperty(
      'pollIntervalMs',
    )
  })

  it('has questions only while it runs', () => {
    expect(inputRequestsOf(info({ inputRequests: { a: question } }))).toEqual({ a: question })
    expect(inputRequestsOf(info({ status: 'cancelled', inputRequests: { a: question } }))).toBeUndefined()
  })

  it('is worth telling again when more has changed than the time', () => {
    const now = info({ progress: { current: 1 }, etaSeconds: 5, pollAfterSeconds: 1 })
    expect(gist(info({ progress: { current: 1 }, etaSeconds: 4, pollAfterSeconds: 2 }))).toBe(gist(now))
    expect(gist(info({ progress: { current: 2 } }))).not.toBe(gist(now))
    expect(gist(info({ progress: { current: 1 }, inputRequests: { a: question } }))).not.toBe(gist(now))
    expect(gist(info({ status: 'cancelled', progress: { current: 1 } }))).not.toBe(gist(now))
  })
})
