import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../../src/core/json.ts'
import { FakeClock } from '../../../../src/testing/fake-clock.ts'
import { KnownInMemory } from '../../../../src/wrap/servers/known-servers.ts'
import { Front, type FrontOptions, Played, tool } from './scene.ts'

const fronts: Front[] = []
afterEach(async () => {
  for (const front of fronts.splice(0)) await front.close()
})

async function open(servers: Record<string, Played>, options?: FrontOptions): Promise<Front> {
  const front = await Front.open(servers, options)
  fronts.push(front)
  return front
}

const textOf = (result: { content: { text: string }[] }) => result.content[0]?.text

describe('tools of several servers', () => {
  it('are one list with our tools once, and a call reaches its server under its own name', async () => {
    const [a, b] = [
      new Played({ tools: [tool('read'), tool('write')] }),
      new Played({ tools: [tool('read')] }),
    ]
    const front = await open({ a, b })
    const { tools } = await front.ask('tools/list')
    const names = tools.map(({ name }: { name: string }) => name)
    expect(names.slice(0, 3)).toEqual(['a_read', 'a_write', 'b_read'])
    expect(names.filter((name: string) => name === 'get_cached_result')).toHaveLength(1)
    expect(textOf(await front.call('b_read', { x: 1 }))).toBe('read {"x":1}')
    expect(a.asked('tools/call')).toEqual([])
    await expect(front.call('c_read')).rejects.toThrow("There is no tool 'c_read'")
    await expect(front.call('read')).rejects.toThrow('There is no tool')
  })

  it('are listed in whole, page by page, and those of a server without tools are none', async () => {
    const paged = new Played({
      answer: (method, { cursor }) => {
        if (method !== 'tools/list') return undefined as never
        return cursor === undefined ? { tools: [tool('one')], nextCursor: '2' } : { tools: [tool('two')] }
      },
    })
    const none = new Played({ capabilities: { prompts: {} } })
    const front = await open({ paged, none })
    expect(await front.names()).toEqual(['paged_one', 'paged_two'])
    expect(none.asked('tools/list')).toEqual([])
  })

  it('can be chosen, renamed and described otherwise', async () => {
    const described = (name: string) => tool(name, { description: 'Reads it. All of it, slowly, with care.' })
    const a = new Played({
      tools: [described('read'), described('read_all'), described('write'), described('delete')],
    })
    const selection = {
      include: ['read*', 'delete'],
      exclude: ['delete'],
      rename: { read_all: 'all' },
      describe: { read: 'One.' },
      maxDescription: 12,
    }
    const front = await open({ a }, { selections: { a: selection } })
    const { tools } = await front.ask('tools/list')
    expect(tools.slice(0, 2)).toMatchObject([
      { name: 'a_read', description: 'One.' },
      { name: 'a_all', description: 'Reads it.' },
    ])
    expect(await front.names()).toHaveLength(2)
    expect(textOf(await front.call('a_all'))).toBe('read_all {}')
    await expect(front.call('a_delete')).rejects.toThrow('There is no tool')
  })

  it('change when one server says so, and the client is told', async () => {
    const tools = [tool('one')]
    const a = new Played({ tools })
    const front = await open({ a, b: new Played() })
    await front.names()
    tools.push(tool('two'))
    a.say({ method: 'notifications/tools/list_changed' })
    await front.wired.line('notifications/tools/list_changed')
    expect(await front.names()).toEqual(['a_one', 'a_two'])
  })

  it('are said to have changed once the new list is there, also where it is the same', async () => {
    const a = new Played({ tools: [tool('one')] })
    const front = await open({ a })
    await front.names()
    a.say({ method: 'notifications/tools/list_changed' })
    await expect.poll(() => front.told('notifications/tools/list_changed').length).toBe(1)
    expect(a.asked('tools/list').length).toBe(2)
  })

  it('have a reference of one server as the input of another', async () => {
    const big = Array.from({ length: 3_000 }, (_, n) => ({ n, text: `row ${n}` }))
    const a = new Played({
      tools: [tool('rows')],
      answer: method =>
        method === 'tools/call'
          ? { content: [{ type: 'text', text: JSON.stringify(big) }] }
          : (undefined as never),
    })
    const b = new Played({
      tools: [tool('count', { inputSchema: { type: 'object', properties: { rows: { type: 'array' } } } })],
    })
    const front = await open({ a, b })
    await front.names()
    const { ref_id } = JSON.parse(textOf(await front.call('a_rows')) ?? '')
    await front.call('b_count', { rows: ref_id })
    expect(b.asked('tools/call')).toMatchObject([{ name: 'count', arguments: { rows: big } }])
  })
})

