import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client as V1Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as V1Transport } from '@modelcontextprotocol/sdk/client/stdio.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { program } from './fixtures/programs.ts'
import { EVERYTHING, MAIN, PLAIN, until, Workshop } from './fixtures/wrap-harness.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

const everything = [...EVERYTHING, 'stdio']
const V2_SERVER = [process.execPath, program('wrap-v2-server')]

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

describe('everything of server-everything passes', () => {
  it('its introduction, with a few words of ours', async () => {
    const direct = await workshop.connect(everything)
    const { client } = await workshop.client(everything)
    expect(client.getServerVersion()).toEqual(direct.client.getServerVersion())
    expect(client.getServerCapabilities()).toEqual(direct.client.getServerCapabilities())
    const own = direct.client.getInstructions() ?? ''
    const instructions = client.getInstructions() ?? ''
    expect(instructions.startsWith(own)).toBe(true)
    expect(instructions.slice(own.length)).toContain('get_cached_result')
    expect(instructions.length - own.length).toBeLessThanOrEqual(1_900)
  })

  it('resources, templates, prompts, completion, ping', async () => {
    const direct = await workshop.connect(everything)
    const { client } = await workshop.client(everything)
    for (const one of [direct.client, client]) await one.ping()
    const { resources } = await client.listResources()
    expect(resources).toEqual((await direct.client.listResources()).resources)
    const templates = (await client.listResourceTemplates()).resourceTemplates
    expect(templates.slice(0, -1)).toEqual((await direct.client.listResourceTemplates()).resourceTemplates)
    expect(templates.at(-1)?.uriTemplate).toBe('refcache:///{ref_id}')
    expect(await client.listPrompts()).toEqual(await direct.client.listPrompts())
    const uri = resources[0]?.uri ?? ''
    expect(await client.readResource({ uri })).toEqual(await direct.client.readResource({ uri }))
    const prompt = { name: 'args-prompt', arguments: { city: 'Oslo' } }
    expect(await client.getPrompt(prompt)).toEqual(await direct.client.getPrompt(prompt))
    const completion = {
      ref: { type: 'ref/prompt' as const, name: 'completable-prompt' },
      argument: { name: 'department', value: 'E' },
    }
    const completed = await client.complete(completion)
    expect(completed).toEqual(await direct.client.complete(completion))
    expect(completed.completion.values.length).toBeGreaterThan(0)
  })

  it('results of earlier calls, as resources beside those of the server', async () => {
    const { client } = await workshop.client(everything)
    const before = (await client.listResources()).resources
    const called = await client.callTool({ name: 'echo', arguments: { message: 'kept', _as_ref: true } })
    const { ref_id } = called.structuredContent as { ref_id: string }
    const { resources } = await client.listResources()
    expect(resources.slice(0, before.length)).toEqual(before)
    const [added, ...more] = resources.slice(before.length)
    expect(more).toEqual([])
    expect(added).toMatchObject({ uri: `refcache:///${ref_id}`, name: 'echo (just now)' })
    const { contents } = await client.readResource({ uri: String(added?.uri) })
    expect(contents).toMatchObject([{ mimeType: 'text/plain', text: 'Echo: kept' }])
  })

  it('log messages, at the level that the client set', async () => {
    const { client } = await workshop.client(everything)
    const levels: string[] = []
    client.setNotificationHandler('notifications/message', ({ params }) => void levels.push(params.level))
    await client.setLoggingLevel('debug')
    await client.callTool({ name: 'toggle-simulated-logging', arguments: {} })
    await until(() => levels[0], 'a log message')
  })

  it('subscriptions to resources', async () => {
    const { client } = await workshop.client(everything)
    const updated: string[] = []
    client.setNotificationHandler(
      'notifications/resources/updated',
      ({ params }) => void updated.push(params.uri),
    )
    const uri = (await client.listResources()).resources[0]?.uri ?? ''
    await client.subscribeResource({ uri })
    await client.callTool({ name: 'toggle-subscriber-updates', arguments: {} })
    expect(await until(() => updated[0], 'an update')).toBe(uri)
    await client.unsubscribeResource({ uri })
  })

  it('changes of its lists', async () => {
    const { client } = await workshop.client(everything)
    let changes = 0
    client.setNotificationHandler('notifications/tools/list_changed', () => void changes++)
    // It adds tools once the client has introduced itself.
    await until(() => changes > 0 || undefined, 'a change of the tools')
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toContain('get_cached_result')
  })

  it('what it asks of the client: sampling, elicitation, roots', async () => {
    const { client } = await workshop.client(everything, {
      client: { capabilities: { sampling: {}, elicitation: {}, roots: { listChanged: true } } },
    })
    client.setRequestHandler('sampling/createMessage', ({ params }) => ({
      model: 'test',
      role: 'assistant',
      content: { type: 'text', text: `sampled: ${JSON.stringify(params.messages).includes('why')}` },
    }))
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { name: 'Ada' } }))
    client.setRequestHandler('roots/list', () => ({
      roots: [{ uri: 'file:///somewhere', name: 'somewhere' }],
    }))

    const sampled = await client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'why', maxTokens: 9 },
    })
    expect(JSON.stringify(sampled.content)).toContain('sampled: true')
    const elicited = await client.callTool({ name: 'trigger-elicitation-request', arguments: {} })
    expect(JSON.stringify(elicited.content)).toContain('Ada')
    const listed = await client.callTool({ name: 'get-roots-list', arguments: {} })
    expect(JSON.stringify(listed.content)).toContain('file:///somewhere')
  })
})

