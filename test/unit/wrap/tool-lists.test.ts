import { afterEach, describe, expect, it } from 'vitest'
import { TOOL_NOTE } from '../../../src/agent/instructions.ts'
import { countTokens } from '../../../src/preview/preview.ts'
import { idIn, type Serve, serverOf, Wired, type WiredOptions } from './wired.ts'

const opened: Wired[] = []
afterEach(async () => {
  for (const wired of opened.splice(0)) await wired.close()
})

async function wired(serve: Serve, options?: WiredOptions): Promise<Wired> {
  const one = await Wired.open(serve, options)
  opened.push(one)
  return one
}

type Listed = {
  tools: Array<{
    name: string
    description?: string
    inputSchema?: { properties?: object }
    outputSchema?: object
  }>
  nextCursor?: string
}

async function list(session: Wired, id: string, cursor?: string): Promise<Listed> {
  const answer = JSON.parse(await session.ask(id, 'tools/list', JSON.stringify(cursor ? { cursor } : {})))
  expect(answer.error).toBeUndefined()
  return answer.result
}

const OURS = ['get_cached_result', 'cancel_task', 'retry_task', 'query_cached_result', 'edit_cached_result']

/** A server whose list has pages: `next` gives the tools of one and the cursor of the next, as JSON. */
function paged(
  next: (cursor: string | undefined) => { tools: object[]; nextCursor?: string },
  call = () => '{"content":[]}',
): Serve {
  const listing = serverOf(call)
  return (line, say) => {
    if (!line.includes('"tools/list"')) return listing(line, say)
    const { cursor } = JSON.parse(line).params
    say(`{"jsonrpc":"2.0","id":${idIn(line)},"result":${JSON.stringify(next(cursor))}}`)
  }
}

