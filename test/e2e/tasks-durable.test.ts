import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { resultFromTaskOutcome, type SerializedTaskReference } from '@modelcontextprotocol/ext-tasks/client'
import { describe, expect, it, onTestFinished } from 'vitest'
import { gate, overHttp, startTasksServer, type TasksServer } from './fixtures/tasks-clients.ts'

/** A server on a file, which a test kills without warning, and the next one on the same file. */
function restartable() {
  const folder = mkdtempSync(`${tmpdir()}/tasks-`)
  const environment = { TASKS_SQLITE: `${folder}/cache.db` }
  let server: TasksServer | undefined
  onTestFinished(async () => {
    await server?.close()
    rmSync(folder, { recursive: true })
  })
  return {
    async start(): Promise<TasksServer> {
      server = await startTasksServer(environment)
      return server
    },
  }
}

const ERAS = [
  ['2026-07-28', 'auto'],
  ['2025-11-25', 'legacy'],
] as const

describe.each(ERAS)('a kept task id, after the server was killed, on %s', (_, era) => {
  const options = (user: string) => ({ user, endpointId: 'the server' })
  const asTask = { task: { preference: era === 'legacy' ? 'prefer' : 'allow' } } as const

  /** The task as a client keeps it over its own end. */
  async function begin(server: TasksServer, user: string, tool: string, args: Record<string, string>) {
    const { session, client } = await overHttp(server.url, era, options(user))
    const execution = await session.callTool(tool, args, asTask)
    if (execution.kind !== 'task') throw new Error('no task')
    const kept = JSON.stringify(execution.serializeReference())
    await execution.detach()
    await client.close()
    return JSON.parse(kept) as SerializedTaskReference
  }

  async function finish(server: TasksServer, user: string, reference: SerializedTaskReference) {
    const { session } = await overHttp(server.url, era, options(user))
    const { outcome } = await (await session.resumeTask(reference)).settle()
    return resultFromTaskOutcome(outcome).structuredContent
  }

  it('leads to the result: work that may be done again is taken up again', async () => {
    const { start } = restartable()
    const user = randomUUID()
    const { gate: path, open } = gate()
    const first = await start()
    const reference = await begin(first, user, 'job', { gate: path })
    await first.kill()
    const second = await start()
    open({ value: { n: 1 } })
    expect(await finish(second, user, reference)).toMatchObject({
      ref_id: reference.taskId,
      status: 'complete',
      value: { n: 1 },
    })
  })

  it('leads to a result that was there before the end', async () => {
    const { start } = restartable()
    const user = randomUUID()
    const { gate: path, open } = gate()
    const first = await start()
    const reference = await begin(first, user, 'job', { gate: path })
    open({ value: { n: 2 } })
    const { session } = await overHttp(first.url, era, options(user))
    await expect.poll(() => session.task(reference.taskId).snapshot()).toMatchObject({ status: 'completed' })
    await first.kill()
    expect(await finish(await start(), user, reference)).toMatchObject({ value: { n: 2 } })
  })
})

it('a question outlives the server that asked it', async () => {
  const { start } = restartable()
  const user = randomUUID()
  const first = await start()
  const before = await overHttp(first.url, 'auto', { user })
  const { gate: path, open } = gate()
  const execution = await before.session.callTool('greet', { gate: path })
  if (execution.kind !== 'task') throw new Error('no task')
  open({ value: 1 })
  await execution.detach()
  const { taskId } = execution.handle
  await first.kill()

  const second = await start()
  const { session } = await overHttp(second.url, 'auto', { user })
  const task = session.task(taskId)
  await expect
    .poll(async () => (await task.snapshot()).raw)
    .toMatchObject({
      status: 'input_required',
      inputRequests: { 'elicit-1': { method: 'elicitation/create' } },
    })
  await task.update({ 'elicit-1': { action: 'accept', content: { name: 'Ada' } } })
  const outcome = await task.result()
  expect(resultFromTaskOutcome(outcome).structuredContent).toMatchObject({ value: 'Hello, Ada!' })
})
