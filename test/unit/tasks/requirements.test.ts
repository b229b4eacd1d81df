import { afterAll, describe, expect, it } from 'vitest'
import { TASKS, type TaskRequirement } from './requirements.ts'
import { type Json, type Kind, type TaskScene, taskScene } from './scene.ts'

/** Every requirement of `requirements.ts`, on the wire. */

const RELATED = 'io.modelcontextprotocol/related-task'
const KINDS: Kind[] = ['attachRefCache', 'wrap']
const tested = new Set<string>()

function requirement(kind: Kind, name: TaskRequirement, test: () => Promise<void>): void {
  tested.add(`${kind} ${name}`)
  const { from, section, says } = TASKS[name]
  it(`${says} (${from}: ${section})`, test)
}

afterAll(() => {
  const all = KINDS.flatMap(kind => Object.keys(TASKS).map(name => `${kind} ${name}`))
  expect([...tested].sort()).toEqual(all.sort())
})

/** A call as a task of 2025-11-25. */
async function begin({ ask }: TaskScene, name: string, args: object = {}): Promise<Json> {
  const { task } = await ask('tools/call', { name, arguments: args, task: {} })
  expect(task.status).toBe('working')
  return task
}

/** A call that becomes a task of 2026-07-28. */
async function slow({ ask }: TaskScene, name: string, args: object = {}): Promise<string> {
  const task = await ask('tools/call', { name, arguments: args })
  expect(task).toMatchObject({ resultType: 'task', status: 'working' })
  return task.taskId
}

const isQuestion = ({ method }: Json) => method === 'elicitation/create'
const ADA = { action: 'accept', content: { name: 'Ada' } }

describe.each(KINDS)('2025-11-25, %s', kind => {
  const open = () => taskScene(kind, '2025-11-25')
  const requires = (name: TaskRequirement, test: () => Promise<void>) => requirement(kind, name, test)

  requires('unique-ids', async () => {
    const scene = await open()
    const [first, second] = [await begin(scene, 'work'), await begin(scene, 'work')]
    expect(second.taskId).not.toBe(first.taskId)
    await expect.poll(() => scene.work.runs).toBe(1)
    scene.work.end.resolve('done')
    for (const { taskId } of [first, second]) {
      const result = await scene.ask('tasks/result', { taskId })
      expect(result).toMatchObject({ content: [{ text: 'done' }], _meta: { [RELATED]: { taskId } } })
    }
    expect(scene.work.runs).toBe(1)
  })

  requires('own-cancel', async () => {
    const scene = await open()
    const [first, second] = [await begin(scene, 'work'), await begin(scene, 'work')]
    await expect.poll(() => scene.work.runs).toBe(1)
    const { taskId } = second
    expect(await scene.ask('tasks/cancel', { taskId })).toMatchObject({ taskId, status: 'cancelled' })
    expect(await scene.ask('tasks/get', { taskId: first.taskId })).toMatchObject({ status: 'working' })
    scene.work.end.resolve('done')
    expect(await scene.ask('tasks/result', { taskId: first.taskId })).toMatchObject({
      content: [{ text: 'done' }],
    })
    expect(await scene.ask('tasks/get', { taskId })).toMatchObject({ status: 'cancelled' })
  })

  requires('terminal', async () => {
    const scene = await open()
    const { taskId } = await begin(scene, 'work')
    await scene.ask('tasks/cancel', { taskId })
    const retry = { name: 'retry_task', arguments: { ref_id: taskId } }
    const { structuredContent } = await scene.ask('tools/call', retry)
    expect(structuredContent).toMatchObject({ status: 'pending', retry_of: taskId })
    expect(structuredContent.ref_id).not.toBe(taskId)
    expect(await scene.ask('tasks/get', { taskId })).toMatchObject({ status: 'cancelled' })
    const poll = { name: 'get_cached_result', arguments: { ref_id: taskId, wait_seconds: 0 } }
    expect((await scene.ask('tools/call', poll)).structuredContent).toMatchObject({
      status: 'cancelled',
      retried_as: structuredContent.ref_id,
    })
  })

  requires('cancel-terminal', async () => {
    const scene = await open()
    const { taskId } = await begin(scene, 'work')
    await scene.ask('tasks/cancel', { taskId })
    expect((await scene.ask('tasks/cancel', { taskId })).error).toMatchObject({ code: -32602 })
  })

  requires('input-required', async () => {
    const scene = await open()
    const { taskId } = await begin(scene, 'ask')
    const result = scene.ask('tasks/result', { taskId })
    const question = await scene.until(isQuestion)
    expect(question.params._meta).toMatchObject({ [RELATED]: { taskId } })
    expect(await scene.ask('tasks/get', { taskId })).toMatchObject({ status: 'input_required' })
    scene.send({ id: question.id, result: ADA })
    expect(await result).toMatchObject({ content: [{ text: 'Hello, Ada!' }] })
    const statuses = scene.got.flatMap(({ method, params }) =>
      method === 'notifications/tasks/status' ? [params.status] : [],
    )
    expect(statuses).toContain('input_required')
    expect(scene.got.filter(isQuestion)).toHaveLength(1)
  })

  requires('asked-unasked', async () => {
    const scene = await open()
    const { taskId } = await begin(scene, 'ask')
    const question = await scene.until(isQuestion)
    expect(question.params._meta).toMatchObject({ [RELATED]: { taskId } })
    // What the connection has asked, it does not ask again.
    const result = scene.ask('tasks/result', { taskId })
    await scene.ask('tasks/get', { taskId })
    scene.send({ id: question.id, result: ADA })
    expect(await result).toMatchObject({ content: [{ text: 'Hello, Ada!' }] })
    expect(scene.got.filter(isQuestion)).toHaveLength(1)
  })

  requires('related', async () => {
    const scene = await open()
    const { taskId } = await begin(scene, 'work')
    expect(await scene.ask('tasks/get', { taskId })).not.toHaveProperty('_meta')
    scene.work.end.resolve('done')
    expect((await scene.ask('tasks/result', { taskId }))._meta[RELATED]).toEqual({ taskId })
  })

  requires('immediate-response', async () => {
    const { ask } = await open()
    const { task, _meta } = await ask('tools/call', { name: 'work', arguments: {}, task: {} })
    const said = _meta['io.modelcontextprotocol/model-immediate-response']
    expect(said).toContain(task.taskId)
    expect(said).toContain('get_cached_result')
  })

  requires('cursor', async () => {
    const { ask } = await open()
    for (const cursor of ['nonsense', '', 'server:', 7, null, {}]) {
      expect((await ask('tasks/list', { cursor })).error, String(cursor)).toMatchObject({ code: -32602 })
    }
  })

  requires('listed', async () => {
    const scene = await open()
    const ids = [await begin(scene, 'work'), await begin(scene, 'work')].map(({ taskId }) => taskId)
    const { tasks } = await scene.ask('tasks/list')
    expect(tasks.map(({ taskId }: Json) => taskId)).toEqual(expect.arrayContaining(ids))
  })
})

