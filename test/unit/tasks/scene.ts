import { InMemoryTransport, type JSONRPCMessage, McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { expect, onTestFinished } from 'vitest'
import { z } from 'zod'
import { attachRefCache } from '../../../src/mcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { deferred } from '../flow/scene.ts'
import { idIn, Wired } from '../wrap/wired.ts'

/** A server with tasks, of `attachRefCache` or of `wrap` in front of a server without any, and a client that speaks by hand. */

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
export type Json = Record<string, any>

export type Revision = '2025-11-25' | '2026-07-28'
export type Kind = 'attachRefCache' | 'wrap'

export const CAPABILITIES = { elicitation: {}, extensions: { 'io.modelcontextprotocol/tasks': {} } }
const QUESTION = {
  message: 'What is your name?',
  requestedSchema: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
}
/** Until the client has its answer, which is a task: a question is one of that task then. */
async function untilAnswered(got: readonly Json[]): Promise<void> {
  const before = got.length
  await expect.poll(() => got.length).toBeGreaterThan(before)
}

/** What the test knows of the runs of `work`, which ends when the test says so. */
class Work {
  runs = 0
  readonly end = deferred<string>()

  run(): Promise<string> {
    this.runs++
    return this.end.promise
  }
}

export interface TaskScene {
  readonly work: Work
  /** What the client got, in order. */
  readonly got: Json[]
  ask(method: string, params?: object): Promise<Json>
  send(message: object): void
  /** The first such message to the client. */
  until(is: (message: Json) => boolean): Promise<Json>
}

export async function taskScene(kind: Kind, revision: Revision, clientName = 'test'): Promise<TaskScene> {
  const work = new Work()
  const got: Json[] = []
  const write = kind === 'wrap' ? await wrapped(work, revision, got) : await attached(work, got)
  const send = (message: object) => write({ jsonrpc: '2.0', ...message })
  const until = async (is: (message: Json) => boolean) => {
    await expect.poll(() => got.find(is)).toBeDefined()
    return got.find(is) as Json
  }
  let ids = 0
  const clientInfo = { name: clientName, version: '1.0.0' }
  const meta = revision === '2026-07-28' ? { _meta: envelope(clientInfo) } : {}
  const ask = async (method: string, params: object = {}) => {
    const id = `test-${++ids}`
    send({ id, method, params: { ...meta, ...params } })
    const { result, error } = await until(message => message.id === id && !('method' in message))
    return error ? { error } : result
  }
  if (revision === '2025-11-25') {
    await ask('initialize', { protocolVersion: revision, capabilities: CAPABILITIES, clientInfo })
    send({ method: 'notifications/initialized' })
  } else await ask('server/discover')
  await ask('tools/list')
  return { work, got, ask, send, until }
}

function envelope(clientInfo: object): Json {
  return {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': CAPABILITIES,
  }
}

async function attached(work: Work, got: Json[]): Promise<(message: object) => void> {
  const cache = new RefCache({ name: 't' })
  const [client, serverSide] = InMemoryTransport.createLinkedPair()
  const createServer = () => {
    const server = new McpServer({ name: 'test', version: '1.0.0' })
    const { registerTool } = attachRefCache(server, cache)
    registerTool('work', { annotations: { readOnlyHint: true } }, () => work.run())
    registerTool(
      'ask',
      { inputSchema: z.object({ later: z.boolean().optional() }) },
      async ({ later }, task) => {
        if (later) await untilAnswered(got)
        const { content } = await task.elicit(QUESTION)
        return `Hello, ${content?.name}!`
      },
    )
    return server
  }
  const serving = serveStdio(createServer, { transport: serverSide })
  onTestFinished(async () => {
    await serving.close()
    await cache.close()
  })
  client.onmessage = message => void got.push(message as Json)
  await client.start()
  return message => void client.send(message as JSONRPCMessage)
}

async function wrapped(work: Work, revision: Revision, got: Json[]): Promise<(message: object) => void> {
  const asking = new Map<string, string>()
  const serve = async (line: string, say: (line: string) => void) => {
    const message = JSON.parse(line) as Json
    const answer = (result: object) => say(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }))
    const said = (text: string) => answer({ content: [{ type: 'text', text }] })
    const asked = asking.get(String(message.id))
    if (asked !== undefined && message.result) {
      const text = `Hello, ${message.result.content?.name}!`
      return say(`{"jsonrpc":"2.0","id":${asked},"result":{"content":[{"type":"text","text":"${text}"}]}}`)
    }
    switch (message.method) {
      case 'initialize':
      case 'server/discover':
        return answer(introduction(revision))
      case 'tools/list':
        return answer({ tools: TOOLS })
      case 'tools/call': {
        const { name, arguments: args = {}, inputResponses } = message.params
        if (name === 'work') return said(await work.run())
        if (args.later && !inputResponses) await untilAnswered(got)
        if (inputResponses) return said(`Hello, ${inputResponses.name.content.name}!`)
        const question = { method: 'elicitation/create', params: QUESTION }
        if (revision === '2026-07-28') {
          return answer({ resultType: 'input_required', inputRequests: { name: question } })
        }
        const id = `question-${asking.size}`
        asking.set(id, idIn(line))
        return say(JSON.stringify({ jsonrpc: '2.0', id, ...question }))
      }
    }
  }
  const wired = await Wired.open((line, say) => void serve(line, say))
  onTestFinished(() => wired.close())
  const { lines } = wired
  const push = lines.push.bind(lines)
  lines.push = (...more) => {
    for (const line of more) got.push(JSON.parse(line))
    return push(...more)
  }
  return message => wired.send(JSON.stringify(message))
}

const TOOLS = [
  { name: 'work', inputSchema: { type: 'object' }, annotations: { readOnlyHint: true } },
  { name: 'ask', inputSchema: { type: 'object', properties: { later: { type: 'boolean' } } } },
]

function introduction(revision: Revision): object {
  const about = { capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } }
  return revision === '2025-11-25'
    ? { protocolVersion: revision, ...about }
    : { resultType: 'complete', supportedVersions: [revision], ...about }
}
