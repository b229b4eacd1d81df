import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../core/clock.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { withPlainNumbers } from '../../core/map-json.ts'
import { callerOfSubject, strangers } from '../callers.ts'
import { parameterHeadersIn } from '../channels/parameter-headers.ts'
import { readMessages } from '../channels/read-message.ts'
import {
  type BodyReader,
  MAX_BODY_BYTES,
  MAX_FIRST_BYTES,
  refuseTooLarge,
  refuseUnreadable,
} from '../http/body.ts'
import { SessionPlaces, TooManySessions } from '../http/places.ts'
import type { Log } from '../log.ts'
import { isRequest, type RpcMessage, type RpcRequest } from '../rpc.ts'
import type { Wrapper } from '../wrap.ts'
import { isOfSessions, refusalOf } from './checks.ts'
import { cannotStart, StatelessHost } from './host.ts'
import type { StatelessConnections } from './servers.ts'

export interface StatelessOptions {
  readonly wrapper: Wrapper
  readonly log: Log
  readonly clock: Clock
  readonly bodies: BodyReader
  /** Of what has a server of its own. */
  readonly serverPlaces: SessionPlaces
}

/** Callers that are known at once, in front of a server that they share. */
const MAX_CALLERS = 1_000

/** Serves 2026-07-28, which has no sessions: every request says what it needs. */
export class StatelessEndpoint {
  /** By subject; those of all strangers by nothing. */
  readonly #hosts = new Map<string | undefined, StatelessHost>()
  #servers: StatelessConnections | undefined
  readonly #places: SessionPlaces

  constructor(private readonly options: StatelessOptions) {
    this.#places = new SessionPlaces(MAX_CALLERS, options.clock)
    this.#places.start()
  }

  /** Answers what is of this revision. Gives the body of what is not, where it had to be read to tell. */
  async handle(
    request: IncomingMessage,
    response: ServerResponse,
    subject: string | undefined,
  ): Promise<{ body?: string } | 'answered'> {
    const { headers, method } = request
    const saysSo = headers['mcp-method'] !== undefined
    if (method !== 'POST' || (headers['mcp-session-id'] !== undefined && !saysSo)) return {}
    const maxBytes = saysSo ? MAX_BODY_BYTES : MAX_FIRST_BYTES
    const body = await this.options.bodies.read(request, maxBytes, subject)
    if (body === undefined) {
      refuseTooLarge(response, maxBytes)
      return 'answered'
    }
    const received = readMessages(body)
    const messages = received.flatMap(one => ('message' in one ? [one.message] : []))
    if (messages.length < received.length) {
      refuseUnreadable(response, received)
      return 'answered'
    }
    const [first] = messages
    const toCheck = withPlainNumbers(messages.map(withAnyId) as unknown as JsonValue) as JsonValue[]
    const checked = toCheck.length === 1 ? toCheck[0] : toCheck
    if (!first || isOfSessions(request, checked)) return { body }
    const refusal = await refusalOf(request, checked)
    if (refusal) await refuse(response, refusal, first)
    else await this.#serve({ message: first, checked, request }, response, subject)
    return 'answered'
  }

  async close(): Promise<void> {
    await this.#places.close()
  }

  async #serve(
    received: CheckedMessage,
    response: ServerResponse,
    subject: string | undefined,
  ): Promise<void> {
    const { message } = received
    // Nothing that a client of this revision tells has an effect here: it cancels by leaving.
    if (!isRequest(message)) return void response.writeHead(202).end()
    try {
      const host = await this.#hostOf(subject)
      const refusal = await refusalOfParameters(host, received)
      if (refusal) await refuse(response, refusal, message)
      else host.handle(message, response)
    } catch (error) {
      if (error instanceof TooManySessions) throw error
      this.options.log.error('upstream_unusable', (error as Error).message)
      answerCannotStart(message, response)
    }
  }

  /** @throws when the wrapped server cannot be started; TooManySessions */
  async #hostOf(subject: string | undefined): Promise<StatelessHost> {
    let host = this.#hosts.get(subject)
    if (!host) {
      host = this.#newHost(subject)
      this.#hosts.set(subject, host)
    }
    try {
      await host.start()
      return host
    } catch (error) {
      void host.close()
      throw error
    }
  }

  #newHost(subject: string | undefined): StatelessHost {
    const { wrapper, log, clock, serverPlaces } = this.options
    this.#servers ??= wrapper.statelessConnections()
    const servers = this.#servers
    const caller = subject === undefined ? strangers() : callerOfSubject(subject)
    let places: SessionPlaces | undefined
    const host: StatelessHost = new StatelessHost({
      clock,
      owner: subject,
      takePlace: async () => {
        places = (await servers.isShared()) ? this.#places : serverPlaces
        await places.take(subject)
        places.occupy(host)
      },
      open: (channel, onEnd) =>
        wrapper.statelessSession(
          channel,
          caller,
          () => servers.connect(caller.ambiguous, subject),
          end => {
            if (end.kind === 'unusable') log.error('upstream_unusable', end.reason)
            // The client is told first.
            setImmediate(onEnd)
          },
        ),
      onClosing: () => {
        if (this.#hosts.get(subject) === host) this.#hosts.delete(subject)
      },
      onGone: () => places?.leave(host),
    })
    return host
  }
}

/** A message that the SDK has found nothing wrong with, and what it looked at. */
interface CheckedMessage {
  readonly message: RpcMessage
  readonly checked: JsonValue | undefined
  readonly request: IncomingMessage
}

/** Parameters that a tool wants to see as headers have to say there what they say in the body. */
async function refusalOfParameters(
  host: StatelessHost,
  { message, checked, request }: CheckedMessage,
): Promise<Response | undefined> {
  if (!isRequest(message) || message.method !== 'tools/call') return undefined
  const inputSchema = await host.inputSchemaOf(message)
  const declared = parameterHeadersIn(inputSchema)
  if (!inputSchema || !('headers' in declared) || declared.headers.length === 0) return undefined
  return refusalOf(request, checked, { name: String(message.params?.name), inputSchema })
}

/** The checks take no id that JavaScript cannot hold as a number. */
function withAnyId(message: RpcMessage): RpcMessage {
  return isRequest(message) ? { ...message, id: 0 } : message
}

async function refuse(response: ServerResponse, refusal: Response, message: RpcMessage): Promise<void> {
  const id = isRequest(message) ? message.id : null
  response.writeHead(refusal.status, { 'content-type': 'application/json' })
  response.end(stringifyJson({ ...((await refusal.json()) as JsonObject), id }))
}

function answerCannotStart(request: RpcRequest, response: ServerResponse): void {
  if (response.headersSent) return
  response.writeHead(502, { 'content-type': 'application/json' })
  response.end(stringifyJson(cannotStart(request)))
}
