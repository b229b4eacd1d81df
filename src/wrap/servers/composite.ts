import { IdMap } from '../../agent/id-map.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Channel, SendOptions } from '../channels/channel.ts'
import type { Log } from '../log.ts'
import {
  failure,
  isRequest,
  isResponse,
  isStateless,
  metaOf,
  notification,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
  result,
} from '../rpc.ts'
import { Answers, taskIdIn } from './answers.ts'
import { Catalog } from './catalog.ts'
import type { KnownServers } from './known-servers.ts'
import { Member } from './member.ts'
import type { Handshake, MemberEvents } from './member-contract.ts'
import type { Naming } from './names.ts'
import { type FromAny, readFromAny } from './read-from-any.ts'
import { type Routed, Routes } from './routes.ts'
import type { ServedServer } from './served-server.ts'
import { SharedAnswers } from './shared-answers.ts'
import { Subscriptions } from './subscriptions.ts'

export interface CompositeOptions {
  /** In the order of the file. */
  readonly servers: readonly ServedServer[]
  readonly naming: Naming
  readonly known: KnownServers
  /** Servers whose lists are known start when they are first called. */
  readonly isLazy: boolean
  readonly log: Log
  readonly clock?: Clock | undefined
}

/** Of a list of all servers: clients read 10 MB of one message. Each server has an equal share. */
const MAX_LIST_BYTES = 8 * 1024 * 1024

/** What several servers say one after the other is written once. */
const KEEP_AFTER_MS = 300

/** A client that asks before it says who it is. */
const NO_HANDSHAKE: Handshake = {
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'mcp-refcache', version: '1' },
  },
}

/**
 * Several servers of one client, as one server. Each message goes to the server that it is for, by a name, a URI, or the id of a
 * request or a task; lists are put together. So all that holds for one wrapped server holds for these.
 */