describe('our tools in the list', () => {
  it('stand on the first page, whatever comes after, and only there', async () => {
    let pages = 0
    const session = await wired(
      paged(cursor => {
        pages++
        return { tools: [{ name: `t${cursor ?? 0}` }], nextCursor: `${Number(cursor ?? 0) + 1}` }
      }),
    )
    const first = await list(session, 'a')
    expect(first.tools.map(({ name }) => name)).toEqual(['t0', ...OURS])
    expect((await list(session, 'b', first.nextCursor)).tools.map(({ name }) => name)).toEqual(['t1'])
    // A list without an end is read once, so far.
    const read = pages
    await session.ask('c', 'tools/call', '{"name":"t0"}')
    expect(pages).toBe(read)
  })

  it.each([
    ['that has no such method', '"error":{"code":-32601,"message":"Method not found"}'],
    ['whose list is none', '"result":{}'],
  ])('are all there is of a server %s', async (_, outcome) => {
    const session = await wired((line, say) => {
      const id = idIn(line)
      if (line.includes('"initialize"'))
        say(
          `{"jsonrpc":"2.0","id":${id},"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{}}}`,
        )
      else if (line.includes('"tools/list"')) say(`{"jsonrpc":"2.0","id":${id},${outcome}}`)
      else if (line.includes('"id"'))
        say(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32601,"message":"Method not found"}}`)
    })
    const introduced = JSON.parse(await session.ask('i', 'initialize'))
    expect(introduced.result.capabilities.tools).toEqual({})
    expect((await list(session, 'a')).tools.map(({ name }) => name)).toEqual(OURS)
    const called = JSON.parse(await session.ask('b', 'tools/call', '{"name":"x"}'))
    expect(called.error).toEqual({ code: -32602, message: "There is no tool 'x'." })
    expect(JSON.parse(await session.ask('c', 'prompts/list')).error.code).toBe(-32601)
  })

  it('leave a tool of the server its name, and say what they are called then', async () => {
    const calls: string[] = []
    const tools = [
      { name: 'cancel_task', description: 'Cancels a task of the tracker.' },
      { name: 'get_cached_result' },
      { name: 'refcache_get_cached_result' },
      { name: 'slow' },
    ]
    const big = JSON.stringify(Array.from({ length: 3_000 }, (_, at) => `get_cached_result ${at}`))
    const session = await wired(
      serverOf(line => {
        calls.push(line)
        return line.includes('"slow"')
          ? `{"content":[{"type":"text","text":${JSON.stringify(big)}}]}`
          : '{"content":[]}'
      }, JSON.stringify(tools)),
    )
    const { tools: listed } = await list(session, 'a')
    expect(listed.map(({ name }) => name)).toEqual([
      ...tools.map(({ name }) => name),
      'refcache_refcache_get_cached_result',
      'refcache_cancel_task',
      'retry_task',
      'query_cached_result',
      'edit_cached_result',
    ])
    expect(listed[0]?.description).toContain('Cancels a task of the tracker.')
    const handle = await session.ask('b', 'tools/call', '{"name":"slow"}')
    const { structuredContent, content } = JSON.parse(handle).result
    for (const { message, preview } of [structuredContent, JSON.parse(content[0].text)]) {
      expect(message).toContain('call refcache_refcache_get_cached_result with')
      expect(preview[0]).toBe('get_cached_result 0')
    }
    const page = await session.poll('c', 'refcache_refcache_get_cached_result', {
      ref_id: structuredContent.ref_id,
      page: 1,
    })
    expect(JSON.stringify(page)).toContain('Next: refcache_refcache_get_cached_result')
    await session.poll('d', 'cancel_task', { task: 5 })
    await session.poll('e', 'get_cached_result', { ref_id: 'another:0123' })
    expect(
      calls.filter(line => line.includes('"cancel_task"') || line.includes('another:0123')),
    ).toHaveLength(2)
    expect(session.logged.filter(line => line.includes('tool_renamed'))).toHaveLength(2)
    const introduced = JSON.parse(await session.ask('i', 'initialize'))
    expect(introduced.result.instructions).toContain(
      'call refcache_refcache_get_cached_result with the ref_id',
    )
    expect(introduced.result.instructions).not.toContain(' cancel_task')
  })

  it('say before the server has listed its own that the names may change', async () => {
    const session = await wired(serverOf(() => '{}'))
    const introduced = JSON.parse(await session.ask('i', 'initialize'))
    expect(introduced.result.instructions).toContain('called refcache_')
  })
})

describe('a list of tools is answered', () => {
  it.each([10, 1_000, 3_000])('with descriptions of %d characters as they are', async length => {
    const description = 'd'.repeat(length)
    const serve = serverOf(() => '{}', JSON.stringify([{ name: 't', description }, { name: 'u' }]))
    const [tool, other] = (await list(await wired(serve), 'a')).tools
    expect(tool?.description).toBe(description)
    expect(other).not.toHaveProperty('description')
    const noted = await wired(serve, { settings: { defaults: {}, tools: {}, notes: true } })
    const [first] = (await list(noted, 'a')).tools
    expect(first?.description).toBe(length < 1_000 ? `${description}\n\n${TOOL_NOTE}` : description)
  })

  it('with arguments that may be references, where a list or an object is wanted', async () => {
    const inputSchema = {
      type: 'object',
      properties: {
        rows: { type: 'array', items: { type: 'number' } },
        options: { type: 'object' },
        name: { type: 'string' },
        count: { type: 'integer' },
        region: { type: 'object', 'x-mcp-header': 'Region' },
        one: { type: 'array', enum: [[]] },
      },
    }
    const serve = serverOf(() => '{"content":[]}', JSON.stringify([{ name: 't', inputSchema }]))
    const [tool] = (await list(await wired(serve), 'a')).tools
    expect(tool?.inputSchema).toEqual({
      ...inputSchema,
      properties: {
        ...inputSchema.properties,
        rows: { ...inputSchema.properties.rows, type: ['array', 'string'] },
        options: { type: ['object', 'string'] },
      },
    })
    const added = await countTokens(JSON.stringify(tool?.inputSchema))
    expect(added - (await countTokens(JSON.stringify(inputSchema)))).toBeLessThanOrEqual(2 * 4)
    for (const options of [
      { limits: { profile: 'gemini-cli' } },
      { settings: { defaults: { resolveRefs: false }, tools: {} } },
    ]) {
      const [plain] = (await list(await wired(serve, options), 'a')).tools
      expect(plain?.inputSchema).toEqual(inputSchema)
    }
    const reserved = await wired(serve, { settings: { defaults: {}, tools: {}, listReserved: true } })
    const [open] = (await list(reserved, 'a')).tools
    expect(open?.inputSchema?.properties).toMatchObject({
      _fresh: { type: 'boolean' },
      _as_ref: { type: 'boolean' },
    })
  })

  it('with ours, and with output schemas, in few tokens', async () => {
    const outputSchema = {
      type: 'object',
      properties: { content: { type: 'string' } },
      required: ['content'],
    }
    const session = await wired(serverOf(() => '{}', JSON.stringify([{ name: 't', outputSchema }])))
    const { tools } = await list(session, 'a')
    const shown = tools
      .slice(1)
      .map(({ name, description, inputSchema }) => ({ name, description, inputSchema }))
    expect(await countTokens(JSON.stringify(shown))).toBeLessThan(500)
    const added = await countTokens(JSON.stringify(tools[0]?.outputSchema))
    expect(added - (await countTokens(JSON.stringify(outputSchema)))).toBeLessThanOrEqual(15)
  })

  it('and a number or a list that comes as text reaches the server as its schema wants it', async () => {
    const heard: string[] = []
    const properties = { n: { type: 'integer' }, rows: { type: 'array' }, text: { type: 'string' } }
    const session = await wired(
      serverOf(
        line => {
          heard.push(JSON.stringify(JSON.parse(line).params.arguments))
          return '{"content":[]}'
        },
        JSON.stringify([{ name: 't', inputSchema: { type: 'object', properties } }]),
      ),
    )
    await list(session, 'a')
    const args = { n: '12', rows: '["a",1]', text: '["a"]' }
    await session.ask('b', 'tools/call', JSON.stringify({ name: 't', arguments: args }))
    await session.ask('c', 'tools/call', JSON.stringify({ name: 't', arguments: { n: 'x', rows: '{}' } }))
    expect(heard).toEqual(['{"n":12,"rows":["a",1],"text":"[\\"a\\"]"}', '{"n":"x","rows":"{}"}'])
  })

  it('with 3,000 tools, which can all be called', async () => {
    const tools = Array.from({ length: 3_000 }, (_, at) => ({ name: `t${at}` }))
    const session = await wired(serverOf(() => '{"content":[]}', JSON.stringify(tools)))
    expect((await list(session, 'a')).tools).toHaveLength(3_005)
    expect(await session.ask('b', 'tools/call', '{"name":"t2999"}')).toContain('"content":[]')
  })

  it('with schemas that are 20,000 levels deep', async () => {
    const deep = `${'{"items":'.repeat(20_000)}{}${'}'.repeat(20_000)}`
    const tools = `[{"name":"t","inputSchema":${deep},"outputSchema":${deep}},{"name":"u"}]`
    const session = await wired(serverOf(() => '{"content":[],"structuredContent":{"a":1}}', tools))
    const answer = await session.ask('a', 'tools/list')
    expect(answer.includes(`"inputSchema":${deep}`)).toBe(true)
    expect(answer).toContain('get_cached_result')
    expect(await session.ask('b', 'tools/call', '{"name":"t"}')).toContain('"structuredContent":{"a":1}')
  })

  it('with an error of JSON-RPC where it cannot be passed on', async () => {
    const session = await wired(
      serverOf(() => '{}', '[{"name":"t","description":{"no":"text"},"execution":7}]'),
    )
    const answer = JSON.parse(await session.ask('a', 'tools/list'))
    expect(answer.result ?? answer.error).toBeDefined()
  })
})
