import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PLAIN, until, Workshop } from './fixtures/wrap-harness.ts'

const MEMORY = [
  process.execPath,
  fileURLToPath(new URL('./fixtures/wrap-memory-server.mjs', import.meta.url)),
]
const REF = 'mcp-refcache/ref_id'
const CACHED_AT = 'mcp-refcache/cached_at'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

async function call(client: Client, name: string, args: Answer = {}): Promise<Answer> {
  return client.callTool({ name, arguments: args })
}

const entitiesOf = ({ structuredContent }: Answer) => structuredContent.entities
const refOf = ({ _meta, structuredContent }: Answer) => _meta?.[REF] ?? structuredContent.ref_id
const reads = () => workshop.journal('read_graph').length

/** Waits until a task has ended, without fetching its result. */
function ended(client: Client, refId: string) {
  return until(async () => {
    const { structuredContent } = await call(client, 'cancel_task', { ref_id: refId })
    return structuredContent.status !== 'processing' || undefined
  }, 'the end of the task')
}

describe('read, write, read in front of the memory server', () => {
  it.each(['create_entities', 'create_unannotated'])('by %s, when the read is fast', async write => {
    const { client } = await workshop.client(MEMORY)
    expect(entitiesOf(await call(client, 'read_graph'))).toEqual([])
    await call(client, write, { name: 'a' })
    expect(entitiesOf(await call(client, 'read_graph'))).toEqual(['a'])
    await call(client, write, { name: 'b', fail: true })
    expect(entitiesOf(await call(client, 'read_graph'))).toEqual(['a', 'b'])
  })

  it('when the read is in flight, and when it is done and not fetched', async () => {
    const { client } = await workshop.client(MEMORY, { wrap: ['--async-timeout', '100ms'] })
    const first = refOf(await call(client, 'read_graph', { ms: 600 }))
    await call(client, 'create_entities', { name: 'a' })
    const second = refOf(await call(client, 'read_graph', { ms: 600 }))
    expect(second).not.toBe(first)
    await until(() => reads() === 2 || undefined, 'both reads')
    await new Promise(done => setTimeout(done, 900))
    await call(client, 'create_entities', { name: 'b' })
    const third = refOf(await call(client, 'read_graph', { ms: 600 }))
    expect(third).not.toBe(second)
    const polled = await call(client, 'get_cached_result', { ref_id: third })
    expect(JSON.stringify(polled)).toContain('"b"')
  })

  it.each([{}, { tools: { create_entities: { cache: false } } }])(
    'when the write began before the read and ended after it, with %j',
    async settings => {
      const config = join(workshop.folder, 'config.json')
      writeFileSync(config, JSON.stringify(settings))
      const { client } = await workshop.client(MEMORY, {
        wrap: ['--async-timeout', '100ms', '--config', config],
      })
      await client.listTools()
      const writing = call(client, 'create_entities', { name: 'late', ms: 900 })
      const first = refOf(await call(client, 'read_graph', { ms: 300 }))
      const handle = await writing
      if (handle.structuredContent?.ref_id) {
        await call(client, 'get_cached_result', { ref_id: handle.structuredContent.ref_id })
      }
      const second = await call(client, 'read_graph', { ms: 300 })
      expect(refOf(second)).not.toBe(first)
      const polled = await call(client, 'get_cached_result', { ref_id: refOf(second) })
      expect(JSON.stringify(polled)).toContain('late')
    },
  )
})

