import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Clock, systemClock } from '../../core/clock.ts'
import { bearerTokenIn, type Tokens } from '../callers.ts'
import type { Log } from '../log.ts'
import { DEFAULT_QUOTA } from '../quotas.ts'
import type { StatelessEndpoint } from '../stateless/endpoint.ts'
import type { Wrapper } from '../wrap.ts'
import { AllowedOrigins } from './allowed-origins.ts'
import { AuthorizedResponses } from './authorized-responses.ts'
import { BodyReader, TooManyBytes, UploadAborted } from './body.ts'
import { FairTurns } from './fair-turns.ts'
import { isLoopback } from './loopback.ts'
import { SessionPlaces, TooManySessions } from './places.ts'
import { type HttpAdapter, HttpSession } from './session.ts'

export interface ListenOptions {
  port: number
  /** @defaultValue '127.0.0.1' */
  host?: string | undefined
  /** Other origins than local ones whose web pages may use it. @defaultValue none */
  allowOrigins?: readonly string[] | undefined
  /** Who may use it. @defaultValue whoever can reach it, as a stranger to all others */
  tokens?: Tokens | undefined
  /** How many sessions one subject may have. @defaultValue 8 */
  sessionsOfOne?: number | undefined
  /** @defaultValue the system's */
  clock?: Clock | undefined
  log: Log
}

/** Each has a server process of its own. */
const MAX_SESSIONS = 32

/** Serves the wrapped server over Streamable HTTP. Each session has a server of its own. */
export class HttpListener {
  readonly #sessions = new Map<string, HttpSession>()
  readonly #places: SessionPlaces
  readonly #turns = new FairTurns()
  readonly #origins: AllowedOrigins
  readonly #bodies = new BodyReader()
  readonly #clock: Clock
  readonly #authorized: AuthorizedResponses | undefined
  #saidAborted = false
  readonly #server: Server
  #adapter: HttpAdapter | undefined
  #stateless: StatelessEndpoint | undefined

  constructor(
    private readonly wrapper: Wrapper,
    private readonly options: ListenOptions,
  ) {
    this.#origins = new AllowedOrigins(options.allowOrigins ?? [])
    const sessionsOfOne = options.sessionsOfOne ?? DEFAULT_QUOTA.sessions
    this.#clock = options.clock ?? systemClock
    this.#authorized = options.tokens && new AuthorizedResponses(options.tokens, this.#clock)
    this.#places = new SessionPlaces(MAX_SESSIONS, this.#clock, sessionsOfOne)
    this.#server = createServer((request, response) => void this.#handle(request, response))
  }

  /** Resolves with the address. @throws when the port is taken */
  async start(): Promise<string> {
    this.#adapter = await import('@modelcontextprotocol/node')
    const { StatelessEndpoint } = await import('../stateless/endpoint.ts')
    this.#stateless = new StatelessEndpoint({
      wrapper: this.wrapper,
      log: this.options.log,
      clock: this.#clock,
      bodies: this.#bodies,
      serverPlaces: this.#places,
    })
    const { port, host = '127.0.0.1' } = this.options
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, resolve)
    })
    this.#places.start()
    const address = this.#server.address()
    const bound = typeof address === 'object' && address ? address.port : port
    return `http://${host.includes(':') ? `[${host}]` : host}:${bound}/mcp`
  }

  async close(): Promise<void> {
    this.#server.close()
    await Promise.all([this.#places.close(), this.#stateless?.close()])
    this.#server.closeAllConnections()
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const adapter = this.#adapter
      this.#origins.addHeaders(request, response)
      if (!adapter || !this.#allowed(adapter, request, response)) return
      if (!/^\/mcp\/?(?:\?|$)/.test(request.url ?? '')) return refuse(response, 404, 'The endpoint is /mcp.')
      if (this.#origins.answerPreflight(request, response)) return
      const subject = this.#subjectOf(request, response)
      if (subject === 'unknown') return challenge(request, response)
      await this.#turns.take(subject?.name ?? `${request.headers['mcp-session-id']}`)
      const handled = await this.#stateless?.handle(request, response, subject?.name)
      if (handled === 'answered') return
      await this.#sessionOf(adapter, request, subject?.name).handle(request, response, handled?.body)
    } catch (error) {
      if (error instanceof TooManySessions)
        return refuse(response, 503, 'Too many sessions. Try again later.')
      if (error instanceof TooManyBytes) {
        response.setHeader('connection', 'close')
        return refuse(response, 503, 'Too much is being sent at once. Try again later.')
      }
      if (error instanceof UploadAborted) return this.#sayAborted()
      this.options.log.error('http_failed', `An HTTP request failed: ${(error as Error).message}`)
      if (!response.headersSent) refuse(response, 500, 'Something went wrong inside of the wrapper.')
    } finally {
      this.#bodies.release(request)
    }
  }

  #sayAborted(): void {
    if (this.#saidAborted) return
    this.#saidAborted = true
    const message = 'A client went away before its request was complete. Others that do so are not mentioned.'
    this.options.log.info('upload_aborted', message)
  }

  /** Against web pages that reach for local ports: only local names may be asked for, and only by local pages and those that the operator allows. */
  #allowed(adapter: HttpAdapter, request: IncomingMessage, response: ServerResponse): boolean {
    const names = ['localhost', '127.0.0.1', '[::1]']
    const { host } = this.options
    if (host !== undefined && !names.includes(host)) names.push(host)
    // A page cannot make up a token: with tokens, the server may be asked for by any name that leads to it.
    const isOpen = this.options.tokens !== undefined && !isLoopback(host)
    if (!isOpen && !adapter.hostHeaderValidation(names)(request, response)) return false
    return this.#origins.has(request.headers.origin) || adapter.originValidation(names)(request, response)
  }

  /** Who asks; nothing where callers show no tokens. */
  #subjectOf(
    { headers }: IncomingMessage,
    response: ServerResponse,
  ): { name: string } | 'unknown' | undefined {
    const { tokens } = this.options
    if (!tokens) return undefined
    const token = bearerTokenIn(headers.authorization)
    const name = token === undefined ? undefined : tokens.subjectOf(token)
    if (token === undefined || name === undefined) return 'unknown'
    this.#authorized?.add(response, token, name)
    return { name }
  }

  #sessionOf(adapter: HttpAdapter, request: IncomingMessage, owner: string | undefined): HttpSession {
    const known = this.#sessions.get(`${request.headers['mcp-session-id']}`)
    // The session of somebody else is none.
    if (known && known.owner === owner) return known
    // Without a session there is only one thing to do: begin one. Whatever else is asked is refused.
    const session = new HttpSession({
      adapter,
      wrapper: this.wrapper,
      log: this.options.log,
      clock: this.#clock,
      bodies: this.#bodies,
      owner,
      takePlace: async () => {
        await this.#places.take(owner)
        this.#places.occupy(session)
      },
      onBegin: id => this.#sessions.set(id, session),
      onClosing: id => this.#sessions.delete(id),
      onGone: () => this.#places.leave(session),
    })
    return session
  }
}

/** Says how to get in. */
function challenge({ headers }: IncomingMessage, response: ServerResponse): void {
  const wrong = headers.authorization === undefined ? '' : ', error="invalid_token"'
  response.setHeader('WWW-Authenticate', `Bearer realm="mcp-refcache"${wrong}`)
  refuse(
    response,
    401,
    "This server wants a bearer token: send the header 'Authorization: Bearer TOKEN', with a token from whoever runs it.",
  )
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32000, message } }))
}