describe('a client of the SDK v1', () => {
  it('gets all of it too: tools, a handle, its result, sampling, elicitation, roots', async () => {
    const client = new V1Client(
      { name: 'v1', version: '1' },
      { capabilities: { sampling: {}, elicitation: {}, roots: {} } },
    )
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      model: 'test',
      role: 'assistant',
      content: { type: 'text', text: 'from v1' },
    }))
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'decline' }))
    client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: [] }))
    const config = join(workshop.folder, 'config.json')
    const tools = { 'trigger-long-running-operation': { asyncTimeout: '300ms' } }
    writeFileSync(config, JSON.stringify({ tools }))
    const args = [MAIN, 'wrap', '--store', workshop.store, '--config', config, '--', ...everything]
    workshop.onEnd(() => client.close())
    await client.connect(new V1Transport({ command: process.execPath, args, stderr: 'ignore' }))

    const listed = await client.listTools()
    expect(listed.tools.map(({ name }) => name)).toContain('cancel_task')
    const operation = { name: 'trigger-long-running-operation', arguments: { duration: 1, steps: 2 } }
    const handle = ((await client.callTool(operation)) as Answer).structuredContent
    expect(handle.status).toBe('processing')
    const result = await client.callTool({ name: 'get_cached_result', arguments: { ref_id: handle.ref_id } })
    expect((result as Answer).content[0].text).toContain('completed')
    const sampled = (await client.callTool({
      name: 'trigger-sampling-request',
      arguments: { prompt: 'why', maxTokens: 9 },
    })) as Answer
    expect(JSON.stringify(sampled.content)).toContain('from v1')
  })

  it('calls tools that the server runs as tasks alone, as tasks and without', async () => {
    const client = new V1Client({ name: 'v1', version: '1' }, { capabilities: {} })
    const args = [MAIN, 'wrap', '--store', workshop.store, '--', ...everything]
    workshop.onEnd(() => client.close())
    await client.connect(new V1Transport({ command: process.execPath, args, stderr: 'ignore' }))
    await until(async () => {
      const { tools } = await client.listTools()
      return tools.some(({ name }) => name === 'simulate-research-query') || undefined
    }, 'the tool')
    const stream = client.experimental.tasks.callToolStream(
      { name: 'simulate-research-query', arguments: { topic: 'caches' } },
      undefined,
      { task: {} },
    )
    const kinds: string[] = []
    for await (const message of stream) kinds.push(message.type)
    expect(kinds[0]).toBe('taskCreated')
    expect(kinds.at(-1)).toBe('result')
    const plain = { name: 'simulate-research-query', arguments: { topic: 'caches' } }
    expect(JSON.stringify(await client.callTool(plain))).toContain('# Research Report: caches')
  })
})

