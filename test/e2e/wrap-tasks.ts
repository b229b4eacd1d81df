import { resultFromTaskOutcome, type SerializedTaskReference } from '@modelcontextprotocol/ext-tasks/client'
import { beforeEach, describe, expect, it } from 'vitest'
import { until, type Workshop } from './fixtures/wrap-harness.ts'
import {
  type Connected,
  type ConnectOptions,
  type Era,
  gateIn,
  overHttp,
  overProcess,
  overStdio,
  serverOf,
} from './fixtures/wrap-task-clients.ts'

/** What a task client has of a wrapped server, over either transport, at either revision of either side. */

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
export type Answer = Record<string, any>

type Upstream = readonly [client: Era, wire: 'stdio' | 'HTTP', server: Era, ownTasks: boolean]

/** One of each kind, for every change. */
export const QUICK: readonly Upstream[] = [
  ['2025-11-25', 'stdio', '2025-11-25', true],
  ['2026-07-28', 'stdio', '2026-07-28', true],
  ['2026-07-28', 'stdio', '2025-11-25', false],
]

export const SLOW: readonly Upstream[] = [
  ['2025-11-25', 'stdio', '2025-11-25', false],
  ['2025-11-25', 'HTTP', '2025-11-25', true],
  ['2025-11-25', 'HTTP', '2025-11-25', false],
  ['2026-07-28', 'stdio', '2026-07-28', false],
]

const TITLE = 'a task client at %s on %s, in front of a server of %s that has tasks: %s'

export const preferenceAt = (era: Era) =>
  ({ task: { preference: era === '2025-11-25' ? 'prefer' : 'allow' } }) as const

export async function begin(
  { session }: Connected,
  era: Era,
  tool: string,
  args: Record<string, string> = {},
) {
  const execution = await session.callTool(tool, args, preferenceAt(era))
  if (execution.kind !== 'task') throw new Error('no task')
  return execution
}

/** A tool's text, wherever the server has put it. */
export const shown = (result: unknown) => JSON.stringify(result)

export function taskUpstreams(upstreams: readonly Upstream[], currentWorkshop: () => Workshop): void {
  let workshop: Workshop
  beforeEach(() => {
    workshop = currentWorkshop()
  })

  async function wrapOnHttp(command: readonly string[], env: Record<string, string>): Promise<URL> {
    const wrap = ['wrap', '--http', '0', '--store', workshop.store, '--', ...command]
    const raw = workshop.process(wrap, env)
    return new URL(/on (http:\S+)/.exec(await raw.ready())?.[1] ?? '')
  }

  describe.each(upstreams)(TITLE, (era, wire, server, ownTasks) => {
    const connect = async (): Promise<Connected> => {
      if (wire === 'stdio') return overStdio(workshop, era, serverOf(server), { ownTasks })
      return overHttp(workshop, await wrapOnHttp(serverOf(server), ownTasks ? { OWN_TASKS: '1' } : {}))
    }

    it('is given a reference as its task: it works, says what the server says, and has the result', async () => {
      const connected = await connect()
      const { gate, open } = gateIn(workshop)
      const execution = await begin(connected, era, 'job', { gate })
      const { taskId } = execution.handle
      expect(taskId).toMatch(/^wrap-tasks-202[56]:[0-9a-f]{32}$/)
      const task = connected.session.task(taskId)
      await expect
        .poll(async () => (await task.snapshot()).raw)
        .toMatchObject({
          status: 'working',
          statusMessage: expect.stringContaining('half of it'),
        })
      open({ value: 'all of it' })
      const { outcome } = await execution.settle()
      const result = resultFromTaskOutcome(outcome) as Answer
      expect(shown(result)).toContain('all of it')
      expect(result._meta?.['mcp-refcache/ref_id']).toBe(taskId)
      expect(workshop.journal('begin')).toHaveLength(1)
    })

    it('hears why the work failed', async () => {
      const connected = await connect()
      const { gate, open } = gateIn(workshop)
      const execution = await begin(connected, era, 'job', { gate })
      open({ error: 'the disk is full' })
      const { outcome } = await execution.settle()
      expect(shown(outcome)).toContain('the disk is full')
      expect(outcome.status).toBe(era === '2025-11-25' ? 'failed' : 'completed')
    })

    it('cancels the work at the server with its task', async () => {
      const connected = await connect()
      const execution = await begin(connected, era, 'job', { gate: gateIn(workshop).gate })
      await until(() => workshop.journal('begin')[0], 'the work to begin')
      await execution.cancel()
      expect((await execution.settle()).outcome.status).toBe('cancelled')
      await until(() => workshop.journal('aborted')[0], 'the work to be aborted')
    })

    it('passes on what the server asks in the middle of its work', async () => {
      const connected = await connect()
      expect(connected.client.getNegotiatedProtocolVersion()).toBe(era)
      const execution = await connected.session.callTool('greet', {}, preferenceAt(era))
      const { outcome } = await execution.settle()
      expect(shown(resultFromTaskOutcome(outcome))).toContain('Hello, Ada!')
    })
  })
}

