import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Clock, systemClock } from '../../core/clock.ts'
import { Entrance } from './entrance.ts'
import { EventStreams } from './events.ts'
import { plain, problem, Refused } from './http.ts'
import { PageFiles } from './page-files.ts'
import { answer } from './routes.ts'
import type { Sight } from './sight.ts'

export interface ListenerOptions {
  /** 0: any that is free. */
  readonly port: number
  /** A look of its own for each request and each stream. */
  readonly sight: () => Sight
  /** Where the files of the page lie. */
  readonly page: URL
  /** What cookies are signed with. */
  readonly key: Uint8Array
  /** There is a link that is good for once: at the start, and after each that was used or came too late. */
  readonly onLink: (url: string) => void
  readonly clock?: Clock
}

const HOST = '127.0.0.1'
const MOST_CONNECTIONS = 128
/** A request comes from this machine, in one piece: who takes longer only holds a connection. */
const PATIENCE = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 }

/** Serves the live page to the operator on this machine: on the loopback interface alone, to whoever has the link. */
export class PageListener {
  readonly #server: Server
  readonly #streams: EventStreams
  readonly #files: PageFiles
  #entrance: Entrance | undefined
  #port = 0

  constructor(private readonly options: ListenerOptions) {
    this.#streams = new EventStreams(options.clock ?? systemClock, { all: 16, each: 16 })
    this.#files = new PageFiles(options.page)
    this.#server = createServer(PATIENCE, (request, response) => void this.#handle(request, response))
    this.#server.maxConnections = MOST_CONNECTIONS
  }

  /** @throws where the port is taken */
  async start(): Promise<void> {
    const { port, key, clock = systemClock, onLink } = this.options
    await once(this.#server.listen(port, HOST), 'listening')
    // A connection that could not be taken ends nothing else.
    this.#server.on('error', () => {})
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address ? address.port : port
    const link = (token: string) => onLink(`http://${HOST}:${this.#port}${entrance.folder}?token=${token}`)
    const cookie = `mcp-refcache-ui-${this.#port}`
    const entrance = new Entrance({ key, clock, cookie, onNext: link })
    this.#entrance = entrance
    link(entrance.token)
  }

  async close(): Promise<void> {
    this.#streams.close()
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const gone = new AbortController()
    outgoing.once('close', () => gone.abort())
    try {
      await send(await this.#answer(incoming, gone.signal), outgoing)
    } catch {
      // The reader went away.
      outgoing.destroy()
    }
  }

  async #answer(incoming: IncomingMessage, signal: AbortSignal): Promise<Response> {
    try {
      if (!this.#isOurName(incoming.headers.host)) return plain(WRONG_NAME, 403)
      if (incoming.method === 'TRACE') return plain('Nothing is traced here.', 405)
      const request = requestOf(incoming, this.#port, signal)
      const entrance = this.#entrance
      if (!entrance) throw new Refused(503, 'unavailable', 'The page is not open yet. Try again.')
      const refusal = entrance.answer(request)
      if (refusal) return refusal
      const { sight, clock = systemClock } = this.options
      const context = { files: this.#files, streams: this.#streams, clock }
      const isStillIn = () => entrance.knows(request)
      const operator = { sight: sight(), name: 'operator', ownsStore: true, isStillIn } as const
      return await answer(request, operator, context)
    } catch (error) {
      return problem(error)
    }
  }

  /** Against names that lead to this machine since a web page says so (DNS rebinding). */
  #isOurName(host: string | undefined): boolean {
    const names = [HOST, 'localhost']
    return names.some(name => host === `${name}:${this.#port}` || (this.#port === 80 && host === name))
  }
}

const WRONG_NAME = 'The page is at 127.0.0.1 or localhost, by no other name.'

function requestOf(incoming: IncomingMessage, port: number, signal: AbortSignal): Request {
  const { method = 'GET', url = '/', headers } = incoming
  const hasBody = method !== 'GET' && method !== 'HEAD'
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as [string, string]],
  )
  const path = url.startsWith('/') ? url : '/'
  return new Request(`http://${headers.host ?? `${HOST}:${port}`}${path}`, {
    method,
    headers: lines,
    signal,
    ...(hasBody ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {}),
  })
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  if (!response.body) {
    outgoing.end()
    return
  }
  // What is known of a stream so far goes out at once.
  outgoing.flushHeaders()
  await pipeline(Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]), outgoing)
}
