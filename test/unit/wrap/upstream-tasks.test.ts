import { describe, expect, it } from 'vitest'
import { InputUnavailable } from '../../../src/core/errors.ts'
import type { ProgressReport, TaskContext } from '../../../src/core/handler.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import type { Channel } from '../../../src/wrap/channels/channel.ts'
import { createLog } from '../../../src/wrap/log.ts'
import { isRequest, type RpcError, type RpcMessage } from '../../../src/wrap/rpc.ts'
import { UpstreamTasks } from '../../../src/wrap/upstream/tasks.ts'
import { Upstream } from '../../../src/wrap/upstream/upstream.ts'

type Answer = { result: JsonObject } | { error: RpcError } | 'never'
type Answers = (method: string, params: JsonObject) => Answer

/** A server at the other end of a channel, and what it was asked. */
async function serverThat(answers: Answers) {
  const asked: Array<{ method: string; params: JsonObject }> = []
  const channel: Channel = {
    onmessage: undefined,
    onclose: undefined,
    onerror: undefined,
    pause: () => {},
    resume: () => {},
    start: async () => {},
    close: async () => {},
    async send(message: RpcMessage) {
      if (!isRequest(message)) return
      const { id, method, params = {} } = message
      asked.push({ method, params })
      const answer = answers(method, params)
      if (answer !== 'never') queueMicrotask(() => channel.onmessage?.({ jsonrpc: '2.0', id, ...answer }))
    },
  }
  const upstream = new Upstream(async () => channel, createLog({ level: 'silent', json: false }))
  await upstream.start()
  const tasks = new UpstreamTasks(upstream, false)
  tasks.learn({ capabilities: { tasks: { cancel: {}, requests: { tools: { call: {} } } } } })
  return { tasks, asked, methods: () => asked.map(({ method }) => method) }
}

function taskOf(overrides: Partial<TaskContext> = {}) {
  const reports: ProgressReport[] = []
  const task = {
    refId: 'cache:1',
    attempt: 1,
    signal: new AbortController().signal,
    progress: (report: ProgressReport) => void reports.push(report),
    elicit: async () => ({ action: 'accept', content: { yes: true } }),
    sample: async () => ({ model: 'test' }),
    ...overrides,
  } as unknown as TaskContext
  return { task, reports }
}

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {
    elicitation: {},
    extensions: { 'io.modelcontextprotocol/tasks': {} },
  },
}
const modern = { name: 'job', _meta: META }
const TASK = { taskId: 'theirs', pollIntervalMs: 1, pollInterval: 1 }
const created = { result: { resultType: 'task', ...TASK, status: 'working' } }
const question = (method: string, params: JsonObject = { message: 'Sure?' }) => ({
  result: { ...TASK, status: 'input_required', inputRequests: { sure: { method, params } } },
})
const done = { result: { ...TASK, status: 'completed', result: { content: [] } } }
const unknown = { error: { code: -32602, message: 'No such task' } }

describe('a task of the wrapped server', () => {
  it('that it has forgotten is lost, and needs no cancellation', async () => {
    const { tasks, methods } = await serverThat(method => (method === 'tools/call' ? created : unknown))
    await expect(tasks.call(modern, false, taskOf().task)).rejects.toMatchObject({ code: 'worker_lost' })
    expect(methods()).toEqual(['tools/call', 'tasks/get'])
  })

  it('outlives a poll that fails', async () => {
    let polls = 0
    const { tasks } = await serverThat(method => {
      if (method === 'tools/call') return created
      return ++polls === 1 ? { error: { code: -32603, message: 'not now' } } : done
    })
    expect(await tasks.call(modern, false, taskOf().task)).toMatchObject({ result: { content: [] } })
    expect(polls).toBe(2)
  })

  it('that the server itself cancelled has failed for us', async () => {
    const { tasks } = await serverThat(method =>
      method === 'tools/call' ? created : { result: { ...TASK, status: 'cancelled' } },
    )
    await expect(tasks.call(modern, false, taskOf().task)).rejects.toThrow('cancelled the task')
  })

  it('ends with the error of JSON-RPC that it ended with', async () => {
    const error = { code: -32050, message: 'broken', data: { part: 7 } }
    const { tasks } = await serverThat(method =>
      method === 'tools/call' ? created : { result: { ...TASK, status: 'failed', error } },
    )
    expect(await tasks.call(modern, false, taskOf().task)).toMatchObject({ error })
  })

  it('asks once, however often its question is seen', async () => {
    let asked = 0
    let updates = 0
    const { tasks } = await serverThat((method, params) => {
      if (method === 'tools/call') return created
      if (method === 'tasks/get') return updates < 2 ? question('sampling/createMessage') : done
      updates++
      expect(params.inputResponses).toEqual({ sure: { model: 'test' } })
      return { result: {} }
    })
    const sample = async () => {
      asked++
      return { model: 'test' }
    }
    expect(await tasks.call(modern, false, taskOf({ sample }).task)).toMatchObject({ result: {} })
    expect([asked, updates]).toEqual([1, 2])
  })

  it.each([
    ['asks for what a task cannot be given', 'roots/list', {}, 'cannot be given'],
    [
      'asks whom nobody can ask',
      'elicitation/create',
      { elicit: () => Promise.reject(new InputUnavailable()) },
      'asked',
    ],
  ])('that %s fails, and is cancelled there', async (_, method, overrides, message) => {
    const { tasks, methods } = await serverThat(asked =>
      asked === 'tools/call' ? created : asked === 'tasks/get' ? question(method) : { result: {} },
    )
    await expect(tasks.call(modern, false, taskOf(overrides).task)).rejects.toThrow(message)
    expect(methods().at(-1)).toBe('tasks/cancel')
  })

  it('is declared for, on behalf of clients that know no tasks, where they cannot be asked anyway', async () => {
    const { tasks, asked } = await serverThat(() => ({ result: { content: [] } }))
    const _meta = { ...META, 'io.modelcontextprotocol/clientCapabilities': { roots: {} } }
    await tasks.call({ ...modern, _meta }, false, taskOf().task)
    expect(asked[0]?.params._meta).toMatchObject({
      'io.modelcontextprotocol/clientCapabilities': {
        roots: {},
        extensions: { 'io.modelcontextprotocol/tasks': {} },
      },
    })
  })
})

