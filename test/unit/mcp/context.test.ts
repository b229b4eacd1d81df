import {
  type AuthInfo,
  createMcpHandler,
  InMemoryTransport,
  type JSONRPCMessage,
  McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { z } from 'zod'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { type AttachedRefCache, attachRefCache } from '../../../src/mcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { deferred } from '../flow/scene.ts'

const REVISIONS = ['2025-11-25', '2026-07-28'] as const

type Request = (user: string, method: string, params: JsonObject) => Promise<JsonObject>

const authInfoOf = (user: string): AuthInfo => {
  return { token: `token of ${user}`, clientId: 'c', scopes: [], extra: { sub: user } }
}

/** A server of which each request says who sent it, as over HTTP. */
async function serve(revision: (typeof REVISIONS)[number], tools: (attached: AttachedRefCache) => void) {
  const clock = new FakeClock()
  const cache = new RefCache({ name: 't', clock })
  onTestFinished(() => cache.close())
  const create = () => {
    const server = new McpServer({ name: 'test', version: '1.0.0' }, { capabilities: { logging: {} } })
    tools(attachRefCache(server, cache))
    return server
  }
  const { request, heard } = revision === '2025-11-25' ? await connect(create) : overHttp(create)
  const call = (user: string, name: string, args: JsonObject = {}, more: JsonObject = {}) =>
    request(user, 'tools/call', { name, arguments: args, ...more })
  const refIdOf = (answer: JsonObject) => (answer.structuredContent as { ref_id: string }).ref_id
  return { clock, cache, call, refIdOf, heard }
}

interface Served {
  readonly request: Request
  /** All messages to the client. */
  readonly heard: JsonObject[]
}

async function connect(create: () => McpServer): Promise<Served> {
  const [client, serverSide] = InMemoryTransport.createLinkedPair()
  const server = create()
  await server.connect(serverSide)
  onTestFinished(() => server.close())
  const heard: JsonObject[] = []
  client.onmessage = message => void heard.push(message as unknown as JsonObject)
  await client.start()
  let lastId = 0
  const request: Request = async (user, method, params) => {
    const id = ++lastId
    const message = { jsonrpc: '2.0', id, method, params } as JSONRPCMessage
    await client.send(message, { authInfo: authInfoOf(user) } as object)
    const answer = () => heard.find(one => one.id === id)
    await expect.poll(answer, { interval: 5 }).toBeDefined()
    return answer()!.result as JsonObject
  }
  const clientInfo = { name: 'test', version: '1.0.0' }
  await request('nobody', 'initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
  await client.send({ jsonrpc: '2.0', method: 'notifications/initialized' })
  return { request, heard }
}

function overHttp(create: () => McpServer): Served {
  const handler = createMcpHandler(create)
  onTestFinished(() => handler.close())
  const heard: JsonObject[] = []
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/logLevel': 'info',
  }
  const request: Request = async (user, method, params) => {
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      'mcp-name': `${params.name}`,
    }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } })
    const posted = new globalThis.Request('http://localhost/mcp', { method: 'POST', headers, body })
    const response = await handler.fetch(posted, { authInfo: authInfoOf(user) })
    const text = await response.text()
    const lines = text.startsWith('{')
      ? [text]
      : [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => data!)
    const messages = lines.map(line => JSON.parse(line) as JsonObject)
    heard.push(...messages)
    return messages.at(-1)?.result as JsonObject
  }
  return { request, heard }
}

/** What a handler may tell of its request, and of who started it. */
const known = (task: TaskContext, context: ServerContext | undefined) => ({
  token: context?.http?.authInfo?.token ?? null,
  actor: task.actor.id ?? null,
})

