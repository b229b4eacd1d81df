import { join } from 'node:path'
import { resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING, until, Workshop } from './fixtures/wrap-harness.ts'
import { gateIn, overStdio, serveHttp, serverOf } from './fixtures/wrap-task-clients.ts'
import {
  type Answer,
  begin,
  handlesAndRestarts,
  preferenceAt,
  QUICK,
  QUICK_SERVERS,
  shown,
  taskUpstreams,
} from './wrap-tasks.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

taskUpstreams(QUICK, () => workshop)
handlesAndRestarts(QUICK_SERVERS, () => workshop)

it('a task client at 2026-07-28 on stdio, in front of a server that knows neither: slow, asked, failing', async () => {
  const connected = await overStdio(workshop, '2026-07-28', [...EVERYTHING, 'stdio'])
  expect(connected.client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
  const settled = async (tool: string, args: Record<string, string | number>) => {
    const execution = await connected.session.callTool(tool, args, preferenceAt('2026-07-28'))
    return { kind: execution.kind, outcome: (await execution.settle()).outcome }
  }
  const slow = await settled('trigger-long-running-operation', { duration: 2, steps: 4 })
  expect(slow.kind).toBe('task')
  expect(shown(resultFromTaskOutcome(slow.outcome))).toContain('completed')
  const asked = await settled('trigger-elicitation-request', {})
  expect(shown(resultFromTaskOutcome(asked.outcome))).toContain('Ada')
  const failing = await settled('get-sum', { a: 'no number' })
  expect(shown(resultFromTaskOutcome(failing.outcome))).toContain('isError')
})

describe('a server of 2026-07-28 over HTTP, with tasks of its own', () => {
  const era = '2026-07-28'
  const connect = async (wrap: readonly string[] = []) =>
    overStdio(workshop, era, [], { wrap: ['--url', await serveHttp(workshop), '--name', 'far', ...wrap] })

  it('is followed, asked and answered', async () => {
    const connected = await connect()
    const { gate, open } = gateIn(workshop)
    const execution = await begin(connected, era, 'job', { gate })
    expect(execution.handle.taskId).toMatch(/^far:/)
    open({ value: 'from afar' })
    expect(shown(await execution.settle())).toContain('from afar')
    const asking = await connected.session.callTool('greet')
    expect(shown(await asking.settle())).toContain('Hello, Ada!')
  })

  it('stops when the task is cancelled, by a client that knows none, too', async () => {
    const connected = await connect(['--async-timeout', '100ms'])
    const { handle } = await begin(connected, era, 'job', { gate: gateIn(workshop).gate })
    const call = { name: 'job', arguments: { gate: gateIn(workshop).gate } }
    const { ref_id } = ((await connected.client.callTool(call)) as Answer).structuredContent
    await until(() => workshop.journal('begin')[1], 'both to begin')
    await connected.session.task(handle.taskId).cancel()
    await connected.client.callTool({ name: 'cancel_task', arguments: { ref_id } })
    await until(() => workshop.journal('aborted')[1], 'both to be aborted')
  })
})

it('a task of a server that is killed, started again, and still knows it, goes on', async () => {
  const era = '2026-07-28'
  const env = { SERVER_STORE: join(workshop.folder, 'server.db') }
  const connected = await overStdio(workshop, era, serverOf(era), { ownTasks: true, env, ownProcess: true })
  const { gate, open } = gateIn(workshop)
  const execution = await begin(connected, era, 'job', { gate })
  const [begun] = await until(() => workshop.journal('begin'), 'the work to begin')
  process.kill(begun?.pid ?? 0, 'SIGKILL')
  await until(() => workshop.journal('begin')[1], 'the server to take its work up again')
  open({ value: 'after all' })
  expect(shown(await execution.settle())).toContain('after all')
})