describe('a task of 2025-11-25', () => {
  const begun = { result: { task: { ...TASK, status: 'working' } } }

  it('that nobody wants any more before it has an id is cancelled when it has one', async () => {
    const stop = new AbortController()
    const { tasks, asked } = await serverThat(method => {
      if (method === 'tools/call') stop.abort(new Error('enough'))
      return method === 'tools/call' ? begun : { result: {} }
    })
    await expect(tasks.call({ name: 'job' }, true, taskOf({ signal: stop.signal }).task)).rejects.toThrow(
      'enough',
    )
    expect(asked.map(({ method }) => method)).toEqual(['tools/call', 'tasks/cancel'])
    expect(asked[1]?.params).toEqual({ taskId: 'theirs' })
  })

  it('is over when its result is there, and not an interval later', async () => {
    let over = false
    const patient = { ...TASK, pollInterval: 60_000 }
    const { tasks, methods } = await serverThat(method => {
      if (method === 'tools/call') return { result: { task: { ...patient, status: 'working' } } }
      if (method === 'tasks/get') return { result: { ...patient, status: over ? 'completed' : 'working' } }
      over = true
      return { result: { content: [], _meta: { 'io.modelcontextprotocol/related-task': { taskId: 'x' } } } }
    })
    const response = await tasks.call({ name: 'job' }, true, taskOf().task)
    expect(response).toMatchObject({ result: { content: [] } })
    // The id of a task that nobody else knows of stays here.
    expect('result' in response && response.result._meta).toBeUndefined()
    expect(methods()).toEqual(['tools/call', 'tasks/result', 'tasks/get'])
  })

  it('is polled where the server refuses to wait, and says what it is at', async () => {
    const words = ['first', 'second', 'second']
    let at = 0
    const { tasks } = await serverThat(method => {
      if (method === 'tools/call') return begun
      if (method === 'tasks/get') {
        const statusMessage = words[at++]
        return {
          result: {
            ...TASK,
            status: statusMessage ? 'working' : 'completed',
            statusMessage: statusMessage ?? 'done',
          },
        }
      }
      return at <= words.length
        ? { error: { code: -32600, message: 'not yet' } }
        : { result: { content: [] } }
    })
    const { task, reports } = taskOf()
    expect(await tasks.call({ name: 'job' }, true, task)).toMatchObject({ result: { content: [] } })
    expect(reports.map(({ message }) => message)).toEqual(['first', 'second', 'done'])
  })

  it.each([
    ['what it says itself', 'no result was kept', 'the disk is full', 'the disk is full'],
    ['what the call would have', 'the disk is full', 'the disk is full', undefined],
  ])('that failed has failed with %s', async (_, message, statusMessage, thrown) => {
    const { tasks } = await serverThat(method => {
      if (method === 'tools/call') return begun
      if (method === 'tasks/get') return { result: { ...TASK, status: 'failed', statusMessage } }
      return { error: { code: -32050, message } }
    })
    const call = tasks.call({ name: 'job' }, true, taskOf().task)
    if (thrown) await expect(call).rejects.toMatchObject({ code: 'task_failed', message: thrown })
    else expect(await call).toMatchObject({ error: { code: -32050, message } })
  })

  it('is made of no call that the tool does not offer it for, nor of one that the server answers at once', async () => {
    const { tasks, asked } = await serverThat(() => ({ result: { content: [] } }))
    expect(await tasks.call({ name: 'job' }, false, taskOf().task)).toMatchObject({ result: { content: [] } })
    expect(await tasks.call({ name: 'job' }, true, taskOf().task)).toMatchObject({ result: { content: [] } })
    expect(asked.map(({ params }) => params.task)).toEqual([undefined, {}])
  })
})
