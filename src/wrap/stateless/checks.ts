import type { IncomingMessage } from 'node:http'
import {
  classifyInboundRequest,
  createMcpHandler,
  fromJsonSchema,
  McpServer,
} from '@modelcontextprotocol/server'
import type { JsonObject } from '../../core/json.ts'

/** Whether a POST is of a revision with sessions. What is of no revision is not: the checks say why. */
export function isOfSessions({ headers }: IncomingMessage, body: unknown): boolean {
  const outcome = classifyInboundRequest({
    httpMethod: 'POST',
    ...given('protocolVersionHeader', headers['mcp-protocol-version']),
    ...given('mcpMethodHeader', headers['mcp-method']),
    ...given('mcpNameHeader', headers['mcp-name']),
    body,
  })
  return outcome.kind === 'legacy'
}

function given(name: string, value: string | string[] | undefined): object {
  return typeof value === 'string' ? { [name]: value } : {}
}

/** The requests that the SDK has found nothing wrong with, and the tools that some of them call. */
const admitted = new WeakSet<Request>()
const called = new WeakMap<Request, CalledTool>()

/** The SDK checks a request before it makes a server for it; a call against the tool's schema when there is a server. */
const checks = createMcpHandler(
  ({ requestInfo }) => {
    const tool = requestInfo && called.get(requestInfo)
    if (tool) return serverWith(tool)
    if (requestInfo) admitted.add(requestInfo)
    throw new Error('The request is served elsewhere.')
  },
  { legacy: 'reject' },
)

/** A tool that is called, as its server declares it. */
export interface CalledTool {
  readonly name: string
  readonly inputSchema: JsonObject
}

function serverWith({ name, inputSchema }: CalledTool): McpServer {
  const server = new McpServer({ name: 'checks', version: '1' })
  server.registerTool(name, { inputSchema: fromJsonSchema(inputSchema) }, () => ({ content: [] }))
  return server
}

/**
 * What a request of 2026-07-28 is refused with before anybody looks at what it asks: its content type, what it says of its
 * client, and the headers that have to say the same as the body. The checks are those of the SDK.
 * @param tool whose parameters stand in headers, too
 */
export async function refusalOf(
  { headers }: IncomingMessage,
  body: unknown,
  tool?: CalledTool,
): Promise<Response | undefined> {
  const request = new Request('http://localhost/mcp', { method: 'POST', headers: headersOf(headers) })
  if (tool) called.set(request, tool)
  const response = await checks.fetch(request, { parsedBody: body })
  return admitted.has(request) || response.ok ? undefined : response
}

function headersOf(headers: IncomingMessage['headers']): Headers {
  const all = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) all.set(name, [value].flat().join(', '))
  }
  return all
}
