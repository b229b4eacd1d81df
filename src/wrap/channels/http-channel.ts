import { SdkHttpError, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { isSameId } from '../../agent/id-map.ts'
import type { JsonObject } from '../../core/json.ts'
import { isRequest, protocolMeta, type RpcId, type RpcMessage } from '../rpc.ts'
import { type Channel, PeerUnreachable, type SendOptions, SessionEnded } from './channel.ts'
import { exactBody, toEnvelope } from './exact-http.ts'
import { fetchWithoutTimeout } from './fetch-without-timeout.ts'
import { Gate } from './gate.ts'
import { ReceivedMessages } from './received-http.ts'

export interface Endpoint {
  readonly url: URL
  /** Sent with each request; never logged. */
  readonly headers: Readonly<Record<string, string>>
}

/** The address as it may be shown: credentials are often put into what follows. */
export function addressOf({ url }: Endpoint): string {
  return `${url.origin}${url.pathname}`
}

const REFUSALS_WITHIN_MS = 5_000

/** A server that is reached over Streamable HTTP. */
export class HttpChannel implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  readonly #transport: StreamableHTTPClientTransport
  readonly #gate = new Gate()
  readonly #received = new ReceivedMessages(problem => this.#problem(new Error(problem)))
  readonly #address: string
  #handshake: RpcId | undefined
  #closed = false

  constructor(endpoint: Endpoint) {
    this.#address = addressOf(endpoint)
    this.#transport = new StreamableHTTPClientTransport(endpoint.url, {
      requestInit: { headers: { ...endpoint.headers } },
      fetch: (target, init) => this.#fetch(target, init),
    })
  }

  async start(): Promise<void> {
    this.#transport.onmessage = message => this.#receive(this.#received.open(message))
    this.#transport.onerror = error => this.#problem(error)
    await this.#transport.start()
  }

  async send(message: RpcMessage, options: SendOptions = {}): Promise<void> {
    if (isRequest(message) && message.method === 'initialize') this.#handshake = message.id
    try {
      await this.#transport.send(
        toEnvelope(message) as Parameters<StreamableHTTPClientTransport['send']>[0],
        {
          // Only the revision without sessions takes the end of an exchange for its cancellation.
          ...(options.signal && isRequest(message) && protocolMeta(message.params)
            ? { requestSignal: options.signal }
            : {}),
          ...(options.headers ? { headers: { ...options.headers } } : {}),
          onRequestStreamEnd: () => this.#unanswered(message),
        },
      )
    } catch (error) {
      if (this.#transport.sessionId !== undefined && saysSessionEnded(error)) {
        const reason = 'The wrapped server has ended the session.'
        // After this one, and others that are refused with it, have been told apart from those that it took.
        setImmediate(() => this.#gone(reason))
        throw new SessionEnded(reason)
      }
      const problem = `The server at ${this.#address} did not take the message: ${describeFailure(error)}`
      throw isUnreachable(error) ? new PeerUnreachable(problem) : new Error(problem)
    }
  }

  pause(): void {
    this.#gate.close()
  }

  resume(): void {
    this.#gate.open()
  }

  async close(): Promise<void> {
    this.#gate.open()
    if (this.#closed) return
    this.#closed = true
    const ending = this.#transport.terminateSession().catch(() => {})
    await Promise.race([ending, new Promise(resolve => setTimeout(resolve, 500).unref())])
    await this.#transport.close()
  }

  async #fetch(target: string | URL, init: RequestInit = {}): Promise<Response> {
    const body = exactBody(init.body) as RequestInit['body']
    const response = await fetchWithoutTimeout(target, body === undefined ? init : { ...init, body })
    return this.#received.inEnvelopes(this.#gate.before(response))
  }

  #receive(message: RpcMessage): void {
    const handshake = this.#handshake
    if (handshake !== undefined && 'result' in message && isSameId(message.id, handshake)) {
      this.#handshake = undefined
      const version = (message.result as JsonObject).protocolVersion
      if (typeof version === 'string') this.#transport.setProtocolVersion(version)
    }
    this.onmessage?.(message)
  }

  /** The stream of an answer ended without the answer. Harmless if it came another way: an id is answered once. */
  #unanswered(message: RpcMessage): void {
    if (!isRequest(message)) return
    const text = 'The connection to the wrapped server was lost before it answered.'
    this.onmessage?.({ jsonrpc: '2.0', id: message.id, error: { code: -32000, message: text } })
  }

  #problem(error: Error): void {
    if (!this.#closed) this.onerror?.(`The connection to the wrapped server: ${describeFailure(error)}`)
  }

  #gone(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    // What is on its way may be refused likewise, and is sent again then.
    setTimeout(() => void this.#transport.close().catch(() => {}), REFUSALS_WITHIN_MS).unref()
    this.onclose?.(reason)
  }
}

/** Many servers that were started again answer 400 to a session that they do not know, and not the 404 of the protocol. */
function saysSessionEnded(error: unknown): boolean {
  if (!(error instanceof SdkHttpError)) return false
  return error.status === 404 || (error.status === 400 && /\bsession\b/i.test(String(error.data.text)))
}

function isUnreachable(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException
  const { code: inner } = (cause ?? {}) as NodeJS.ErrnoException
  return /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/.test(String(inner ?? code))
}

/** What happened, without what a server may have put into an error page. */
export function describeFailure(error: unknown): string {
  if (error instanceof SdkHttpError) return describeStatus(error.status)
  const { code, message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens there (ECONNREFUSED). Check the URL and that the server runs.'
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `its host is unknown (${code}). Check the URL.`
    default:
      return message
  }
}

export function describeStatus(status: number): string {
  const said = `it answered with HTTP status ${status}`
  switch (status) {
    case 401:
    case 403:
      return `${said}: it wants other credentials. Give them with --header 'Authorization: Bearer \${TOKEN}', TOKEN being set in the environment.`
    case 404:
    case 405:
      return `${said}: there is no MCP server of the Streamable HTTP transport at this path. Check the path of the URL. A server of the old HTTP+SSE transport needs a bridge, such as npx -y mcp-remote URL --transport sse-only as the command.`
    default:
      return `${said}.`
  }
}
