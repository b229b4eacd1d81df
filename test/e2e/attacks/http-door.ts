import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type AuthInfo, createMcpHandler, McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { type Actor, actor } from '../../../src/access/actor.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { attachRefCache, withTaskNotifications } from '../../../src/mcp/index.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import {
  type Act,
  type Answer,
  type Asking,
  type Door,
  type DoorKind,
  EDITS,
  type Identity,
  type Listening,
  type Person,
  QUESTION,
  type Site,
} from './door.ts'
import { type Target, targets } from './tools.ts'

export type Revision = '2026-07-28' | '2025-11-25'

/** MCP over HTTP with a token for each user; the client writes its requests by hand, as an attacker would. */
export function httpDoor(revision: Revision): DoorKind {
  return {
    name: `MCP over HTTP, ${revision}`,
    abilities: ['sessions', 'templates', 'raw', 'resources'],
    open: site =>
      openHttp(
        site,
        ['get', 'query', 'edit', 'export', 'read', 'cancel', 'retry'],
        (server, identity) => new HttpClient(server, revision, identity),
      ),
  }
}

/** A server of HTTP, asked without a socket between: what is tried here is what stands behind one. */
export type Served = Pick<ReturnType<typeof createMcpHandler>, 'fetch'>

/** A server in this process, and whatever client `enter` makes for it. */
export async function openHttp(
  site: Site,
  acts: readonly Act[],
  enter: (server: Served, identity: Identity) => HttpClient,
): Promise<Door> {
  const cache = new RefCache(site.options)
  const tools = targets(site.secret, site.gates)
  const exportDir = await mkdtemp(join(tmpdir(), 'attacked-'))
  const serving = createMcpHandler(({ requestInfo }) => {
    const server = new McpServer({ name: 'attacked', version: '1.0.0' })
    const attached = attachRefCache(server, cache, {
      asyncTimeout: '1h',
      envelope: 'always',
      actorOf: actorIn,
      exportDir,
      ...site.attach,
    })
    for (const { name, schema, handler, ...options } of tools.filter(reachedBy(requestInfo))) {
      attached.registerTool(name, { ...options, inputSchema: schema }, handler)
    }
    return server
  })
  const handler = withTaskNotifications(serving)
  return {
    acts,
    cache,
    exportDir,
    enter: async identity => enter(handler, identity),
    listen: (identity, taskIds) => enter(handler, identity).listen(taskIds),
    post: (identity, body) => enter(handler, identity).post(body, {}),
    async close() {
      await handler.close()
      await cache.close()
      await rm(exportDir, { recursive: true, force: true })
    },
  }
}

/**
 * A call reaches the one tool that it names, and those of the package. Only that is registered for it: to register all of them for each
 * request takes a third of the time of these tests. Whatever is no such call, or does not say so in its headers, meets all of them.
 */
function reachedBy(request: Request | undefined): (tool: Target) => boolean {
  const called = request?.headers.get('mcp-method') === 'tools/call' ? request.headers.get('mcp-name') : null
  return ({ name }) => called === null || called === name
}

/** The token of a test is its claims; no real verifier would believe it, this one always does. */
function tokenFor({ id, ...claims }: Identity): string | undefined {
  if (id === undefined) return undefined
  const extra = {
    sub: id,
    user_id: id,
    ...(claims.org === undefined ? {} : { org_id: claims.org }),
    ...claims,
  }
  return Buffer.from(JSON.stringify(extra)).toString('base64url')
}

function authOf(token: string | undefined): AuthInfo | undefined {
  if (token === undefined) return undefined
  const extra = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<string, unknown>
  return { token, clientId: 'app', scopes: [], extra }
}

/** The server's own mapping where a token says more than a subject; for the rest the default one. */
function actorIn({ http }: ServerContext): Actor | undefined {
  const { kind, sub: id, session: sessionId } = (http?.authInfo?.extra ?? {}) as Record<string, string>
  if (id === undefined || (kind !== 'user' && sessionId === undefined)) return undefined
  return actor[kind === 'user' ? 'user' : 'agent']({ id, ...(sessionId === undefined ? {} : { sessionId }) })
}

const ACTS: Partial<Record<Act, string>> = {
  get: 'get_cached_result',
  query: 'query_cached_result',
  edit: 'edit_cached_result',
  export: 'export_cached_result',
  cancel: 'cancel_task',
  retry: 'retry_task',
}

const MORE: Partial<Record<Act, object>> = {
  query: { sql: QUESTION },
  edit: { edits: EDITS },
  export: { format: 'json' },
}

const META = 'io.modelcontextprotocol/'

/** Writes its requests by hand. */
export class HttpClient implements Person {
  readonly heard: string[] = []

  constructor(
    private readonly server: Served,
    protected readonly revision: Revision,
    private readonly identity: Identity,
  ) {}

  call(tool: string, input: unknown = {}): Promise<Answer> {
    return this.callWith(tool, JSON.stringify(input))
  }

  callWith(tool: string, json: string): Promise<Answer> {
    return this.request('tools/call', tool, `"name":${JSON.stringify(tool)},"arguments":${json}`)
  }

