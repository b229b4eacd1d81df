import type { IncomingMessage } from 'node:http'
import { classifyInboundRequest, createMcpHandler } from '@modelcontextprotocol/server'

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

/** The requests that the SDK has found nothing wrong with. */
const admitted = new WeakSet<Request>()

/** The SDK checks a request before it makes a server for it. */
const checks = createMcpHandler(
  ({ requestInfo }) => {
    if (requestInfo) admitted.add(requestInfo)
    throw new Error('The request is served elsewhere.')
  },
  { legacy: 'reject' },
)

/**
 * What a request of 2026-07-28 is refused with before anybody looks at what it asks: its content type, what it says of its
 * client, and the headers that have to say the same as the body. The checks are those of the SDK.
 */
export async function refusalOf({ headers }: IncomingMessage, body: unknown): Promise<Response | undefined> {
  const request = new Request('http://localhost/mcp', { method: 'POST', headers: headersOf(headers) })
  const response = await checks.fetch(request, { parsedBody: body })
  return admitted.has(request) ? undefined : response
}

function headersOf(headers: IncomingMessage['headers']): Headers {
  const all = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) all.set(name, [value].flat().join(', '))
  }
  return all
}