describe('prompts and completion', () => {
  it('go to the server whose prompt it is', async () => {
    const a = new Played({ prompts: [{ name: 'greet' }] })
    const b = new Played({
      prompts: [{ name: 'greet' }],
      answer: method =>
        method === 'completion/complete' ? { completion: { values: ['x'] } } : (undefined as never),
    })
    const front = await open({ a, b })
    expect(await front.names('prompts')).toEqual(['a_greet', 'b_greet'])
    await front.ask('prompts/get', { name: 'a_greet' })
    expect(a.asked('prompts/get')).toEqual([{ name: 'greet' }])
    const argument = { name: 'who', value: '' }
    await front.ask('completion/complete', { ref: { type: 'ref/prompt', name: 'b_greet' }, argument })
    expect(b.asked('completion/complete')).toEqual([{ ref: { type: 'ref/prompt', name: 'greet' }, argument }])
  })
})

describe('resources', () => {
  const reads =
    (who: string) =>
    (method: string, { uri }: JsonObject) =>
      method === 'resources/read' ? { contents: [{ uri: uri as string, text: who }] } : (undefined as never)

  it('keep their URIs, and two of one URI can both be reached', async () => {
    const resources = [{ uri: 'file:///same', name: 'same' }]
    const templates = [{ uriTemplate: 'file:///t/{path}', name: 't' }]
    const a = new Played({ resources, templates, answer: reads('a') })
    const b = new Played({
      resources: [...resources, { uri: 'b://own', name: 'own' }],
      templates,
      answer: reads('b'),
    })
    const front = await open({ a, b })
    const listed = (await front.ask('resources/list')).resources.map(({ uri }: { uri: string }) => uri)
    expect(listed).toEqual(['file:///same', 'b+file:///same', 'b://own'])
    const { resourceTemplates } = await front.ask('resources/templates/list')
    expect(
      resourceTemplates.slice(0, 2).map(({ uriTemplate }: { uriTemplate: string }) => uriTemplate),
    ).toEqual(['file:///t/{path}', 'b+file:///t/{path}'])
    for (const [uri, who] of [
      ['file:///same', 'a'],
      ['b+file:///same', 'b'],
      ['b://own', 'b'],
      ['file:///t/x', 'a'],
      ['b+file:///t/x', 'b'],
    ] as const) {
      expect((await front.ask('resources/read', { uri })).contents).toEqual([{ uri, text: who }])
    }
  })

  it('that nobody lists are read where they are, or where they were linked to', async () => {
    const only =
      (own: string, who: string) =>
      (method: string, { uri }: JsonObject) => {
        if (method === 'tools/call')
          return { content: [{ type: 'resource_link', uri: 'x://linked', name: 'l' }] }
        if (method !== 'resources/read') return undefined as never
        if (uri !== own && uri !== 'x://linked') return { error: { code: -32002, message: 'none' } }
        return { contents: [{ uri: String(uri), text: who }] }
      }
    const a = new Played({ resources: [], answer: only('x://a', 'a') })
    const b = new Played({ tools: [tool('link')], resources: [], answer: only('x://b', 'b') })
    const front = await open({ a, b })
    await front.names()
    expect((await front.ask('resources/read', { uri: 'x://b' })).contents[0].text).toBe('b')
    const { uri } = (await front.call('b_link')).content[0]
    expect(uri).toBe('x://linked')
    expect((await front.ask('resources/read', { uri })).contents).toEqual([{ uri, text: 'b' }])
    expect(await front.response('resources/read', { uri: 'x://nowhere' })).toMatchObject({
      error: { code: -32002, data: { uri: 'x://nowhere' } },
    })
  })

  it('are linked to by URIs that lead back to their server', async () => {
    const same = [{ uri: 'file:///same', name: 'same' }]
    const links = {
      content: [
        { type: 'resource_link', uri: 'file:///same', name: 's' },
        { type: 'resource', resource: { uri: 'file:///same', text: 't' } },
      ],
    }
    const answer = (method: string) => (method === 'tools/call' ? links : (undefined as never))
    const front = await open({
      a: new Played({ resources: same, tools: [tool('t')], answer }),
      b: new Played({ resources: same, tools: [tool('t')], answer }),
    })
    await front.names()
    await front.ask('resources/list')
    expect((await front.call('a_t')).content).toEqual(links.content)
    expect((await front.call('b_t')).content).toMatchObject([
      { uri: 'b+file:///same' },
      { resource: { uri: 'b+file:///same' } },
    ])
  })

  it('are followed at their server, also after it was started again', async () => {
    const [a, b] = [
      new Played({ resources: [{ uri: 'a://1', name: 'a' }] }),
      new Played({ resources: [{ uri: 'b://1', name: 'b' }] }),
    ]
    const front = await open({ a, b })
    await front.ask('resources/list')
    await front.ask('resources/subscribe', { uri: 'b://1' })
    expect([a, b].map(one => one.asked('resources/subscribe').length)).toEqual([0, 1])
    b.say({ method: 'notifications/resources/updated', params: { uri: 'b://1' } })
    await front.wired.line('notifications/resources/updated')
    b.die()
    await expect.poll(() => b.asked('resources/subscribe').length).toBe(2)
  })
})

