import { type Clock, systemClock } from '../../core/clock.ts'
import { WorkerLost } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import { PeerUnreachable, type SendOptions } from '../channel.ts'
import { ForwardedRequests } from '../forwarded-requests.ts'
import type { Log } from '../log.ts'
import {
  isRequest,
  isResponse,
  notification,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from '../rpc.ts'
import { ServerRequests } from '../server-requests.ts'
import { inTime, SessionRestore } from '../session-restore.ts'
import { Upstream } from '../upstream.ts'
import { Availability } from './availability.ts'
import { KINDS, type Kind, type KnownServer } from './known-servers.ts'
import { Listening } from './listening.ts'
import type { ServedServer } from './served-server.ts'
import { ServerLists } from './server-lists.ts'

/** How a client has introduced itself: all servers are spoken to in its name. */
export interface Handshake {
  readonly method: 'initialize' | 'server/discover'
  readonly params: JsonObject
}

export interface MemberEvents {
  /** Its answer to a request that was forwarded to it. @param text as it came */
  onAnswer(member: Member, request: RpcRequest, response: RpcResponse, text: string | undefined): void
  /** It asks the client; the id is unlike that of any other server's. */
  onRequest(member: Member, request: RpcRequest): void
  onNotification(member: Member, message: RpcNotification): void
  /** It went away with these requests unanswered, and no longer wants answers to those of its own. */
  onLost(member: Member, requests: readonly RpcId[], questions: readonly RpcId[], reason: string): void
  /** It runs, and has introduced itself. */
  onReady(member: Member): void
  onListChanged(member: Member, kind: Kind): void
}

/** How long a server may take to say that it is there. */
const PROBE_MS = 10_000
const HANGS = 'It does not answer any more.'

/** One of the servers behind a front door: started when it is needed, and again when it is lost. */
export class Member {
  readonly lists: ServerLists
  introduction: JsonObject | undefined
  readonly #upstream: Upstream
  readonly #restore = new SessionRestore()
  readonly #forwarded = new ForwardedRequests()
  readonly #asked: ServerRequests
  readonly #availability: Availability
  readonly #announcing = new Set<Kind>()
  readonly #listening: Listening

  constructor(
    readonly server: ServedServer,
    known: KnownServer | undefined,
    private readonly handshake: () => Handshake,
    private readonly events: MemberEvents,
    log: Log,
    private readonly clock: Clock = systemClock,
  ) {
    this.#availability = new Availability(clock)
    const ask = (notifications: JsonObject, signal: AbortSignal) =>
      this.request('subscriptions/listen', { _meta: this.meta ?? {}, notifications }, signal)
    this.#listening = new Listening(ask, clock)
    this.#asked = new ServerRequests(`${server.key}:`)
    this.#upstream = new Upstream(server.connect, named(log, server.name), true)
    this.introduction = known?.introduction
    this.lists = new ServerLists(this.#upstream, known?.lists ?? {}, kind => events.onListChanged(this, kind))
    this.#upstream.events = {
      onMessage: (message, text) => this.#receive(message, text),
      onLost: reason => this.#lost(reason),
      onRestored: () => this.#greet(),
      onReady: () => this.#ready(),
      onUnusable: () => {},
      onAway: (reason, pauseMs) => this.#availability.wentAway(reason, pauseMs),
    }
  }

  get isReady(): boolean {
    return this.#availability.isReady
  }

  get isPipe(): boolean {
    return this.#upstream.isPipe
  }

  /** Why it cannot be used now. */
  get away(): string | undefined {
    return this.server.problem ?? this.#availability.away
  }

  /** What is sent to it as its client of 2026-07-28 says who that is. */
  get meta(): JsonObject | undefined {
    const { method, params } = this.handshake()
    return method === 'initialize' ? undefined : (params._meta as JsonObject)
  }

  /** Starts it, unless it was started. It is tried until it answers. */
  start(): void {
    if (this.#availability.isStarted || this.server.problem !== undefined) return
    this.#availability.started()
    void this.#upstream.start()
  }

  /** Resolves when it has answered, or could not be started. */
  settled(): Promise<void> {
    return this.#availability.settled()
  }

  /** Asks it for a list where that is needed and it runs. */
  async refresh(kind: Kind): Promise<void> {
    if (this.isReady) await this.lists.refresh(kind, this.introduction ?? {}, this.meta)
  }

  /** Passes a request of the client on. @throws WorkerLost that says why it cannot be asked */
  async forward(request: RpcRequest, options?: SendOptions): Promise<void> {
    const isIdle = this.#forwarded.isEmpty
    this.#forwarded.add(request)
    try {
      if (isIdle && this.isReady && this.#availability.isSilent) await this.#proveAlive()
      if (!this.isReady) await this.#untilReady()
      await this.#upstream.forward(request, () => this.#forwarded.has(request), options)
      this.#forwarded.sent(request)
    } catch (error) {
      if (error instanceof PeerUnreachable) void this.#upstream.restart(error.message)
      if (!this.#forwarded.forget(request.id)) return
      throw error instanceof WorkerLost && this.isReady ? error : this.#awayError(error as Error)
    }
  }

  /** The client does not want the answer any more; false where this server was not asked. */
  cancel(message: RpcNotification): boolean {
    const wasAsked = this.#forwarded.forget(message.params?.requestId as RpcId)
    if (wasAsked) this.#upstream.tell(message)
    return wasAsked
  }

  /** The client's answer to a request of this server; false where it is none. */
  answer(response: RpcResponse, options?: SendOptions): boolean {
    const own = this.#asked.answered(response)
    if (own) this.#upstream.forward(own, undefined, options).catch(() => {})
    return own !== undefined
  }

  /** Whether the client sees a request of this server under that id. */
  asks(id: RpcId): boolean {
    return this.#asked.has(id)
  }

  tell(message: RpcNotification): void {
    if (this.isReady) this.#upstream.tell(message)
  }

  /** A request of ours, to a server that runs. */
  request(method: string, params: JsonObject, signal?: AbortSignal): Promise<RpcResponse> {
    return this.#upstream.request(method, params, { signal })
  }

  /** 2026-07-28: has it tell of its lists, of these resources, and of these tasks of its own. Resolves when it will. */
  async listen(uris: readonly string[], taskIds: readonly string[]): Promise<void> {
    if (this.meta && this.isReady) await this.#listening.to(uris, taskIds)
  }

  /** Whether it has said by itself that this list has changed, and the client is told so in a moment. */
  announces(kind: Kind): boolean {
    return this.#announcing.has(kind)
  }

  /** Said to each server now, and again when it is started. */
  setLogLevel(request: RpcRequest): void {
    this.#restore.answered(request)
    if (this.isReady) this.request(request.method, request.params ?? {}).catch(() => {})
  }

  hold(): void {
    this.#upstream.hold()
  }

  release(): void {
    this.#upstream.release()
  }

  async close(): Promise<void> {
    this.#availability.unready()
    await this.#upstream.close()
  }

  /** What a server has to hear before anything else, at its first start and at each further one. */
  async #greet(): Promise<void> {
    const { method, params } = this.handshake()
    if (method === 'initialize') {
      this.#restore.answered({ jsonrpc: '2.0', id: 0, method, params })
      this.#restore.notified(notification('notifications/initialized'))
      await this.#restore.run(this.#upstream)
      this.introduction = this.#restore.introduction
      return
    }
    const response = await inTime(this.#upstream.replay(method, params))
    if ('error' in response) throw new Error(`The server refused to begin: ${response.error.message}`)
    this.introduction = response.result
  }

  #ready(): void {
    this.#availability.ready()
    this.lists.outdate()
    this.events.onReady(this)
    for (const kind of KINDS) void this.refresh(kind)
  }

  /** One that hangs is ended, and started again. While it runs a call it may only be busy, so it is asked before. */
  async #proveAlive(): Promise<void> {
    const { method, params } = this.#probe
    const giveUp = new AbortController()
    const cancel = this.clock.schedule(PROBE_MS, () => giveUp.abort(new Error(HANGS)))
    try {
      await this.request(method, params, giveUp.signal)
    } catch {
      if (giveUp.signal.aborted && this.isReady) await this.#upstream.restart(HANGS)
    } finally {
      cancel()
    }
  }

  /** The later revision has no ping. */
  get #probe(): { method: string; params: JsonObject } {
    return this.meta ? this.handshake() : { method: 'ping', params: {} }
  }

  /** @throws WorkerLost, in any words: the server is away */
  async #untilReady(): Promise<void> {
    this.start()
    await this.#availability.waited()
    if (!this.isReady) throw new WorkerLost('It does not answer.')
  }

  #awayError({ message }: Error): WorkerLost {
    const { name, problem } = this.server
    if (problem !== undefined) return new WorkerLost(`The server '${name}' cannot be used: ${problem}.`)
    const reason = (this.away ?? message).replace(/\.$/, '')
    return new WorkerLost(
      `The server '${name}' is away: ${reason}. It is started again by itself: try later. The other servers can be used.`,
    )
  }

  #receive(message: RpcMessage, text: string | undefined): void {
    this.#availability.heard()
    if (isResponse(message)) this.#answered(message, text)
    else if (isRequest(message)) this.events.onRequest(this, this.#asked.opened(message))
    else this.#told(message)
  }

  /** It answers what it was asked, and nothing that another server was asked. */
  #answered(response: RpcResponse, text: string | undefined): void {
    const request = this.#forwarded.answered(response)
    if (!request) return
    if ('result' in response) this.#restore.answered(request)
    this.events.onAnswer(this, request, response, text)
  }

  #told(message: RpcNotification): void {
    const { method } = message
    if (method === 'notifications/progress' && !this.#forwarded.ofProgress(message)) return
    const kinds = CHANGES[method]
    if (method === 'notifications/subscriptions/acknowledged') this.#listening.acknowledged()
    else if (kinds) void this.#announce(message, kinds)
    else this.events.onNotification(this, this.#asked.translated(message))
  }

  /** The client hears of it when the new list is there. */
  async #announce(message: RpcNotification, kinds: readonly Kind[]): Promise<void> {
    this.lists.outdate(kinds)
    for (const kind of kinds) this.#announcing.add(kind)
    await Promise.all(kinds.map(kind => this.refresh(kind)))
    for (const kind of kinds) this.#announcing.delete(kind)
    this.events.onNotification(this, message)
  }

  #lost(reason: string): void {
    this.#availability.unready()
    this.#listening.lost()
    this.events.onLost(this, this.#forwarded.lost(), this.#asked.lost(), reason)
  }
}

/** The lists that a notification is about. */
const CHANGES: Readonly<Record<string, readonly Kind[]>> = {
  'notifications/tools/list_changed': ['tools'],
  'notifications/prompts/list_changed': ['prompts'],
  'notifications/resources/list_changed': ['resources', 'templates'],
}

function named(log: Log, name: string): Log {
  const say = (level: keyof Log) => (code: string, message: string) => log[level](code, `${name}: ${message}`)
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
}