describe.each(KINDS)('2026-07-28, %s', kind => {
  const open = () => taskScene(kind, '2026-07-28')
  const requires = (name: TaskRequirement, test: () => Promise<void>) => requirement(kind, name, test)

  requires('quick-question', async () => {
    const { ask } = await open()
    const answer = await ask('tools/call', { name: 'ask', arguments: {} })
    expect(answer).toMatchObject({ resultType: 'input_required' })
    expect(answer).not.toHaveProperty('taskId')
    const questions = Object.values(answer.inputRequests)
    expect(questions).toMatchObject([
      { method: 'elicitation/create', params: { message: 'What is your name?' } },
    ])
  })

  requires('goes-on', async () => {
    const { ask } = await open()
    const call = { name: 'ask', arguments: {} }
    const { inputRequests } = await ask('tools/call', call)
    const [key = ''] = Object.keys(inputRequests)
    const wrong = { [key]: { action: 'accept', content: { name: 7 } } }
    expect((await ask('tools/call', { ...call, inputResponses: wrong })).error).toMatchObject({
      code: -32602,
    })
    const answer = await ask('tools/call', { ...call, inputResponses: { [key]: ADA } })
    expect(answer).toMatchObject({ resultType: 'complete', content: [{ text: 'Hello, Ada!' }] })
  })

  requires('update-answers', async () => {
    const scene = await open()
    const taskId = await slow(scene, 'ask', { later: true })
    const get = () => scene.ask('tasks/get', { taskId })
    await expect.poll(get).toMatchObject({ status: 'input_required' })
    const [key = ''] = Object.keys((await get()).inputRequests)
    for (const inputResponses of [
      'yes',
      [],
      null,
      7,
      {},
      { [key]: 'yes' },
      { [key]: { action: 'accept', content: {} } },
    ]) {
      const { error } = await scene.ask('tasks/update', { taskId, inputResponses })
      expect(error, JSON.stringify(inputResponses)).toMatchObject({ code: -32602 })
    }
    expect(await get()).toMatchObject({ status: 'input_required' })
    expect(await scene.ask('tasks/update', { taskId, inputResponses: { [key]: ADA } })).toMatchObject({
      resultType: 'complete',
    })
    await expect
      .poll(get)
      .toMatchObject({ status: 'completed', result: { content: [{ text: 'Hello, Ada!' }] } })
  })

  requires('final-2026', async () => {
    const scene = await open()
    const taskId = await slow(scene, 'work')
    await scene.ask('tasks/cancel', { taskId })
    const retry = { name: 'retry_task', arguments: { ref_id: taskId } }
    const { structuredContent } = await scene.ask('tools/call', retry)
    expect(structuredContent).toMatchObject({ retry_of: taskId })
    expect(await scene.ask('tasks/get', { taskId })).toMatchObject({ status: 'cancelled' })
  })
})