describe('what servers ask and say', () => {
  it('reaches the client, and each answer its server, although they use the same ids', async () => {
    const [a, b] = [new Played(), new Played()]
    const front = await open({ a, b }, { capabilities: { roots: {} } })
    await front.names()
    a.say({ id: 1, method: 'roots/list' })
    b.say({ id: 1, method: 'roots/list' })
    await expect.poll(() => front.told('roots/list').length).toBe(2)
    const asked = front.told('roots/list')
    const of = (name: string) =>
      asked.find(({ params }) => ((params as JsonObject)._meta as JsonObject)['mcp-refcache/server'] === name)
    front.respond(of('b')?.id, { roots: [{ uri: 'file:///b' }] })
    front.respond(of('a')?.id, { roots: [{ uri: 'file:///a' }] })
    await expect
      .poll(() => [a.answers, b.answers].map(answers => answers[0]))
      .toEqual([
        { jsonrpc: '2.0', id: 1, result: { roots: [{ uri: 'file:///a' }] } },
        { jsonrpc: '2.0', id: 1, result: { roots: [{ uri: 'file:///b' }] } },
      ])
    front.tell('notifications/roots/list_changed')
    await expect
      .poll(() => [a, b].map(one => one.asked('notifications/roots/list_changed').length))
      .toEqual([1, 1])
  })

  it('is a question of the call that its server runs, and not of a newer call of another one', async () => {
    let answerA: (value: JsonObject) => void = () => {}
    const a = new Played({
      tools: [tool('ask')],
      answer: method =>
        method === 'tools/call'
          ? new Promise(resolve => {
              answerA = resolve
            })
          : (undefined as never),
    })
    const b = new Played({
      tools: [tool('slow')],
      answer: method => (method === 'tools/call' ? 'never' : (undefined as never)),
    })
    const front = await open({ a, b }, { capabilities: { elicitation: {} } })
    await front.names()
    const task = { task: {} }
    const created = await front.call('a_ask', {}, task)
    const other = await front.call('b_slow', {}, task)
    await expect.poll(() => b.asked('tools/call').length).toBe(1)
    a.say({
      id: 7,
      method: 'elicitation/create',
      params: { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } },
    })
    const statusOf = async ({ task: { taskId } }: { task: { taskId: string } }) =>
      (await front.ask('tasks/get', { taskId })).status
    await expect.poll(() => statusOf(created)).toBe('input_required')
    expect(await statusOf(other)).toBe('working')
    answerA({ content: [] })
  })

  it('says in its logs which server it is, and all are told how much to say', async () => {
    const logging = { tools: {}, logging: {} }
    const [a, b] = [new Played({ capabilities: logging }), new Played({ capabilities: logging })]
    const front = await open({ a, b })
    await front.ask('logging/setLevel', { level: 'debug' })
    expect([a, b].map(one => one.asked('logging/setLevel'))).toEqual([
      [{ level: 'debug' }],
      [{ level: 'debug' }],
    ])
    b.say({ method: 'notifications/message', params: { level: 'info', logger: 'db', data: 'x' } })
    b.say({ method: 'notifications/message', params: { level: 'info', data: 'y' } })
    await expect
      .poll(() => front.told('notifications/message').map(({ params }) => (params as JsonObject).logger))
      .toEqual(['b/db', 'b'])
  })

  it('answers no request of another server, and reports no progress for it', async () => {
    const a = new Played({
      tools: [tool('t')],
      answer: method => (method === 'tools/call' ? 'never' : (undefined as never)),
    })
    const b = new Played({ tools: [tool('t')] })
    const front = await open({ a, b }, { settings: { defaults: { asyncTimeout: 0 }, tools: {} } })
    await front.names()
    const { ref_id } = (await front.call('a_t')).structuredContent
    await expect.poll(() => a.heard.some(({ method }) => method === 'tools/call')).toBe(true)
    const id = a.heard.find(({ method }) => method === 'tools/call')?.id
    b.say({ id, result: { content: [{ type: 'text', text: 'forged' }] } } as never)
    b.say({
      method: 'notifications/progress',
      params: { progressToken: id as string, progress: 5, total: 10 },
    })
    const polled = await front.call('get_cached_result', { ref_id, wait_seconds: 0 })
    expect(polled.structuredContent).toMatchObject({ status: 'processing' })
    expect(polled.structuredContent.progress).toBeUndefined()
  })
})

