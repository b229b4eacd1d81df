import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { TaskContext } from '../../../src/core/handler.ts'
import { type AttachedRefCache, attachRefCache } from '../../../src/mcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { deferred } from '../flow/scene.ts'
import { REVISIONS, scene } from './scene.ts'

// A client that turns its call away, or leaves (2026-07-28), and what becomes of the work.

function work(readOnlyHint = false) {
  const runs: TaskContext[] = []
  const end = deferred<string>()
  const tools = ({ registerTool }: Pick<AttachedRefCache, 'registerTool'>) =>
    registerTool('work', { annotations: { readOnlyHint }, asyncTimeout: '20s' }, (_, task) => {
      runs.push(task)
      return end.promise
    })
  const begun = (count = 1) => expect.poll(() => runs.length).toBe(count)
  return { runs, tools, begun, end }
}

describe.each(REVISIONS)('a plain call that is cancelled, at %s', (_, era) => {
  it('stops its work', async () => {
    const { runs, tools, begun } = work()
    const { client } = await scene({ era, tools })
    const leave = new AbortController()
    const call = client.callTool({ name: 'work' }, { signal: leave.signal }).catch(() => 'left')
    await begun()
    leave.abort('not wanted')
    await expect.poll(() => runs[0]?.signal.aborted).toBe(true)
    expect(await call).toBe('left')
  })

  it('leaves the work alone while an identical call waits for it', async () => {
    const { runs, tools, begun, end } = work(true)
    const { client, call } = await scene({ era, tools })
    const leave = new AbortController()
    const left = client.callTool({ name: 'work' }, { signal: leave.signal }).catch(() => 'left')
    const stays = call('work')
    await begun()
    // Until the server has both.
    await call('get_cached_result', { ref_id: 'x' })
    leave.abort('not wanted')
    expect(await left).toBe('left')
    await call('get_cached_result', { ref_id: 'x' })
    end.resolve('done')
    expect((await stays).body).toMatchObject({ value: 'done' })
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([false])
  })

  it('leaves the work alone whose handle was given', async () => {
    const { runs, tools, begun, end } = work()
    const { clock, client, call } = await scene({ era, tools })
    const first = call('work')
    await begun()
    await clock.advance('20s')
    const { ref_id } = (await first).body
    const leave = new AbortController()
    const poll = { name: 'get_cached_result', arguments: { ref_id, wait_seconds: 20 } }
    const left = client.callTool(poll, { signal: leave.signal }).catch(() => 'left')
    await call('get_cached_result', { ref_id: 'x' })
    leave.abort('not wanted')
    expect(await left).toBe('left')
    end.resolve('done')
    expect((await call('get_cached_result', { ref_id })).body).toMatchObject({ value: 'done' })
    expect(runs[0]?.signal.aborted).toBe(false)
  })
})

describe('a client that leaves its request over HTTP', () => {
  const BODIES = {
    '2026-07-28': {
      params: {
        name: 'work',
        arguments: {},
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1.0.0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    },
    '2025-11-25': { params: { name: 'work', arguments: {} } },
  } as const

  it.each([
    ['2026-07-28', 'stops the work', true],
    ['2025-11-25', 'may come back for it', false],
  ] as const)('at %s %s', async (revision, _, stops) => {
    const { runs, tools, begun, end } = work()
    const cache = new RefCache({ name: 't' })
    onTestFinished(() => cache.close())
    const handler = createMcpHandler(() => {
      const server = new McpServer({ name: 'test', version: '1.0.0' })
      tools(attachRefCache(server, cache))
      return server
    })
    const leave = new AbortController()
    const requestOf = (message: object, signal?: AbortSignal) =>
      new Request('http://127.0.0.1/mcp', {
        method: 'POST',
        ...(signal ? { signal } : {}),
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': revision,
          'mcp-method': 'tools/call',
          'mcp-name': 'work',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...message }),
      })
    const call = requestOf({ method: 'tools/call', ...BODIES[revision] }, leave.signal)
    void handler.fetch(call).catch(() => {})
    await begun()
    leave.abort()
    if (stops) await expect.poll(() => runs[0]?.signal.aborted).toBe(true)
    // What comes after it has been answered.
    await handler.fetch(requestOf({ method: 'ping' })).then(response => response.text())
    expect(runs[0]?.signal.aborted).toBe(stops)
    end.resolve('over')
  })
})
