import { rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { program } from './fixtures/programs.ts'
import { PLAIN, until, Workshop } from './fixtures/wrap-harness.ts'

const MEMORY = [process.execPath, program('wrap-memory-server')]
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

/** Holds a read or a write back until it is opened. */
function newGate(name = 'gate') {
  const path = join(workshop.folder, name)
  return { path, open: () => writeFileSync(path, ''), close: () => rmSync(path) }
}

/** Waits until the server has answered so many reads, and the wrapper has heard it: what is answered later is heard later. */
async function answered(client: Client, count: number): Promise<void> {
  await until(() => workshop.journal('read').length === count || undefined, `${count} reads`)
  await call(client, 'fresh_fish', { _fresh: 'cod' })
}

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
    const gate = newGate()
    const read = async () => refOf(await call(client, 'read_graph', { gate: gate.path }))
    const first = await read()
    await call(client, 'create_entities', { name: 'a' })
    const second = await read()
    expect(second).not.toBe(first)
    gate.open()
    await answered(client, 2)
    gate.close()
    await call(client, 'create_entities', { name: 'b' })
    const third = await read()
    expect(third).not.toBe(second)
    gate.open()
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
      const [write, read] = [newGate('write'), newGate('read')]
      const writing = call(client, 'create_entities', { name: 'late', gate: write.path })
      const first = refOf(await call(client, 'read_graph', { gate: read.path }))
      read.open()
      await answered(client, 1)
      read.close()
      write.open()
      const handle = await writing
      if (handle.structuredContent?.ref_id) {
        await call(client, 'get_cached_result', { ref_id: handle.structuredContent.ref_id })
      }
      const second = await call(client, 'read_graph', { gate: read.path })
      expect(refOf(second)).not.toBe(first)
      read.open()
      const polled = await call(client, 'get_cached_result', { ref_id: refOf(second) })
      expect(JSON.stringify(polled)).toContain('late')
    },
  )
})

describe('an agent that calls again instead of polling', () => {
  it('joins the run that is in flight, whatever the order of its keys, and gets its result once', async () => {
    const { client } = await workshop.client(MEMORY, { wrap: ['--async-timeout', '100ms'] })
    const gate = newGate()
    const args = { gate: gate.path, options: { a: 1, b: 2 } }
    const first = await call(client, 'read_graph', args)
    const again = await client.callTool({
      name: 'read_graph',
      arguments: { options: { b: 2, a: 1 }, gate: gate.path },
      _meta: { 'example.com/tool-use': 'another' },
    })
    expect(refOf(again)).toBe(refOf(first))
    gate.open()
    await answered(client, 1)
    gate.close()
    const result = await until(async () => {
      const answer = await call(client, 'read_graph', args)
      return entitiesOf(answer) && answer
    }, 'the result')
    expect(entitiesOf(result)).toEqual([])
    expect(result._meta).toMatchObject({ [REF]: refOf(first), [CACHED_AT]: expect.any(String) })
    expect(reads()).toBe(1)
    const anew = await call(client, 'read_graph', args)
    expect(refOf(anew)).not.toBe(refOf(first))
  })

  it('has its own run with _fresh, and after it cancelled its call', async () => {
    const { client } = await workshop.client(MEMORY, { wrap: ['--async-timeout', '1m'] })
    const gate = newGate()
    const controller = new AbortController()
    const args = { gate: gate.path }
    const cancelled = client.callTool({ name: 'read_graph', arguments: args }, { signal: controller.signal })
    await until(() => reads() === 1 || undefined, 'the read')
    const fresh = call(client, 'read_graph', { ...args, _fresh: true })
    await until(() => reads() === 2 || undefined, 'its own read')
    controller.abort()
    await expect(cancelled).rejects.toThrow()
    gate.open()
    expect(entitiesOf(await fresh)).toEqual([])
    await call(client, 'read_graph', args)
    expect(reads()).toBe(3)
  })

  it('passes _fresh on where it is the tool’s own argument', async () => {
    const { client } = await workshop.client(MEMORY)
    expect((await call(client, 'fresh_fish', { _fresh: 'cod' })).content[0].text).toBe('{"_fresh":"cod"}')
  })

  it('gets no result of a server that has been started again since', async () => {
    const { client } = await workshop.client(PLAIN, { wrap: ['--async-timeout', '100ms'] })
    const gate = newGate()
    const args = { ms: 20, gate: gate.path }
    const first = refOf(await call(client, 'slow-pure', args))
    gate.open()
    await until(() => workshop.journal('slow done')[0], 'the answer')
    gate.close()
    await call(client, 'crash-pure')
    await until(() => workshop.journal('start')[1], 'another start')
    expect(refOf(await call(client, 'slow-pure', args))).not.toBe(first)
  })

  it('that asks for tasks gets the one that runs; one that writes as a task is a write', async () => {
    const { client } = await workshop.client(MEMORY, { wrap: ['--async-timeout', '100ms'] })
    const [write, read] = [newGate('write'), newGate('read')]
    const first = refOf(await call(client, 'read_graph', { gate: read.path }))
    await ended(client, first)
    const params = { name: 'create_entities', arguments: { name: 'task', gate: write.path }, task: {} }
    const created = (await client.request({ method: 'tools/call', params } as never)) as Answer
    expect(created.task.status).toBe('working')
    const during = refOf(await call(client, 'read_graph', { gate: read.path }))
    expect(during).not.toBe(first)
    write.open()
    await until(async () => {
      const { structuredContent } = await call(client, 'get_cached_result', { ref_id: created.task.taskId })
      return structuredContent?.status !== 'processing' || undefined
    }, 'the write')
    const after = await call(client, 'read_graph', { gate: read.path })
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
    const args = { gate: newGate().path }
    const [a, b] = await Promise.all([call(alice, 'read_graph', args), call(bob, 'read_graph', args)])
    expect(refOf(a)).not.toBe(refOf(b))
    expect(refOf(await call(alice, 'read_graph', args))).toBe(refOf(a))
    await call(bob, 'create_entities', { name: 'x' })
    expect(refOf(await call(alice, 'read_graph', args))).not.toBe(refOf(a))
  })

  it('give a result whose client went away to the same session, that asks again', async () => {
    const raw = workshop.process(['wrap', '--http', '0', '--store', 'memory', '--', ...MEMORY])
    const url = new URL(/on (http:\S+)/.exec(await raw.ready())?.[1] ?? '')
    const client = new Client({ name: 'http', version: '1' })
    workshop.onEnd(() => client.close())
    const transport = new StreamableHTTPClientTransport(url)
    await client.connect(transport)
    await client.listTools()
    const gate = newGate()
    const args = { gate: gate.path }
    const message = {
      jsonrpc: '2.0',
      id: 'gone',
      method: 'tools/call',
      params: { name: 'read_graph', arguments: args },
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
    // Whoever is answered now has seen that the other one went away.
    await client.listTools()
    gate.open()
    await answered(client, 1)
    const again = await call(client, 'read_graph', args)
    expect(reads()).toBe(1)
    expect(again._meta[CACHED_AT]).toEqual(expect.any(String))
    await call(client, 'read_graph', args)
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
