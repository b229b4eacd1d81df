import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidArgument } from '../../core/errors.ts'

const REQUEST_HEADERS = [
  'Accept',
  'Authorization',
  'Content-Type',
  'Last-Event-ID',
  'Mcp-Method',
  'Mcp-Name',
  'MCP-Protocol-Version',
  'Mcp-Session-Id',
]
/** Named after the parameters of the server's tools, so no list has them all. */
const PARAMETER_HEADER = /^mcp-param-[\w!#$%&'*+.^`|~-]+$/i
const EXPOSED_HEADERS = 'Mcp-Session-Id, WWW-Authenticate'
const PREFLIGHT_SECONDS = 600

/** The web pages, by origin, whose scripts may use the wrapper (CORS). */
export class AllowedOrigins {
  readonly #origins: ReadonlySet<string>

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins)
  }

  has(origin: string | undefined): boolean {
    return origin !== undefined && this.#origins.has(origin)
  }

  /** Puts on the response, whatever its status, what lets the page read it. */
  addHeaders({ headers: { origin } }: IncomingMessage, response: ServerResponse): void {
    // Whether a cache may give the response to another page depends on the list, also where this page is not in it.
    if (this.#origins.size > 0) response.setHeader('Vary', 'Origin')
    if (origin === undefined || !this.has(origin)) return
    response.setHeader('Access-Control-Allow-Origin', origin)
    response.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS)
  }

  /** Answers the question that a browser asks before a page's request; false where the request is no such question. */
  answerPreflight({ method, headers }: IncomingMessage, response: ServerResponse): boolean {
    const isPreflight = method === 'OPTIONS' && headers['access-control-request-method'] !== undefined
    if (!isPreflight || !this.has(headers.origin)) return false
    const asked = `${headers['access-control-request-headers'] ?? ''}`.split(',').map(name => name.trim())
    const parameters = asked.filter(name => PARAMETER_HEADER.test(name))
    response.writeHead(204, {
      Vary: 'Origin, Access-Control-Request-Headers',
      'Access-Control-Allow-Methods': 'GET, POST, DELETE',
      'Access-Control-Allow-Headers': [...REQUEST_HEADERS, ...parameters].join(', '),
      'Access-Control-Max-Age': PREFLIGHT_SECONDS,
    })
    response.end()
    return true
  }
}

/** The origin as browsers write it. @throws InvalidArgument that says what is wrong with the text */
export function checkOrigin(text: string): string {
  if (text.includes('*')) {
    throw new InvalidArgument(`'${text}' is a pattern: name each origin, such as https://app.example.`)
  }
  if (/^null$/i.test(text)) {
    throw new InvalidArgument(
      "'null' is the origin of every sandboxed page and every local file: serve the page from an origin of its own.",
    )
  }
  const origin = originOf(text)
  if (origin === text) return text
  const hint = origin === undefined ? 'such as https://app.example' : `did you mean ${origin}?`
  throw new InvalidArgument(
    `'${text}' is no origin: write the scheme and the host, and a port that is not the scheme's own; ${hint}`,
  )
}

function originOf(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { origin, protocol, host } = new URL(text)
  if (origin !== 'null') return origin
  // Of a scheme that the URL standard does not know, such as that of a browser's extensions.
  return host === '' ? undefined : `${protocol}//${host}`
}
