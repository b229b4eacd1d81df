import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { EVERYTHING, FILESYSTEM, PLAIN, until, Workshop } from './fixtures/wrap-harness.ts'

const REF = 'mcp-refcache/ref_id'
const CAN_RETRY = 'mcp-refcache/can_retry'

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

function body(result: Answer): Answer {
  return result.structuredContent
}

function poll(client: Client, refId: string, args: Answer = {}): Promise<Answer> {
  return call(client, 'get_cached_result', { ref_id: refId, ...args })
}

function withoutRef({ _meta, ...result }: Answer): Answer {
  const { [REF]: refId, ...meta } = _meta
  expect(refId).toMatch(/^[a-z0-9._-]+:[0-9a-f]{32}$/)
  return Object.keys(meta).length === 0 ? result : { ...result, _meta: meta }
}

describe('a reference in the arguments of a wrapped tool', () => {
  it('is replaced by what it stands for, whole, however little of it was shown', async () => {
    const path = join(workshop.folder, 'long.txt')
    const text = Array.from({ length: 5_000 }, (_, n) => `line ${n}`).join('\n')
    writeFileSync(path, text)
    const { client } = await workshop.client([...FILESYSTEM, workshop.folder])
    const preview = body(await call(client, 'read_text_file', { path }))
    expect(preview).toMatchObject({ is_complete: false })
    const copy = join(workshop.folder, 'copy.txt')
    await call(client, 'write_file', { path: copy, content: preview.ref_id })
    expect(readFileSync(copy, 'utf8')).toBe(text)
  })

  it('that is unknown is refused before the server hears of it; the settings can pass it on as it is', async () => {
    const { client } = await workshop.client([...EVERYTHING, 'stdio'], { wrap: ['--name', 'x'] })
    const unknown = `x:${'0'.repeat(32)}`
    expect(body(await call(client, 'echo', { message: unknown }))).toMatchObject({
      error: { code: 'not_found' },
    })
    const config = join(workshop.folder, 'config.json')
    writeFileSync(config, JSON.stringify({ tools: { echo: { resolveRefs: false } } }))
    const plain = await workshop.client([...EVERYTHING, 'stdio'], {
      wrap: ['--name', 'x', '--config', config],
    })
    expect(JSON.stringify(await call(plain.client, 'echo', { message: unknown }))).toContain(
      `Echo: ${unknown}`,
    )
  })
})

describe('a small, fast answer', () => {
  it('of server-everything passes unchanged', async () => {
    const direct = await workshop.connect([...EVERYTHING, 'stdio'])
    const wrapped = await workshop.client([...EVERYTHING, 'stdio'])
    const answers = async (name: string, args: Answer) => ({
      expected: await call(direct.client, name, args),
      seen: await call(wrapped.client, name, args),
    })
    for (const [name, args] of [
      ['echo', { message: 'hello' }],
      ['get-structured-content', { location: 'Chicago' }],
      ['get-tiny-image', {}],
      ['get-resource-links', { count: 4 }],
      ['get-annotated-message', { messageType: 'error', includeImage: true }],
    ] as const) {
      const { expected, seen } = await answers(name, args)
      expect(seen, name).toEqual(expected)
    }
    // Its text holds the time of day.
    const { expected, seen } = await answers('get-resource-reference', {
      resourceType: 'Blob',
      resourceId: 1,
    })
    expect(Object.keys(seen.content[1].resource)).toEqual(Object.keys(expected.content[1].resource))
  })

  it('keeps the metadata of the server, and has a reference beside it where it is memoized', async () => {
    const direct = await workshop.connect(PLAIN)
    const wrapped = await workshop.client(PLAIN, { wrap: ['--memoize', 'media'] })
    const result = await call(wrapped.client, 'media')
    expect(result._meta['example.com/own']).toEqual({ kept: true })
    expect(withoutRef(result)).toEqual(await call(direct.client, 'media'))
  })

  it('keeps isError, and is never remembered as a result', async () => {
    const { client } = await workshop.client(PLAIN, {
      wrap: ['--config', config({ tools: { fail: { memoize: true } } })],
    })
    const first = await call(client, 'fail')
    expect(first).toEqual({
      content: [{ type: 'text', text: 'no luck with call 1' }],
      isError: true,
      _meta: { own: 1, [REF]: expect.any(String), [CAN_RETRY]: true },
    })
    expect((await call(client, 'fail')).content[0].text).toBe('no luck with call 2')
  })

  it('passes a JSON-RPC error as that error', async () => {
    const { client } = await workshop.client(PLAIN)
    await expect(call(client, 'refuse')).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('not with these arguments'),
      data: { field: 'x' },
    })
  })

  it('hands the server the params as the client gave them, but for the progress token and the reserved argument', async () => {
    const { client } = await workshop.client(PLAIN)
    const result = await client.callTool(
      {
        name: 'echo-params',
        arguments: { a: [1, { b: null }], _async_response_format: 'full' },
        _meta: { trace: 'x' },
      },
      { onprogress: () => {} },
    )
    const params = JSON.parse((result.content as Answer[])[0]?.text)
    expect(params.arguments).toEqual({ a: [1, { b: null }] })
    expect(params._meta).toEqual({ trace: 'x', progressToken: expect.stringMatching(/^refcache:/) })
    const wrong = await call(client, 'echo-params', { _async_response_format: 'huge' })
    expect(body(wrong).error.code).toBe('invalid_argument')
  })
})