type Server = readonly [server: Era, ownTasks: boolean]

/** With tasks and without, and at each revision. */
export const QUICK_SERVERS: readonly Server[] = [
  ['2025-11-25', true],
  ['2026-07-28', false],
]

export const SLOW_SERVERS: readonly Server[] = [
  ['2025-11-25', false],
  ['2026-07-28', true],
]

/** Clients that know no tasks, and wrappers that are killed. */
export function handlesAndRestarts(servers: readonly Server[], currentWorkshop: () => Workshop): void {
  let workshop: Workshop
  beforeEach(() => {
    workshop = currentWorkshop()
  })

  describe.each(servers)('on stdio at %s, the server having tasks: %s', (era, ownTasks) => {
    const connect = (options: ConnectOptions = {}) =>
      overStdio(workshop, era, serverOf(era), { ownTasks, ...options })

    it('a client that knows no tasks calls the same tool: a handle, progress, the result', async () => {
      const { client } = await connect({ wrap: ['--async-timeout', '100ms'] })
      await client.listTools()
      const { gate, open } = gateIn(workshop)
      const handle = ((await client.callTool({ name: 'job', arguments: { gate } })) as Answer)
        .structuredContent
      expect(handle.status).toBe('processing')
      const poll = async (wait: number) => {
        const args = { ref_id: handle.ref_id, wait_seconds: wait }
        return (await client.callTool({ name: 'get_cached_result', arguments: args })) as Answer
      }
      await expect.poll(async () => (await poll(0)).structuredContent.progress?.message).toContain('half')
      open({ value: 'all of it' })
      const result = await poll(20)
      expect(result._meta).toMatchObject({ 'mcp-refcache/ref_id': handle.ref_id })
      expect(shown(result)).toContain('all of it')
      expect(workshop.journal('begin')).toHaveLength(1)
    })

    it('a client that knows no tasks cancels by the handle, and the server stops', async () => {
      const { client } = await connect({ wrap: ['--async-timeout', '100ms'] })
      await client.listTools()
      const call = { name: 'job', arguments: { gate: gateIn(workshop).gate } }
      const { ref_id } = ((await client.callTool(call)) as Answer).structuredContent
      await until(() => workshop.journal('begin')[0], 'the work to begin')
      await client.callTool({ name: 'cancel_task', arguments: { ref_id } })
      await until(() => workshop.journal('aborted')[0], 'the work to be aborted')
    })

    it('a kept task id leads to the result after the wrapper was killed and started again', async () => {
      const restart = () => overProcess(workshop, era, serverOf(era), { ownTasks, wrap: ['--lease', '2s'] })
      const first = await restart()
      await first.client.listTools()
      const { gate, open } = gateIn(workshop)
      const execution = await begin(first, era, 'job', { gate })
      const kept = JSON.stringify(execution.serializeReference())
      await execution.detach()
      await until(() => workshop.journal('begin')[0], 'the work to begin')
      await first.kill()

      const second = await restart()
      await second.client.listTools()
      open({ value: 'all of it' })
      const reference = JSON.parse(kept) as SerializedTaskReference
      const { outcome } = await (await second.session.resumeTask(reference)).settle()
      expect(shown(resultFromTaskOutcome(outcome))).toContain('all of it')
    })
  })
}