describe('an agent that calls again instead of polling', () => {
  it('joins the run that is in flight, whatever the order of its keys, and gets its result once', async () => {
    const { client } = await workshop.client(MEMORY, { wrap: ['--async-timeout', '100ms'] })
    const first = await call(client, 'read_graph', { ms: 700, options: { a: 1, b: 2 } })
    const again = await client.callTool({
      name: 'read_graph',
      arguments: { options: { b: 2, a: 1 }, ms: 700 },
      _meta: { 'example.com/tool-use': 'another' },
    })
    expect(refOf(again)).toBe(refOf(first))
    await new Promise(done => setTimeout(done, 1_000))
    const result = await call(client, 'read_graph', { ms: 700, options: { a: 1, b: 2 } })
    expect(entitiesOf(result)).toEqual([])
    expect(result._meta).toMatchObject({ [REF]: refOf(first), [CACHED_AT]: expect.any(String) })
    expect(reads()).toBe(1)
    const anew = await call(client, 'read_graph', { ms: 700, options: { a: 1, b: 2 } })
    expect(refOf(anew)).not.toBe(refOf(first))
  })

  it('has its own run with _fresh, and after it cancelled its call', async () => {
    const { client } = await workshop.client(MEMORY, { wrap: ['--async-timeout', '5s'] })
    const controller = new AbortController()
    const cancelled = client.callTool(
      { name: 'read_graph', arguments: { ms: 1_000 } },
      { signal: controller.signal },
    )
    await until(() => reads() === 1 || undefined, 'the read')
    const fresh = call(client, 'read_graph', { ms: 1_000, _fresh: true })
    await until(() => reads() === 2 || undefined, 'its own read')
    controller.abort()
    await expect(cancelled).rejects.toThrow()
    expect(entitiesOf(await fresh)).toEqual([])
    await call(client, 'read_graph', { ms: 1_000 })
    expect(reads()).toBe(3)
  })

  it('passes _fresh on where it is the tool’s own argument', async () => {
    const { client } = await workshop.client(MEMORY)
    expect((await call(client, 'fresh_fish', { _fresh: 'cod' })).content[0].text).toBe('{"_fresh":"cod"}')
  })

  it('gets no result of a server that has been started again since', async () => {
    const { client } = await workshop.client(PLAIN, { wrap: ['--async-timeout', '100ms'] })
    const first = refOf(await call(client, 'slow-pure', { ms: 300 }))
    await new Promise(done => setTimeout(done, 600))
    await call(client, 'crash-pure')
    await until(() => workshop.journal('start').length === 2 || undefined, 'another start')
    expect(refOf(await call(client, 'slow-pure', { ms: 300 }))).not.toBe(first)
  })

  it('that asks for tasks gets the one that runs; one that writes as a task is a write', async () => {
    const { client } = await workshop.client(MEMORY, { wrap: ['--async-timeout', '100ms'] })
    const first = refOf(await call(client, 'read_graph', { ms: 300 }))
    await ended(client, first)
    const params = { name: 'create_entities', arguments: { name: 'task', ms: 400 }, task: {} }
    const created = (await client.request({ method: 'tools/call', params } as never)) as Answer
    expect(created.task.status).toBe('working')
    const during = refOf(await call(client, 'read_graph', { ms: 300 }))
    expect(during).not.toBe(first)
    await until(async () => {
      const { structuredContent } = await call(client, 'get_cached_result', { ref_id: created.task.taskId })
      return structuredContent?.status !== 'processing' || undefined
    }, 'the write')
    const after = await call(client, 'read_graph', { ms: 300 })
    expect(refOf(after)).not.toBe(during)
  })
})

describe('several clients of one wrapper', () => {
  it('share nothing, and the writes of each count for all', async () => {
    const raw = workshop.process([
      ...['wrap', '--http', '0', '--store', 'memory', '--async-timeout', '100ms', '--'],
      ...MEMORY,
    ])
    const url = new URL(/on (http:\S+)/.exec(await raw.ready())?.[1] ?? '')
    const clientOf = async () => {
      const client = new Client({ name: 'http', version: '1' })
      workshop.onEnd(() => client.close())
      await client.connect(new StreamableHTTPClientTransport(url))
      return client
    }
    const [alice, bob] = [await clientOf(), await clientOf()]
    const [a, b] = await Promise.all([
      call(alice, 'read_graph', { ms: 500 }),
      call(bob, 'read_graph', { ms: 500 }),
    ])
    expect(refOf(a)).not.toBe(refOf(b))
    expect(refOf(await call(alice, 'read_graph', { ms: 500 }))).toBe(refOf(a))
    await call(bob, 'create_entities', { name: 'x' })
    expect(refOf(await call(alice, 'read_graph', { ms: 500 }))).not.toBe(refOf(a))
  })

  it('give a result whose client went away to the same session, that asks again', async () => {
    const raw = workshop.process(['wrap', '--http', '0', '--store', 'memory', '--', ...MEMORY])
    const url = new URL(/on (http:\S+)/.exec(await raw.ready())?.[1] ?? '')
    const client = new Client({ name: 'http', version: '1' })
    workshop.onEnd(() => client.close())
    const transport = new StreamableHTTPClientTransport(url)
    await client.connect(transport)
    await client.listTools()
    const message = {
      jsonrpc: '2.0',
      id: 'gone',
      method: 'tools/call',
      params: { name: 'read_graph', arguments: { ms: 400 } },
    }
    const gone = request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': transport.sessionId,
      },
    })
    gone.on('error', () => {})
    gone.end(JSON.stringify(message))
    await until(() => reads() === 1 || undefined, 'the read')
    gone.destroy()
    await new Promise(done => setTimeout(done, 900))
    const again = await call(client, 'read_graph', { ms: 400 })
    expect(reads()).toBe(1)
    expect(again._meta[CACHED_AT]).toEqual(expect.any(String))
    await call(client, 'read_graph', { ms: 400 })
    expect(reads()).toBe(2)
  })
})

describe('what the operator says', () => {
  it('is warned of where it names no tool of the server, with what was meant, once', async () => {
    const config = join(workshop.folder, 'config.json')
    writeFileSync(
      config,
      JSON.stringify({ tools: { read_grahp: { ttl: '1m' }, 'create_*': { maxSize: 500 } } }),
    )
    const { client, stderr } = await workshop.client(MEMORY, {
      wrap: ['--config', config, '--memoize', 'nothing_*', '--memoize', 'create_entities'],
    })
    await client.listTools()
    await client.listTools()
    await until(() => stderr().includes('[memoized_write]') || undefined, 'the warnings')
    expect(stderr()).toMatch(/'read_grahp'.*Did you mean 'read_graph'\? \[unknown_tool\]/)
    expect(stderr()).toMatch(/'nothing_\*'.*\[unknown_tool\]/)
    expect(stderr().match(/unknown_tool/g)).toHaveLength(2)
    expect(stderr()).toMatch(/'create_entities' is memoized but/)
  })
})