describe.each(REVISIONS)('a handler of registerTool, at %s', revision => {
  it('is given the context of its request, and says things on it', async () => {
    const { call, heard } = await serve(revision, ({ registerTool }) => {
      registerTool(
        'whoami',
        { outputSchema: z.object({ token: z.string(), actor: z.string() }) },
        async (_, task, context) => {
          await context?.mcpReq.log('info', 'hello')
          return known(task, context) as { token: string; actor: string }
        },
      )
    })
    const answer = await call('ada', 'whoami')
    expect(answer.structuredContent).toEqual({ token: 'token of ada', actor: 'ada' })
    expect(heard).toContainEqual(expect.objectContaining({ method: 'notifications/message' }))
  })

  it('is given none when it begins after its request was answered', async () => {
    const finish = deferred()
    const seen: object[] = []
    const { call } = await serve(revision, ({ registerTool }) => {
      registerTool('slow', { asyncTimeout: 0, maxConcurrentTasks: 1 }, (_, task, context) => {
        seen.push(known(task, context))
        return finish.promise
      })
    })
    await call('ada', 'slow')
    await call('bob', 'slow')
    finish.resolve('done')
    await vi.waitFor(() => expect(seen).toHaveLength(2))
    expect(seen).toEqual([
      // It waited for nothing: it began during the request, which took the handle alone.
      { token: 'token of ada', actor: 'ada' },
      { token: null, actor: 'bob' },
    ])
  })

  it('is given none by a retry by hand, nor by one after the answer; the actor stays', async () => {
    const seen: object[] = []
    const { call, refIdOf, clock, cache } = await serve(revision, ({ registerTool }) => {
      registerTool('fails', { asyncTimeout: '2s', maxRetries: 2, retryDelay: '1.5s' }, (_, task, context) => {
        seen.push({ attempt: task.attempt, ...known(task, context) })
        throw new Error('busy')
      })
    })
    const answering = call('ada', 'fails')
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    await clock.advance('10s')
    const ref_id = refIdOf(await answering)
    await call('ada', 'retry_task', { ref_id })
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(3))
    expect(seen.slice(0, 4)).toEqual([
      { attempt: 1, token: 'token of ada', actor: 'ada' },
      { attempt: 2, token: 'token of ada', actor: 'ada' },
      { attempt: 3, token: null, actor: 'ada' },
      { attempt: 4, token: null, actor: 'ada' },
    ])
    await cache.cancelTask(ref_id, { actor: { type: 'system' } })
  })

  it('is given none of who joined it, nor of who is given its result', async () => {
    const finish = deferred()
    const work = vi.fn((task: TaskContext, context?: ServerContext) =>
      finish.promise.then(() => known(task, context)),
    )
    const { call } = await serve(revision, ({ registerTool }) => {
      registerTool('shared', { memoize: true, namespace: 'public' }, (_, task, context) =>
        work(task, context),
      )
    })
    const first = call('ada', 'shared')
    await vi.waitFor(() => expect(work).toHaveBeenCalled())
    const joined = call('bob', 'shared')
    finish.resolve(undefined)
    const answers = [await first, await joined, await call('carol', 'shared')]
    for (const { content } of answers) {
      expect(JSON.parse((content as { text: string }[])[0]!.text)).toEqual({
        token: 'token of ada',
        actor: 'ada',
      })
    }
    expect(work).toHaveBeenCalledTimes(1)
  })
})

it('a task of 2025-11-25 begins during the request that asked for it', async () => {
  const seen: object[] = []
  const { call } = await serve('2025-11-25', ({ registerTool }) => {
    registerTool('work', {}, (_, task, context) => {
      seen.push(known(task, context))
      return 1
    })
  })
  expect(await call('ada', 'work', {}, { task: {} })).toMatchObject({ task: { status: 'working' } })
  await vi.waitFor(() => expect(seen).toEqual([{ token: 'token of ada', actor: 'ada' }]))
})

describe('what `prepare` gives for this process alone', () => {
  it('goes to the handler, beside the input that is checked and tells calls apart', async () => {
    const seen: unknown[] = []
    const { call } = await serve('2026-07-28', ({ registerTool }) => {
      registerTool(
        'fetch',
        {
          inputSchema: z.strictObject({ site: z.string(), user: z.string() }),
          memoize: true,
          prepare: async (args, { http }) => [{ ...args, user: 'u' }, { bearer: http?.authInfo?.token }],
        },
        (args, _task, _context, local) => {
          seen.push({ args, local })
          return 1
        },
      )
    })
    await call('ada', 'fetch', { site: 'a', user: 'x' })
    await call('ada', 'fetch', { site: 'a', user: 'y' })
    expect(seen).toEqual([{ args: { site: 'a', user: 'u' }, local: { bearer: 'token of ada' } }])
  })

  it('stays with the run when its request is over, and not with a retry by hand', async () => {
    const finish = deferred()
    const seen: unknown[] = []
    const { call, refIdOf, clock } = await serve('2025-11-25', ({ registerTool }) => {
      registerTool(
        'slow',
        { asyncTimeout: 0, maxConcurrentTasks: 1, maxRetries: 1, prepare: args => [args, 'token'] },
        async (_, task, context, local) => {
          seen.push([task.attempt, context !== undefined, local])
          await finish.promise
          throw new Error('busy')
        },
      )
    })
    await call('ada', 'slow')
    const ref_id = refIdOf(await call('bob', 'slow'))
    finish.resolve(undefined)
    await clock.advance('10s')
    await call('bob', 'retry_task', { ref_id })
    await clock.advance('10s')
    expect(seen).toEqual([
      [1, true, 'token'],
      [1, false, 'token'],
      [2, false, 'token'],
      [2, false, 'token'],
      [3, false, undefined],
      [4, false, undefined],
    ])
  })
})