export class Composite implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  onunanswered: Channel['onunanswered']
  readonly isPipe: boolean
  readonly #members: readonly Member[]
  readonly #catalog: Catalog
  readonly #routes: Routes
  readonly #subscriptions = new Subscriptions()
  readonly #answers: ReadonlyMap<Member, Answers>
  /** Requests that wait until it is known which server they are for. */
  readonly #unrouted = new IdMap<RpcRequest>()
  readonly #asked = new WeakMap<RpcRequest, { readonly outer: string; readonly inner: string }>()
  readonly #shared: SharedAnswers
  readonly #clock: Clock
  #handshake: Handshake | undefined
  #keeping: NodeJS.Timeout | undefined

  constructor(private readonly options: CompositeOptions) {
    const { servers, known, log, naming, clock = systemClock } = options
    this.#clock = clock
    const events = this.#events()
    const handshake = () => this.#handshake ?? NO_HANDSHAKE
    const maxListBytes = Math.floor(MAX_LIST_BYTES / servers.length)
    this.#members = servers.map(
      server => new Member(server, known.of(server.scope), { handshake, events, maxListBytes, log, clock }),
    )
    this.#catalog = new Catalog(this.#members, naming)
    this.#routes = new Routes(this.#members, this.#catalog)
    this.#answers = new Map(
      this.#members.map(member => [member, new Answers(member.server, this.#catalog.uris)]),
    )
    this.#shared = new SharedAnswers(this.#members, this.#catalog, this.#answers, log, clock)
    this.isPipe = servers.every(({ isPipe }) => isPipe)
  }

  /** Servers are started once it is known who their client is. */
  async start(): Promise<void> {}

  async send(message: RpcMessage, options?: SendOptions): Promise<void> {
    if (isResponse(message)) {
      for (const member of this.#members) if (member.answer(message, options)) return
      return
    }
    if (!isRequest(message)) return this.#told(message)
    this.#meet(message)
    const routed = this.#routes.of(message)
    if (!routed) {
      void this.#answer(message)
      return
    }
    if (!(routed instanceof Promise)) return this.#pass(message, routed, options)
    this.#unrouted.set(message.id, message)
    const found = await routed
    if (this.#unrouted.delete(message.id)) await this.#pass(message, found, options)
  }

  /** Whether that server asks which runs the tool. */
  mayAskFor({ id }: RpcRequest, tool: unknown): boolean {
    const asking = this.#members.find(member => member.asks(id))
    return asking === undefined || this.#routes.isOf(asking, tool)
  }

  pause(): void {
    for (const member of this.#members) member.hold()
  }

  resume(): void {
    for (const member of this.#members) member.release()
  }

  async close(): Promise<void> {
    if (this.#keeping) this.#keep()
    await Promise.all(this.#members.map(member => member.close()))
  }

  /** Each server is told by its own handshake who the client is; what that can do is said with each request of 2026-07-28. */
  #meet({ method, params = {} }: RpcRequest): void {
    const isFirst = this.#handshake === undefined
    if (method === 'initialize') this.#handshake ??= { method, params }
    else if (isStateless(params))
      this.#handshake = { method: 'server/discover', params: { _meta: protocolMetaOf(params) } }
    if (isFirst) this.#startAll()
  }

  #startAll(): void {
    for (const member of this.#members) {
      if (!this.options.isLazy || member.lists.of('tools') === undefined) member.start()
    }
  }

  async #pass(request: RpcRequest, routed: Routed, options: SendOptions | undefined): Promise<void> {
    if ('error' in routed) this.onmessage?.(failure(request.id, routed.error))
    else if ('away' in routed) throw routed.away
    else if ('anyOf' in routed)
      this.#answerFrom(await readFromAny(routed.anyOf, request, this.#clock), request)
    else {
      if (routed.asked) this.#asked.set(routed.request, routed.asked)
      await routed.member.forward(routed.request, options)
    }
  }

  /** What no single server can answer. */
  async #answer(request: RpcRequest): Promise<void> {
    if (request.method === 'subscriptions/listen') await this.#listen(request)
    else this.onmessage?.(await this.#shared.answer(request))
  }

  #answerFrom({ member, response }: FromAny, request: RpcRequest): void {
    if (member) this.#answered(member, request, response)
    else this.onmessage?.(response)
  }

  async #listen(request: RpcRequest): Promise<void> {
    const acknowledgement = this.#subscriptions.begin(request)
    await this.#listenAtServers()
    if (this.#subscriptions.has(request.id)) this.onmessage?.(acknowledgement)
  }

  async #listenAtServers(only = this.#members): Promise<void> {
    const { uris, taskIds } = this.#subscriptions
    const resources = uris.map(uri => this.#catalog.uris.inward(uri))
    const tasks = taskIds.flatMap(id => taskIdIn(id) ?? [])
    const listening = only.map(member => {
      const isIts = (one: { key: string | undefined }) => one.key === member.server.key
      const uris = resources.filter(isIts).map(({ uri }) => uri)
      return member.listen(
        uris,
        tasks.filter(isIts).map(({ taskId }) => taskId),
      )
    })
    await Promise.all(listening)
  }

  #told(message: RpcNotification): void {
    const { method, params } = message
    if (method === 'notifications/initialized') return
    if (method !== 'notifications/cancelled') {
      for (const member of this.#members) member.tell(message)
      return
    }
    const id = params?.requestId as RpcId
    if (this.#unrouted.delete(id)) return
    if (this.#subscriptions.end(id)) {
      void this.#listenAtServers()
      return
    }
    for (const member of this.#members) if (member.cancel(message)) return
  }

  #events(): MemberEvents<Member> {
    return {
      onAnswer: (member, request, response, text) => this.#answered(member, request, response, text),
      onRequest: (member, request) => this.#questioned(member, request),
      onNotification: (member, message) => this.#heard(member, message),
      onLost: (member, requests, questions, reason) => {
        const message = `The server '${member.server.name}' went away before it answered: ${reason}`
        for (const id of requests) this.onunanswered?.(id, message)
        for (const requestId of questions)
          this.onmessage?.(notification('notifications/cancelled', { requestId, reason: message }))
        // What the next one answers need not be what this one did.
        if (this.#shared.hasListed('tools')) member.tellChanged('tools')
      },
      onReady: member => {
        this.#keepSoon()
        if (this.#handshake?.method === 'server/discover') void this.#listenAtServers([member])
      },
      onListChanged: (member, kind) => {
        this.#keepSoon()
        this.#catalog.changed(kind)
        if (this.#shared.hasListed(kind)) member.tellChanged(kind)
      },
    }
  }

  #answered(member: Member, request: RpcRequest, response: RpcResponse, text?: string): void {
    const value =
      'error' in response
        ? undefined
        : this.#answersOf(member).result(response.result, this.#asked.get(request))
    if (!value || ('result' in response && value === response.result)) this.onmessage?.(response, text)
    else this.onmessage?.(result(response.id, value))
  }

  #questioned(member: Member, request: RpcRequest): void {
    const { id, method, params = {} } = request
    if (method === 'ping') member.answer(result(id, {}))
    else this.onmessage?.({ ...request, params: this.#answersOf(member).asked(method, params) })
  }

  #heard(member: Member, { method, params = {} }: RpcNotification): void {
    const own = this.#answersOf(member).notified(params)
    const { name } = member.server
    const logger = typeof own.logger === 'string' ? `${name}/${own.logger}` : name
    this.#tell(notification(method, method === 'notifications/message' ? { ...own, logger } : own))
  }

  /** As the client listens, where it is of 2026-07-28. */
  #tell(message: RpcNotification): void {
    const isListened = /\/(?:list_changed|updated)$|^notifications\/tasks$/.test(message.method)
    const told = isListened ? this.#subscriptions.about(message) : []
    for (const one of told.length > 0 ? told : [message]) this.onmessage?.(one)
  }

  #answersOf(member: Member): Answers {
    return this.#answers.get(member) as Answers
  }

  #keepSoon(): void {
    this.#keeping ??= setTimeout(() => this.#keep(), KEEP_AFTER_MS).unref()
  }

  #keep(): void {
    clearTimeout(this.#keeping)
    this.#keeping = undefined
    for (const { server, introduction, lists } of this.#members) {
      if (introduction) this.options.known.keep(server.scope, { introduction, lists: lists.all })
    }
  }
}

/** What a request of 2026-07-28 says of its client. */
function protocolMetaOf(params: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(metaOf(params)).filter(([key]) => key !== 'progressToken'))
}
