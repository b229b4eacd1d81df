import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { AsyncTaskResponse, CallResponse } from '../../../src/core/response.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { ADAPTERS } from '../../../src/ref-cache-adapters.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { deferred } from './scene.ts'

const ada = actor.user({ id: 'ada' })
const form = (message: string) => ({ message, requestedSchema: { type: 'object', properties: {} } })
const yes = { action: 'accept', content: { sure: true, names: ['a', 'ß', '\u0000'], none: null } } as const

let folder: string
let caches: RefCache[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-'))
  caches = []
})

afterEach(async () => {
  await Promise.all(caches.map(cache => cache.close()))
  await rm(folder, { recursive: true })
})

/** A cache as a process has it, and its tool that asks two things. */
function open({ idempotent = true } = {}) {
  const cache = new RefCache({
    name: 't',
    store: sqliteStore(join(folder, 'cache.db')),
    sweepInterval: '50ms',
  })
  caches.push(cache)
  const runs: number[] = []
  const tool = cache.cached(
    { name: 'ask', asyncTimeout: 0, idempotent },
    async (_: object, task: TaskContext) => {
      runs.push(task.attempt)
      return [await task.elicit(form('first?')), await task.elicit(form('second?'))]
    },
  )
  return { cache, tool, runs }
}

/** The status of a task once it is as `condition` says. */
async function once(
  cache: RefCache,
  refId: string,
  condition: (status: CallResponse) => boolean,
): Promise<AsyncTaskResponse> {
  for (;;) {
    const changed = deferred<void>()
    const end = await cache.watch(refId, { actor: ada }, changed.resolve)
    try {
      const status = await cache.taskStatus(refId, { actor: ada })
      if (condition(status)) return status as AsyncTaskResponse
      await changed.promise
    } finally {
      end()
    }
  }
}

const waitsFor = (key: string) => (status: CallResponse) =>
  status.status !== 'complete' && status.inputRequests?.[key] !== undefined

const wait = { wait: '20s', actor: ada, full: true } as const

it('a question that is asked in one process is answered in another', async () => {
  const [one, other] = [open(), open()]
  const { refId } = await one.tool({}, { actor: ada, interactive: true })
  const { inputRequests } = await once(other.cache, refId, waitsFor('elicit-1'))
  expect(inputRequests).toEqual({ 'elicit-1': { method: 'elicitation/create', params: form('first?') } })
  await other.cache.answerTask(refId, { 'elicit-1': yes }, { actor: ada })
  await once(other.cache, refId, waitsFor('elicit-2'))
  await other.cache.answerTask(refId, { 'elicit-2': { action: 'cancel' } }, { actor: ada })
  expect(await other.cache.get(refId, wait)).toMatchObject({ value: [yes, { action: 'cancel' }] })
  expect([...one.runs, ...other.runs]).toEqual([1])
})

it('an answer survives a restart, and so does a question that waits', async () => {
  const before = open()
  const { refId } = await before.tool({}, { actor: ada, interactive: true })
  await once(before.cache, refId, waitsFor('elicit-1'))
  await before.cache.answerTask(refId, { 'elicit-1': yes }, { actor: ada })
  await once(before.cache, refId, waitsFor('elicit-2'))
  await before.cache.close()

  const after = open()
  expect((await after.cache[ADAPTERS].taskInfo(refId, { actor: ada })).response).toHaveProperty(
    'inputRequests.elicit-2',
  )
  await once(after.cache, refId, ({ status }) => status === 'processing')
  await after.cache.answerTask(refId, { 'elicit-2': { action: 'decline' } }, { actor: ada })
  expect(await after.cache.get(refId, wait)).toMatchObject({ value: [yes, { action: 'decline' }] })
  expect(after.runs).toEqual([2])
})

it('a task that may not be run again by itself keeps its answers for a retry by hand', async () => {
  const before = open({ idempotent: false })
  const { refId } = await before.tool({}, { actor: ada, interactive: true })
  await once(before.cache, refId, waitsFor('elicit-1'))
  await before.cache.answerTask(refId, { 'elicit-1': yes }, { actor: ada })
  await once(before.cache, refId, waitsFor('elicit-2'))
  await before.cache.close()

  const after = open({ idempotent: false })
  expect(await after.cache.taskStatus(refId, { actor: ada })).toMatchObject({ errorCode: 'worker_lost' })
  await after.cache.retryTask(refId, { actor: ada })
  await once(after.cache, refId, waitsFor('elicit-3'))
  await after.cache.answerTask(refId, { 'elicit-3': yes }, { actor: ada })
  expect(await after.cache.get(refId, wait)).toMatchObject({ value: [yes, yes] })
})