describe('a large answer', () => {
  it('that is a list in a text is shown and paged as a list', async () => {
    const { client } = await workshop.client(PLAIN)
    const preview = body(await call(client, 'list', { size: 2000 }))
    expect(preview.total_items).toBe(2000)
    expect(preview.columns).toEqual(['id', 'label'])
    expect(preview.rows[0]).toEqual([0, 'item 0'])
    const page = body(await poll(client, preview.ref_id, { page: 2, page_size: 10 }))
    expect(page.preview.map((item: Answer) => item.id)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19])
  })

  it('comes back whole with full, as the server gave it', async () => {
    const direct = await workshop.connect(PLAIN)
    const { client } = await workshop.client(PLAIN, { wrap: ['--inline', '1000'] })
    const preview = body(await call(client, 'tree', { size: 400 }))
    const full = await poll(client, preview.ref_id, { full: true })
    expect(withoutRef(full)).toEqual(await call(direct.client, 'tree', { size: 400 }))
  })
})

describe('a slow answer', () => {
  it('becomes a handle, is polled, and ends as the result under the same reference; it ran once', async () => {
    const { client } = await workshop.client(PLAIN, { wrap: ['--async-timeout', '200ms'] })
    const handle = body(await call(client, 'slow', { ms: 4_000, steps: 40 }))
    expect(handle).toMatchObject({ status: 'processing', tool: 'slow', is_complete: false, is_async: true })

    const seen: number[] = []
    const status = await until(async () => {
      const answer = body(await poll(client, handle.ref_id, { wait_seconds: 0.1 }))
      return answer.progress && answer
    }, 'progress')
    expect(status.progress).toMatchObject({ total: 40, percentage: expect.any(Number) })
    expect(status.eta_seconds).toBeGreaterThanOrEqual(0)
    const result = await client.callTool(
      { name: 'get_cached_result', arguments: { ref_id: handle.ref_id } },
      { onprogress: ({ progress }) => seen.push(progress) },
    )
    expect(result).toEqual({
      content: [{ type: 'text', text: 'slow but done' }],
      _meta: { [REF]: handle.ref_id },
    })
    expect(seen.length).toBeGreaterThan(0)
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b))
    expect(workshop.journal('tools/call')).toHaveLength(1)
  })

  it('tells a client that waits of progress, strictly forward, with the server’s words', async () => {
    const { client } = await workshop.client(PLAIN)
    const seen: Answer[] = []
    await client.callTool(
      { name: 'slow', arguments: { ms: 1200, steps: 4 } },
      { onprogress: p => seen.push(p) },
    )
    // Reports that come closely together may be told as one, and the last may come with the answer.
    const steps = seen.map(({ progress }) => progress)
    expect(steps.length).toBeGreaterThan(0)
    expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b))
    for (const told of seen) expect(told).toMatchObject({ total: 4, message: `step ${told.progress}` })
  })

  it('that the server reports as an error is failed for who polls', async () => {
    const { client } = await workshop.client([...EVERYTHING, 'stdio'], { wrap: ['--async-timeout', '0'] })
    const handle = body(await call(client, 'get-sum', { a: 'no number', b: 1 }))
    const failed = await poll(client, handle.ref_id)
    expect(failed).toMatchObject({ isError: true, _meta: { [REF]: handle.ref_id, [CAN_RETRY]: true } })
    expect(failed.content[0].text).toMatch(/number/)
  })

  it('that is cancelled while the client waits is cancelled at the server', async () => {
    const { client } = await workshop.client(PLAIN)
    const controller = new AbortController()
    const waiting = client.callTool(
      { name: 'slow', arguments: { ms: 20_000 } },
      { signal: controller.signal },
    )
    waiting.catch(() => {})
    const asked = await until(() => workshop.journal('tools/call')[0], 'the call at the server')
    controller.abort()
    await expect(waiting).rejects.toThrow()
    const cancelled = await until(() => workshop.journal('notifications/cancelled')[0], 'the cancellation')
    expect(cancelled.params?.requestId).toBe(asked.id)
  })

  it('lives on when only a poll is cancelled, and ends at the server by cancel_task', async () => {
    const { client } = await workshop.client(PLAIN, { wrap: ['--async-timeout', '100ms'] })
    const { ref_id } = body(await call(client, 'slow', { ms: 20_000, steps: 100 }))
    const controller = new AbortController()
    const polling = client.callTool(
      { name: 'get_cached_result', arguments: { ref_id } },
      { signal: controller.signal },
    )
    controller.abort()
    await expect(polling).rejects.toThrow()
    expect(body(await poll(client, ref_id, { wait_seconds: 0 })).status).toBe('processing')
    expect(workshop.journal('notifications/cancelled')).toHaveLength(0)

    expect(body(await call(client, 'cancel_task', { ref_id })).status).toBe('cancelled')
    await until(() => workshop.journal('notifications/cancelled')[0], 'the cancellation at the server')
    expect(body(await poll(client, ref_id)).status).toBe('cancelled')
  })

  it('that failed is tried again, under the same reference, by another wrapper of the server too', async () => {
    const wrap = ['--async-timeout', '0']
    const one = await workshop.client(PLAIN, { wrap })
    const { ref_id } = body(await call(one.client, 'fail'))
    const failure = (n: number) => ({
      content: [{ type: 'text', text: `no luck with call ${n}` }],
      isError: true,
      _meta: { own: 1, [REF]: ref_id, [CAN_RETRY]: true },
    })
    expect(await poll(one.client, ref_id)).toEqual(failure(1))
    await call(one.client, 'retry_task', { ref_id })
    expect(await poll(one.client, ref_id)).toEqual(failure(2))
    await one.client.close()
    const two = await workshop.client(PLAIN, { wrap })
    expect(await poll(two.client, ref_id)).toEqual(failure(2))
    expect(body(await call(two.client, 'retry_task', { ref_id })).is_async).toBe(true)
    expect(await poll(two.client, ref_id)).toEqual(failure(1))
  })

  it('is stopped by its hard timeout, at the server too', async () => {
    const settings = { tools: { slow: { asyncTimeout: '100ms', hardTimeout: '400ms' } } }
    const { client } = await workshop.client(PLAIN, { wrap: ['--config', config(settings)] })
    const { ref_id } = body(await call(client, 'slow', { ms: 20_000 }))
    expect(body(await poll(client, ref_id))).toMatchObject({ status: 'failed', error_code: 'hard_timeout' })
    await until(() => workshop.journal('notifications/cancelled')[0], 'the cancellation at the server')
  })
})