  /** Only where the client can follow tasks. */
  listen(_taskIds: readonly string[]): Promise<Listening> {
    throw new Error('This client cannot listen.')
  }

  /** @param members of the params, as JSON text */
  protected request(
    method: string,
    name: string,
    members: string,
    capabilities: object = {},
  ): Promise<Answer> {
    const { body, headers } = this.written(method, name, members, capabilities)
    return this.post(body, headers)
  }

  protected written(method: string, name: string, members: string, capabilities: object) {
    const own = {
      [`${META}protocolVersion`]: this.revision,
      [`${META}clientInfo`]: { name: 'attacker', version: '1.0.0' },
      [`${META}clientCapabilities`]: capabilities,
    }
    const _meta = { progressToken: 'told', ...(this.revision === '2026-07-28' ? own : {}) }
    const params = `{"_meta":${JSON.stringify(_meta)},${members}}`
    // A header takes no control characters, and says no more than the body.
    const named = /^[\x20-\x7e]+$/.test(name) ? { 'mcp-name': name } : {}
    const body = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`
    return { body, headers: { 'mcp-method': method, ...named } }
  }

  act(act: Act, refId: unknown, asking: Asking = {}): Promise<Answer> {
    if (act === 'read') return this.read(`refcache:///${String(refId)}`)
    const { page, pageSize, maxSize, full, format, wait = false } = asking
    const tool = ACTS[act]
    if (tool === undefined) throw new Error(`Nobody can ${act} over HTTP.`)
    const options = {
      page,
      page_size: pageSize,
      max_size: maxSize,
      full,
      _async_response_format: format,
      wait_seconds: wait ? 25 : 0,
    }
    const more = act === 'get' ? options : (MORE[act] ?? {})
    return this.call(tool, { ref_id: refId, ...more })
  }

  edit(refId: unknown, edits: unknown): Promise<Answer> {
    return this.call('edit_cached_result', { ref_id: refId, edits })
  }

  read(uri: string): Promise<Answer> {
    // A header is not so long.
    return this.request('resources/read', uri.length > 1_000 ? '' : uri, `"uri":${JSON.stringify(uri)}`)
  }

  list(params: object): Promise<Answer> {
    const members = JSON.stringify({ limit: 1, ...params }).slice(1, -1)
    return this.request('resources/list', '', members)
  }

  async post(body: string, headers: Record<string, string>): Promise<Answer> {
    const response = await this.send(body, headers)
    const shown = [...response.headers].filter(([name]) => name !== 'date')
    const text = await response.text()
    const said = JSON.stringify([response.status, shown, text])
    this.heard.push(said, ...messagesIn(text).map(message => JSON.stringify(message)))
    return { said, ...understood(messagesIn(text)) }
  }

  protected send(body: string, headers: Record<string, string>, signal?: AbortSignal): Promise<Response> {
    const token = tokenFor(this.identity)
    const request = new Request('http://127.0.0.1/mcp', {
      method: 'POST',
      headers: {
        host: '127.0.0.1',
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': this.revision,
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body,
      ...(signal ? { signal } : {}),
    })
    const authInfo = authOf(token)
    return this.server.fetch(request, authInfo ? { authInfo } : {})
  }
}

/** The JSON-RPC messages of a plain answer or of an event stream. */
function messagesIn(text: string): JsonObject[] {
  const data = text.startsWith('{') ? [text] : text.split('\n').filter(line => line.startsWith('data: '))
  return data.map(line => JSON.parse(line.replace(/^data: /, '')) as JsonObject)
}

/** Also of a task of MCP: what its call would have been answered with, or how it stands. */
function understood(messages: JsonObject[]): Pick<Answer, 'body' | 'code'> {
  const answer = messages.find(message => 'result' in message || 'error' in message) ?? {}
  const outer = (answer.result ?? {}) as JsonObject
  if ('contents' in outer || 'resources' in outer) return { body: outer, code: undefined }
  const { structuredContent, ...task } = (outer.result ?? outer.task ?? outer) as JsonObject
  const shown = 'taskId' in task ? { ref_id: task.taskId, ...task } : undefined
  const error = { error: answer.error ?? {} }
  const body = (structuredContent ?? shown ?? bareValue(task.content) ?? error) as JsonObject
  const { code, message, data } = (body.error ?? {}) as JsonObject
  const said = (data as JsonObject | undefined)?.error_code
  return { body, code: code === undefined ? undefined : String(said ?? codeOf(code, message)) }
}

/** A value in full comes as its own text, with nothing around it. */
function bareValue(content: unknown): JsonObject | undefined {
  const [block] = (Array.isArray(content) ? content : []) as JsonObject[]
  if (typeof block?.text !== 'string') return undefined
  return { value: /^[[{]/.test(block.text) ? JSON.parse(block.text) : block.text }
}

/** JSON-RPC has one code for what the cache tells apart; there the words tell. */
function codeOf(code: unknown, message: unknown): string {
  // A header that does not fit to what the body names.
  if (code === -32020) return 'invalid_argument'
  if (code !== -32602) return String(code)
  if (/^No such (task|reference)/.test(String(message))) return 'not_found'
  return /^(Only whoever|This value is private|What this tool)/.test(String(message))
    ? 'permission_denied'
    : 'invalid_argument'
}