describe('the 2026-07-28 revision', () => {
  const auto = { versionNegotiation: { mode: 'auto' as const }, capabilities: { elicitation: {} } }

  it('passes where both sides speak it: discovery, tools, a handle, its result', async () => {
    const { client } = await workshop.client(V2_SERVER, { client: auto, wrap: ['--async-timeout', '200ms'] })
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
    expect(client.getInstructions()).toMatch(/^Own instructions\.\n\n.*get_cached_result/s)
    const { tools } = await client.listTools()
    expect(tools.slice(0, 4).map(({ name }) => name)).toEqual([
      'slow',
      'pure',
      'confirm',
      'get_cached_result',
    ])
    const handle = (await client.callTool({ name: 'slow', arguments: { ms: 700 } }))
      .structuredContent as Answer
    expect(handle.status).toBe('processing')
    const result = await client.callTool({ name: 'get_cached_result', arguments: { ref_id: handle.ref_id } })
    expect(result.structuredContent).toEqual({ done: true })
    expect(workshop.journal('run')).toHaveLength(1)
    expect((workshop.journal('era').at(-1) as Answer).era).toBe('modern')
  })

  it('remembers what the operator says, until the client wants it fresh', async () => {
    const { client } = await workshop.client(V2_SERVER, { client: auto, wrap: ['--memoize', 'pure'] })
    const first = await client.callTool({ name: 'pure', arguments: {} })
    const { _meta, ...again } = await client.callTool({ name: 'pure', arguments: {} })
    expect({ ...again, _meta: { ..._meta, 'mcp-refcache/cached_at': undefined } }).toEqual(first)
    expect(workshop.journal('pure')).toHaveLength(1)
    await client.callTool({ name: 'pure', arguments: { _fresh: true } })
    expect(workshop.journal('pure')).toHaveLength(2)
  })

  it('lets a tool ask the client for input before it answers', async () => {
    const { client } = await workshop.client(V2_SERVER, { client: auto })
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { yes: true } }))
    const result = (await client.callTool({ name: 'confirm', arguments: {} })) as Answer
    expect(result.content[0].text).toContain('confirmed')
    expect(workshop.journal('confirm')).toHaveLength(2)
  })

  it('is kept for a client whose server does not speak it', async () => {
    const { client } = await workshop.client(PLAIN, { client: auto })
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28')
    expect(((await client.callTool({ name: 'count', arguments: {} })) as Answer).content[0].text).toBe(
      'call 1',
    )
  })
})

describe('what nobody knows yet', () => {
  it('passes in both directions: methods, results, requests of the server', async () => {
    const raw = workshop.process(['wrap', '--store', 'memory', '--', ...PLAIN])
    await raw.initialize()
    raw.send({ id: 7, method: 'future/method', params: { deep: [{ er: null }] } })
    expect((await raw.answer(7)).result).toEqual({ got: { deep: [{ er: null }] }, resultType: 'future' })

    raw.send({ id: 8, method: 'future/ask-client' })
    const question = await until(
      () => raw.messages.find(({ method }) => method === 'future/question'),
      'the question',
    )
    expect(question.params).toEqual({ why: 'because' })
    raw.send({ id: question.id, result: { fine: true } })
    expect((await raw.answer(8)).result).toEqual({ answer: { fine: true } })

    raw.send({ id: 9, method: 'never/heard-of' })
    expect((await raw.answer(9)).error).toMatchObject({ code: -32601 })
    raw.send({ method: 'notifications/future', params: { x: 1 } })
    await until(() => workshop.journal('notifications/future')[0], 'the notification at the server')
  })
})
