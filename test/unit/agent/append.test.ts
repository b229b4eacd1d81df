import { describe, expect, it, onTestFinished } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { clientOf2025, clientOf2026 } from '../../../src/agent/tasks/client.ts'
import { TaskService } from '../../../src/agent/tasks/service.ts'
import { pollingTools } from '../../../src/agent/tools/polling.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const ada = actor.agent({ id: 'ada' })
const extension = {
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
}

/** A task that has appended three rows, and how an agent asks for it. */
async function scene() {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock })
  onTestFinished(() => cache.close())
  let end: (value?: unknown) => void = () => {}
  let fail: (error: Error) => void = () => {}
  const begun = new Promise<TaskContext>(resolve => {
    const tool = cache.cached<object>({ name: 'crawl', asyncTimeout: 0, maxRetries: 0 }, (_, task) => {
      resolve(task)
      return new Promise((yes, no) => {
        end = yes
        fail = no
      })
    })
    void tool({}, { actor: ada })
  })
  const task = await begun
  await task.append([{ n: 1 }, { n: 2 }, { n: 3 }])
  const ask = async (args: JsonObject) => {
    const tool = pollingTools(cache).find(({ name }) => name === 'get_cached_result')
    const result = await tool?.handle({ ref_id: task.refId, wait_seconds: 0, ...args }, { actor: ada })
    expect(JSON.parse(result?.content[0]?.text ?? '')).toEqual(result?.structuredContent)
    return { ...result, body: result?.structuredContent }
  }
  return {
    clock,
    cache,
    task,
    ask,
    end: (value?: unknown) => end(value),
    fail: (error: Error) => fail(error),
  }
}

describe('get_cached_result of a value that grows', () => {
  it('says how much there is, and shows pages and parts of it', async () => {
    const { ask, task } = await scene()
    expect((await ask({})).body).toMatchObject({
      status: 'processing',
      is_complete: false,
      is_async: true,
      available: 3,
      is_growing: true,
      message: expect.stringContaining('page: 1'),
    })
    const page = await ask({ page: 1 })
    expect(page.body).toEqual({
      ref_id: task.refId,
      status: 'processing',
      is_complete: false,
      is_async: true,
      preview: [{ n: 1 }, { n: 2 }, { n: 3 }],
      preview_strategy: 'paginate',
      total_items: 3,
      original_size: expect.any(Number),
      preview_size: expect.any(Number),
      page: 1,
      total_pages: 1,
      page_unit: 'items',
      available: 3,
      is_growing: true,
      message: expect.stringContaining('so far'),
    })
    const part = await ask({ ref_id: `${task.refId}#/1` })
    expect(part.body).toMatchObject({ ref_id: `${task.refId}#/1`, preview: { n: 2 }, is_growing: true })
    expect((await ask({ full: true })).body).toMatchObject({ preview: [{ n: 1 }, { n: 2 }, { n: 3 }] })
    expect((await ask({ ref_id: `${task.refId}#/7` })).body).toMatchObject({
      error: { code: 'invalid_argument', message: expect.stringContaining('so far') },
    })
  })

  it('answers about a failed task with an error, and about what it had without one', async () => {
    const { ask, fail, clock } = await scene()
    fail(new Error('the site is down'))
    await clock.advance(0)
    const status = await ask({})
    expect(status).toMatchObject({ isError: true, body: { status: 'failed', available: 3, partial: true } })
    const page = await ask({ page: 1 })
    expect(page.isError).toBeUndefined()
    expect(page.body).toMatchObject({
      status: 'failed',
      partial: true,
      preview: [{ n: 1 }, { n: 2 }, { n: 3 }],
    })
    expect(page.body).not.toHaveProperty('error')
  })
})

describe.each([
  ['2025-11-25', clientOf2025()],
  ['2026-07-28', clientOf2026(extension)],
])('a native task of %s whose value grows', (_, client) => {
  it('says in its status how much there is, and has its result at the end', async () => {
    const { cache, task, end, clock } = await scene()
    const service = new TaskService(cache)
    const get = () =>
      service.answer(
        'tasks/get',
        { taskId: task.refId },
        { client, actor: ada, signal: new AbortController().signal },
      )
    expect(await get()).toMatchObject({ status: 'working', statusMessage: '3 there so far' })
    end([{ n: 4 }])
    await clock.advance(0)
    expect(await get()).toMatchObject({ status: 'completed' })
    expect(await cache.resolve(task.refId, { actor: ada })).toHaveLength(4)
  })
})
