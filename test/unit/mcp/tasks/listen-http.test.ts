import { randomUUID } from 'node:crypto'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { expect, it, onTestFinished } from 'vitest'
import {
  attachRefCache,
  type TaskNotificationsOptions,
  withTaskNotifications,
} from '../../../../src/mcp/index.ts'
import { RefCache } from '../../../../src/ref-cache.ts'
import { FakeClock } from '../../../../src/testing/fake-clock.ts'

const CAPABILITIES = { extensions: { 'io.modelcontextprotocol/tasks': {} } }

/** A wrapped handler of the SDK, and a task that the test ends. */
async function scene(options: TaskNotificationsOptions = {}) {
  const cache = new RefCache({ name: 't' })
  const handler = withTaskNotifications(
    createMcpHandler(() => {
      const server = new McpServer({ name: 'test', version: '1.0.0' })
      attachRefCache(server, cache)
      return server
    }),
    options,
  )
  onTestFinished(async () => {
    await handler.close()
    await cache.close()
  })
  let finish: (value: string) => void = () => {}
  let report: (current: number) => void = () => {}
  const tool = cache.cached(
    { name: 'tool', asyncTimeout: 0 },
    (_, task) =>
      new Promise<string>(resolve => {
        finish = resolve
        report = current => task.progress(current, 10)
      }),
  )
  const { refId } = await tool({})
  await expect.poll(async () => (await cache.taskStatus(refId)).status).toBe('processing')
  const listen = async (notifications: object = { taskIds: [refId] }) =>
    new Stream(await handler.fetch(request(notifications)))
  return { handler, cache, refId, listen, report: (n: number) => report(n), finish: () => finish('done') }
}

function request(notifications: object): Request {
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
    'io.modelcontextprotocol/clientCapabilities': CAPABILITIES,
  }
  const body = {
    jsonrpc: '2.0',
    id: randomUUID(),
    method: 'subscriptions/listen',
    params: { notifications, _meta },
  }
  return new Request('http://localhost/mcp', {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'subscriptions/listen',
    },
    body: JSON.stringify(body),
  })
}

class Stream {
  text = ''
  readonly ended: Promise<void>
  readonly #reader: ReadableStreamDefaultReader<string>

  constructor(readonly response: Response) {
    this.#reader = response.body!.pipeThrough(new TextDecoderStream() as never).getReader() as never
    this.ended = this.#read()
  }

  async #read(): Promise<void> {
    for (;;) {
      const { done, value } = await this.#reader.read()
      if (done) return
      this.text += value
    }
  }

  leave = () => this.#reader.cancel()
}

const FULL = 'Subscription limit reached'

it('hands every other request on as it is', async () => {
  const seen: unknown[] = []
  const handler = withTaskNotifications({
    fetch: async (...given: unknown[]) => {
      seen.push(...given)
      return new Response('answer')
    },
  })
  const options = { authInfo: { token: 't', clientId: 'c', scopes: [] } }
  const get = new Request('http://localhost/mcp')
  const plain = request({ toolsListChanged: true })
  expect(await (await handler.fetch(get, options)).text()).toBe('answer')
  await handler.fetch(plain, options)
  expect(seen).toEqual([get, options, plain, options])
  expect(seen[0]).toBe(get)
  expect(seen[2]).toBe(plain)
  expect(plain.bodyUsed).toBe(false)
  expect(handler).not.toHaveProperty('close')
})

it('refuses more streams than it may have, until one of them is left', async () => {
  const { listen } = await scene({ maxSubscriptions: 1 })
  const first = await listen()
  await expect.poll(() => first.text).toContain('"status":"working"')
  const second = await listen()
  await second.ended
  expect(second.text).toContain(FULL)
  await first.leave()
  await expect
    .poll(async () => {
      const again = await listen()
      return again.response.headers.get('content-type')
    })
    .toBe('text/event-stream')
})

it('counts those streams, too, whose tasks are still looked for', async () => {
  const { handler, refId } = await scene({ maxSubscriptions: 3 })
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => handler.fetch(request({ taskIds: [refId] }))),
  )
  expect(answers.filter(({ ok }) => ok)).toHaveLength(3)
})

it('keeps no more than the latest for a client that does not read', async () => {
  const { handler, cache, refId, report, finish } = await scene()
  const response = await handler.fetch(request({ taskIds: [refId] }))
  for (let current = 1; current <= 10; current++) {
    report(current)
    await expect
      .poll(async () => (await cache.taskStatus(refId)) as object)
      .toMatchObject({ progress: { current } })
  }
  finish()
  await expect.poll(async () => (await cache.taskStatus(refId)).status).toBe('complete')
  const stream = new Stream(response)
  await stream.ended
  const told = stream.text.match(/notifications\/tasks"/g)
  expect(told?.length).toBeLessThanOrEqual(3)
  expect(stream.text).toContain('"status":"completed"')
  expect(stream.text.trimEnd().split('\n').at(-1)).toContain('"resultType":"complete"')
})

it('says nothing of being alive to a client that does not read', async () => {
  const clock = new FakeClock()
  const { handler, refId } = await scene({ clock, keepAlive: '10s' })
  const response = await handler.fetch(request({ taskIds: [refId] }))
  await clock.advance('10m')
  const stream = new Stream(response)
  await expect.poll(() => stream.text).toContain('"status":"working"')
  expect(stream.text.match(/: keepalive/g)).toBeNull()
})

it('leaves the stream of the SDK where the tasks cannot be looked for', async () => {
  let left = false
  const body = new ReadableStream({
    cancel() {
      left = true
    },
  })
  const handler = withTaskNotifications({
    fetch: async (asked: Request) => {
      if (asked.headers.get('mcp-method') === 'tasks/get') throw new Error('no such thing')
      return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
    },
  })
  const stream = new Stream(await handler.fetch(request({ taskIds: ['x'] })))
  await stream.ended
  expect([left, stream.text]).toEqual([true, ''])
})

it('shows that a stream is alive while there is nothing to tell', async () => {
  const clock = new FakeClock()
  const { listen } = await scene({ clock, keepAlive: '10s' })
  const stream = await listen()
  await expect.poll(() => stream.text).toContain('"status":"working"')
  await clock.advance(25_000)
  await expect.poll(() => stream.text.match(/: keepalive/g)).toHaveLength(2)
})

it('ends its streams, answered, when the handler is closed', async () => {
  const { handler, listen } = await scene()
  const stream = await listen()
  await expect.poll(() => stream.text).toContain('"status":"working"')
  await handler.close()
  await stream.ended
  expect(stream.text.trimEnd().split('\n').at(-1)).toContain('"resultType":"complete"')
})

it('hands on what the SDK says to a request that is none', async () => {
  const { handler, refId } = await scene()
  const wrong = request({ taskIds: [refId] })
  const body = (await wrong.text()).replace('"2026-07-28"', '"1999-01-01"')
  const { headers } = wrong
  const response = await handler.fetch(new Request(wrong.url, { method: 'POST', headers, body }))
  expect(response.status).toBe(400)
})