describe('a server that is away', () => {
  it('leaves the others usable, and is said to be away by a call of it', async () => {
    const bad = new Played({ cannotStart: 'there is no such command.' })
    const front = await open({ bad, good: new Played({ tools: [tool('t')] }) })
    expect(await front.names()).toEqual(['good_t'])
    expect((await front.call('good_t')).isError).toBeUndefined()
    const { isError, content } = await front.call('bad_anything')
    expect(isError).toBe(true)
    expect(content[0].text).toMatch(/The server 'bad' is away: there is no such command/)
  })

  it('is said to be so before anything is called, and why it never can be used', async () => {
    const bad = new Played({ cannotStart: 'no such command.' })
    const front = await open(
      { bad, wrong: new Played(), good: new Played({ instructions: 'Be good.' }) },
      { problems: { wrong: 'its url is no address' }, greets: false },
    )
    const { instructions } = await front.greet()
    expect(instructions).toMatch(/^Tool answers may be references/)
    expect(instructions).toContain('good: Be good.')
    expect(instructions).toMatch(/bad: no such command/)
    const { content } = await front.call('wrong_x')
    expect(content[0].text).toContain("The server 'wrong' cannot be used: its url is no address")
  })

  it('fails what it was asked, keeps its tools in the list, and is started again', async () => {
    let isQuiet = true
    const a = new Played({
      tools: [tool('t')],
      answer: method => (method === 'tools/call' && isQuiet ? 'never' : (undefined as never)),
    })
    const b = new Played({ tools: [tool('t')] })
    const front = await open({ a, b })
    await front.names()
    const calling = front.call('a_t')
    await expect.poll(() => a.asked('tools/call').length).toBe(1)
    isQuiet = false
    a.die('It was killed (SIGKILL).')
    const { isError, content } = await calling
    expect(isError).toBe(true)
    expect(content[0].text).toContain("The server 'a' went away before it answered: It was killed (SIGKILL).")
    expect(await front.names()).toEqual(['a_t', 'b_t'])
    expect(textOf(await front.call('b_t'))).toBe('t {}')
    expect(textOf(await front.call('a_t'))).toBe('t {}')
    expect(a.starts).toBe(2)
    expect(b.starts).toBe(1)
  })

  it('that never says who it is is waited for once, and said to be away', async () => {
    const mute = new Played({ answer: method => (method === 'initialize' ? 'never' : (undefined as never)) })
    const clock = new FakeClock()
    const front = await open({ mute, good: new Played({ tools: [tool('t')] }) }, { clock, greets: false })
    const greeting = front.greet()
    await expect.poll(() => mute.starts).toBe(1)
    await clock.advance(10_000)
    await greeting
    expect(await front.names()).toEqual(['good_t'])
    const calling = front.call('mute_x')
    await clock.advance(30_000)
    const { content } = await calling
    expect(content[0].text).toContain("The server 'mute' is away")
  })

  it('that hangs is ended and started again: it was silent for long, and does not answer a ping', async () => {
    let hangs = false
    const a = new Played({
      tools: [tool('t')],
      answer: () => (hangs ? 'never' : (undefined as never)),
    })
    const clock = new FakeClock()
    const front = await open({ a }, { clock })
    await front.names()
    await front.call('a_t')
    expect(a.asked('ping')).toEqual([])
    hangs = true
    await clock.advance(61_000)
    const calling = front.call('a_t')
    await expect.poll(() => a.asked('ping').length).toBe(1)
    hangs = false
    await clock.advance(10_000)
    expect(textOf(await calling)).toBe('t {}')
    expect(a.starts).toBe(2)
  })

  it('no longer wants answers to what it asked', async () => {
    const a = new Played()
    const front = await open({ a }, { capabilities: { roots: {} } })
    await front.names()
    a.say({ id: 1, method: 'roots/list' })
    await front.wired.line('roots/list')
    a.die()
    await front.wired.line('notifications/cancelled')
    const [{ params } = {}] = front.told('notifications/cancelled')
    expect((params as JsonObject).requestId).toBe(front.told('roots/list')[0]?.id)
  })

  it('has a call cancelled that waits for it', async () => {
    const a = new Played({
      tools: [tool('t')],
      answer: method => (method === 'tools/call' ? 'never' : (undefined as never)),
    })
    const front = await open({ a })
    await front.names()
    front.wired.send('{"jsonrpc":"2.0","id":"x","method":"tools/call","params":{"name":"a_t"}}')
    await expect.poll(() => a.asked('tools/call').length).toBe(1)
    front.tell('notifications/cancelled', { requestId: 'x' })
    await expect.poll(() => a.asked('notifications/cancelled').length).toBe(1)
  })
})

