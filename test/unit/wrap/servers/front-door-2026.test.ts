import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../../src/core/json.ts'
import { type Answer, Front, type FrontOptions, Played, type PlayedOptions, tool } from './scene.ts'

const TASKS = 'io.modelcontextprotocol/tasks'
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'
const metaWith = (capabilities: JsonObject = {}) => ({
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': capabilities,
})

/** A server of 2026-07-28. */
function modern(options: PlayedOptions & { declares?: JsonObject } = {}): Played {
  return new Played({
    ...options,
    answer(method, params, server) {
      const own = options.answer?.(method, params, server)
      if (own !== undefined) return own
      if (method === 'subscriptions/listen') return 'never'
      if (method !== 'server/discover') return undefined as never
      const capabilities = options.declares ?? {
        tools: {},
        ...(options.resources ? { resources: { subscribe: true } } : {}),
      }
      return { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities }
    },
  })
}

const fronts: Front[] = []
afterEach(async () => {
  for (const front of fronts.splice(0)) await front.close()
})

async function open(servers: Record<string, Played>, options: FrontOptions = {}): Promise<Front> {
  const front = await Front.open(servers, { ...options, greets: false })
  fronts.push(front)
  return front
}

const ask = (front: Front, method: string, params: JsonObject = {}, capabilities?: JsonObject) =>
  front.ask(method, { ...params, _meta: metaWith(capabilities) })