describe('a result that is polled', () => {
  it('is whole where all that a model reads of it fits, with its media as blocks', async () => {
    const direct = await workshop.connect(PLAIN)
    const { client } = await workshop.client(PLAIN, { wrap: ['--async-timeout', '0'] })
    const expected = await call(direct.client, 'media', { size: 20_000 })
    const { ref_id } = body(await call(client, 'media', { size: 20_000 }))
    const polled = await poll(client, ref_id)
    expect(polled._meta[REF]).toBe(ref_id)
    expect(withoutRef(polled)).toEqual(expected)
  })

  it('with structured content that is given as text, too, counts once', async () => {
    const { client } = await workshop.client(PLAIN, { wrap: ['--max-size', '250', '--memoize', 'tree'] })
    // 20 nodes take about 200 tokens, and twice that with their text.
    const result = await call(client, 'tree', { size: 20 })
    expect(body(result).children).toHaveLength(19)
    const refId = result._meta[REF]
    expect(await poll(client, refId)).toEqual(result)
    expect(body(await poll(client, refId, { page: 1, page_size: 1 })).total_pages).toBeGreaterThan(1)
  })
})

describe('identical calls', () => {
  it('run each time, and leave nothing, whatever the tool hints, unless the operator says that they need not', async () => {
    const { client } = await workshop.client(PLAIN)
    const a = await call(client, 'count')
    const b = await call(client, 'count')
    expect([a.content[0].text, b.content[0].text]).toEqual(['call 1', 'call 2'])
    expect(a._meta?.[REF] ?? b._meta?.[REF]).toBeUndefined()

    const c = await call(client, 'count-pure')
    const d = await call(client, 'count-pure')
    expect([c.content[0].text, d.content[0].text]).toEqual(['call 3', 'call 4'])

    const { client: told } = await workshop.client(PLAIN, { wrap: ['--memoize', 'count-*'] })
    const e = await call(told, 'count-pure')
    const f = await call(told, 'count-pure')
    expect(f).toEqual({ ...e, _meta: { ...e._meta, 'mcp-refcache/cached_at': expect.any(String) } })
    expect((await call(told, 'count-pure', { other: 1 })).content[0].text).toBe('call 2')
    expect((await call(told, 'count')).content[0].text).toBe('call 3')
    expect((await call(told, 'count')).content[0].text).toBe('call 4')
  })

  it('run once where the config says so, at the same time too, and in two wrappers of one server', async () => {
    const wrap = ['--config', config({ tools: { slow: { memoize: true } } })]
    const [one, two] = await Promise.all([workshop.client(PLAIN, { wrap }), workshop.client(PLAIN, { wrap })])
    const calls = [one, one, two].map(({ client }) => call(client, 'slow', { ms: 600 }))
    const refs = new Set((await Promise.all(calls)).map(({ _meta }) => _meta[REF]))
    expect(refs.size).toBe(1)
    expect(workshop.journal('tools/call')).toHaveLength(1)
  })

  it('share nothing between wrappers whose server has another environment', async () => {
    const wrap = ['--memoize', '*']
    const one = await workshop.clientOfProcess(PLAIN, { wrap, env: { API_TOKEN: 'alice' } })
    const two = await workshop.clientOfProcess(PLAIN, { wrap, env: { API_TOKEN: 'bob' } })
    const [a, b] = [await call(one.client, 'count-pure'), await call(two.client, 'count-pure')]
    expect(a._meta[REF]).not.toBe(b._meta[REF])
    expect(workshop.journal('tools/call')).toHaveLength(2)
  })
})