describe('servers that start when they are called', () => {
  it('are listed as they were last known, and start at the first call alone', async () => {
    const known = new KnownInMemory()
    const servers = () => ({
      a: new Played({ tools: [tool('t')], instructions: 'As known.' }),
      b: new Played({ tools: [tool('t')] }),
    })
    const before = await open(servers(), { known })
    await before.names()
    await before.close()
    const now = servers()
    const front = await open(now, { known, isLazy: true, greets: false })
    expect((await front.greet()).instructions).toContain('As known.')
    expect(await front.names()).toEqual(['a_t', 'b_t'])
    expect([now.a.starts, now.b.starts]).toEqual([0, 0])
    expect(textOf(await front.call('b_t'))).toBe('t {}')
    expect([now.a.starts, now.b.starts]).toEqual([0, 1])
    expect(now.b.heard.slice(0, 2).map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
    ])
  })

  it('tell the client when they list other tools than they did', async () => {
    const known = new KnownInMemory()
    known.keep('a', {
      introduction: { capabilities: { tools: {} } },
      lists: { tools: [tool('old')], prompts: [], resources: [], templates: [] },
    })
    const a = new Played({ tools: [tool('old'), tool('new')] })
    const front = await open({ a }, { known, isLazy: true })
    expect(await front.names()).toEqual(['a_old'])
    await front.call('a_old')
    await front.wired.line('notifications/tools/list_changed')
    expect(await front.names()).toEqual(['a_old', 'a_new'])
    await expect.poll(() => known.of('a')?.lists.tools).toHaveLength(2)
  })

  it('of which nothing is known start at once', async () => {
    const a = new Played({ tools: [tool('t')] })
    const front = await open({ a }, { isLazy: true })
    expect(await front.names()).toEqual(['a_t'])
  })
})

describe('tasks of the servers themselves', () => {
  it('are followed at their server, although two servers use the same ids', async () => {
    const tasks = { tools: {}, tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } }
    const job = (who: string): Played =>
      new Played({
        capabilities: tasks,
        tools: [tool('job', { execution: { taskSupport: 'required' } })],
        answer: (method, { taskId, task }) => {
          const state = { taskId: '1', status: 'completed', createdAt: 'x', lastUpdatedAt: 'x', ttl: null }
          if (method === 'tools/call')
            return task
              ? { task: { ...state, status: 'working', pollInterval: 1 } }
              : { error: { code: -32601, message: 'tasks only' } }
          if (method === 'tasks/get')
            return taskId === '1' ? state : { error: { code: -32602, message: 'unknown' } }
          if (method === 'tasks/result') return { content: [{ type: 'text', text: `${who} ${taskId}` }] }
          return undefined as never
        },
      })
    const front = await open({ a: job('a'), b: job('b') })
    await front.names()
    const [one, other] = await Promise.all([front.call('a_job'), front.call('b_job')])
    expect([textOf(one), textOf(other)]).toEqual(['a 1', 'b 1'])
  })
})

it('does not pass on what does not say which server it is for', async () => {
  const front = await open({ a: new Played(), b: new Played() })
  await expect(front.ask('custom/thing')).rejects.toThrow('does not say which one it is for')
  expect(await front.ask('ping')).toEqual({})
})