describe('a front door at 2026-07-28', () => {
  it('is one server by its discovery, its lists, and its calls', async () => {
    const a = modern({ tools: [tool('t')], declares: { tools: {}, extensions: { 'x.example/a': {} } } })
    const b = modern({ tools: [tool('t')], declares: { prompts: {}, extensions: { 'x.example/b': {} } } })
    const front = await open({ a, b })
    const discovered = await ask(front, 'server/discover')
    expect(discovered).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {}, prompts: {}, extensions: { 'x.example/a': {}, 'x.example/b': {} } },
    })
    const listed = await ask(front, 'tools/list')
    expect(listed).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' })
    expect(listed.tools[0].name).toBe('a_t')
    expect((await ask(front, 'tools/call', { name: 'a_t', arguments: { x: 1 } })).content[0].text).toBe(
      't {"x":1}',
    )
    expect(a.heard[0]).toMatchObject({ method: 'server/discover', params: { _meta: metaWith() } })
  })

  it('tells those who listen of changes of any server, under their own subscription', async () => {
    const tools = [tool('one')]
    const a = modern({ tools, resources: [{ uri: 'a://1', name: 'r' }] })
    const b = modern({ tools: [tool('t')], resources: [{ uri: 'b://1', name: 'r' }] })
    const front = await open({ a, b })
    await ask(front, 'tools/list')
    await ask(front, 'resources/list')
    const notifications = { toolsListChanged: true, resourceSubscriptions: ['b://1'] }
    front.wired.send(
      JSON.stringify({
        jsonrpc: '2.0',
        id: 'L',
        method: 'subscriptions/listen',
        params: { _meta: metaWith(), notifications },
      }),
    )
    await front.wired.line('notifications/subscriptions/acknowledged')
    expect(front.told('notifications/subscriptions/acknowledged')).toMatchObject([
      { params: { notifications, _meta: { [SUBSCRIPTION_ID]: 'L' } } },
    ])
    const listens = (one: Played) => one.heard.filter(({ method }) => method === 'subscriptions/listen')
    await expect
      .poll(() => listens(b).at(-1)?.params.notifications)
      .toMatchObject({ resourceSubscriptions: ['b://1'] })
    expect(listens(a).at(-1)?.params.notifications).not.toHaveProperty('resourceSubscriptions')
    const own = { _meta: { [SUBSCRIPTION_ID]: listens(b).at(-1)?.id as string } }
    b.say({ method: 'notifications/resources/updated', params: { uri: 'b://1', ...own } })
    tools.push(tool('two'))
    a.say({ method: 'notifications/tools/list_changed', params: own })
    await expect.poll(() => front.told('notifications/tools/list_changed').length).toBe(1)
    for (const method of ['notifications/resources/updated', 'notifications/tools/list_changed'])
      expect(front.told(method)).toMatchObject([{ params: { _meta: { [SUBSCRIPTION_ID]: 'L' } } }])
    front.tell('notifications/cancelled', { requestId: 'L' })
    await expect
      .poll(() => listens(b).at(-1)?.params.notifications)
      .not.toHaveProperty('resourceSubscriptions')
  })

  it('knows none of what the revision has no more, and no tasks for clients that do not follow them', async () => {
    const front = await open({ a: modern({ declares: { tools: {}, extensions: { [TASKS]: {} } } }) })
    await ask(front, 'tools/list')
    const errorOf = async (method: string, params: JsonObject, capabilities?: JsonObject) =>
      (await front.response(method, { ...params, _meta: metaWith(capabilities) })).error as JsonObject
    for (const method of ['ping', 'logging/setLevel', 'resources/subscribe', 'tasks/list', 'tasks/result'])
      expect(await errorOf(method, { uri: 'x://y', taskId: 'a/1' })).toMatchObject({ code: -32601 })
    expect(await errorOf('tasks/get', { taskId: 'a/1' })).toMatchObject({ code: -32021 })
    const follows = { extensions: { [TASKS]: {} } }
    expect(await errorOf('tasks/get', { taskId: 'nobody/1' }, follows)).toMatchObject({ code: -32602 })
  })

  it('passes what a server asks, and takes the answer back to it', async () => {
    const asking = (who: string) =>
      modern({
        tools: [tool('t')],
        answer: (method, { inputResponses }): Answer => {
          if (method !== 'tools/call') return undefined as never
          if (inputResponses)
            return {
              resultType: 'complete',
              content: [{ type: 'text', text: `${who} heard ${JSON.stringify(inputResponses)}` }],
            }
          const params = { message: `${who}?`, requestedSchema: { type: 'object', properties: {} } }
          return {
            resultType: 'input_required',
            inputRequests: { q: { method: 'elicitation/create', params } },
            requestState: who,
          }
        },
      })
    const front = await open({ a: asking('a'), b: asking('b') })
    await ask(front, 'tools/list')
    const can = { elicitation: { form: {} } }
    const asked = await ask(front, 'tools/call', { name: 'b_t' }, can)
    expect(asked).toMatchObject({
      resultType: 'input_required',
      inputRequests: { q: { params: { message: 'b: b?' } } },
    })
    const inputResponses = { q: { action: 'accept', content: {} } }
    const { requestState } = asked
    const answered = await ask(front, 'tools/call', { name: 'b_t', inputResponses, requestState }, can)
    expect(answered.content[0].text).toContain('b heard')
  })

  it('follows tasks of its servers, although they use the same ids', async () => {
    const job = (who: string) =>
      modern({
        tools: [tool('job')],
        declares: { tools: {}, extensions: { [TASKS]: {} } },
        answer: (method, { taskId }) => {
          const task = {
            taskId: '1',
            status: 'working',
            ttlMs: null,
            createdAt: 'x',
            lastUpdatedAt: 'x',
            pollIntervalMs: 1,
          }
          if (method === 'tools/call') return { resultType: 'task', ...task }
          if (method !== 'tasks/get') return undefined as never
          const result = { resultType: 'complete', content: [{ type: 'text', text: `${who} ${taskId}` }] }
          return { resultType: 'complete', ...task, status: 'completed', result }
        },
      })
    const front = await open({ a: job('a'), b: job('b') })
    await ask(front, 'tools/list')
    const calls = ['a_job', 'b_job'].map(name => ask(front, 'tools/call', { name }))
    expect((await Promise.all(calls)).map(({ content }) => content[0].text)).toEqual(['a 1', 'b 1'])
  })
})