describe('the tools, as they are listed', () => {
  it('are the server’s, on each of its pages, and ours at the end of the first', async () => {
    const { client } = await workshop.client(PLAIN)
    const { tools } = await client.listTools()
    const names = tools.map(({ name }) => name)
    const ours = names.slice(names.indexOf('get_cached_result'), names.indexOf('second-page'))
    expect(ours).toEqual([
      'get_cached_result',
      'cancel_task',
      'retry_task',
      'query_cached_result',
      'edit_cached_result',
    ])
    expect(names.filter(name => name === 'get_cached_result')).toHaveLength(1)
    const described = tools.find(({ name }) => name === 'count')
    expect(described?.description).toBe('Counts its calls.')
  })

  it('have output schemas that a validating client finds satisfied: whole, preview, handle', async () => {
    const { client } = await workshop.client(PLAIN, {
      wrap: ['--config', config({ defaults: { asyncTimeout: '10s', inline: 1000 } })],
    })
    await client.listTools()
    expect(body(await call(client, 'tree', { size: 2 }))).toEqual({
      name: 'root',
      children: [expect.anything()],
    })
    expect(body(await call(client, 'tree', { size: 800 })).is_complete).toBe(false)
    const { client: hasty } = await workshop.client(PLAIN, { wrap: ['--async-timeout', '0'] })
    await hasty.listTools()
    expect(body(await call(hasty, 'tree', { size: 3 })).is_async).toBe(true)
  })

  it('leave alone what the config leaves out of the cache', async () => {
    const { client } = await workshop.client(PLAIN, {
      wrap: ['--config', config({ tools: { count: { cache: false } } })],
    })
    const { tools } = await client.listTools()
    expect(tools.find(({ name }) => name === 'count')?.description).toBe('Counts its calls.')
    expect(await call(client, 'count')).toEqual({ content: [{ type: 'text', text: 'call 1' }] })
  })

  it('still answer for references of their own where a server has tools of the same names', async () => {
    const inner = [
      process.execPath,
      (await import('./fixtures/wrap-harness.ts')).MAIN,
      'wrap',
      '--store',
      'memory',
    ]
    const { client } = await workshop.client(
      [...inner, '--name', 'inner', '--async-timeout', '0', '--', ...PLAIN],
      { wrap: ['--config', config({ tools: { count: { cache: false } } })] },
    )
    await client.listTools()
    const handle = body(await call(client, 'count'))
    expect(handle.ref_id).toMatch(/^inner:/)
    expect((await poll(client, handle.ref_id)).content[0].text).toBe('call 1')
  })
})

function config(settings: object): string {
  const path = join(workshop.folder, `config-${randomBytes(3).toString('hex')}.json`)
  writeFileSync(path, JSON.stringify(settings))
  return path
}
