import { type Clock, systemClock } from '../../core/clock.ts'
import { WorkerLost } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import { PeerUnreachable, type SendOptions } from '../channels/channel.ts'
import { ForwardedRequests } from '../client/forwarded-requests.ts'
import { ServerRequests } from '../client/server-requests.ts'
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
import { inTime, SessionRestore } from '../upstream/restore.ts'
import { Upstream } from '../upstream/upstream.ts'
import { Availability } from './availability.ts'
import { within } from './deadline.ts'
import { KINDS, type Kind, type KnownServer } from './known-servers.ts'
import { kindsOf, ListChanges } from './list-changes.ts'
import { Listening } from './listening.ts'
import type { Handshake, MemberEvents, MemberOptions } from './member-contract.ts'
import type { ServedServer } from './served-server.ts'
import { ServerLists } from './server-lists.ts'

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
  readonly #changes: ListChanges
  readonly #listening: Listening
  private readonly handshake: () => Handshake
  private readonly events: MemberEvents<Member>
  private readonly clock: Clock

  constructor(
    readonly server: ServedServer,
    known: KnownServer | undefined,
    { handshake, events, maxListBytes, log, clock = systemClock }: MemberOptions<Member>,
  ) {
    this.handshake = handshake
    this.events = events
    this.clock = clock
    this.#availability = new Availability(clock)
    const ask = (notifications: JsonObject, signal: AbortSignal) =>
      this.request('subscriptions/listen', { _meta: this.meta ?? {}, notifications }, signal)
    this.#listening = new Listening(ask, clock)
    this.#asked = new ServerRequests(`${server.key}:`)
    const ownLog = named(log, server.name)
    this.#upstream = new Upstream(server.connect, ownLog, true)
    this.introduction = known?.introduction
    const onChanged = (kind: Kind) => events.onListChanged(this, kind)
    this.lists = new ServerLists(this.#upstream, known?.lists ?? {}, {
      maxBytes: maxListBytes,
      onChanged,
      log: ownLog,
      clock,
    })
    this.#changes = new ListChanges({
      clock,
      refresh: kind => this.refresh(kind),
      wasAskedWithin: (ms, kind) => this.lists.wasAskedWithin(ms, kind),
      tell: message => events.onNotification(this, message),
    })
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
    return (
      this.server.problem ??
      this.#availability.away ??
      (this.lists.isOverdue('tools') ? 'It does not say which tools it has.' : undefined)
    )
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
      throw error instanceof WorkerLost && this.isReady ? error : this.awayError((error as Error).message)
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

  /** Tells the client that this list is another one now. */
  tellChanged(kind: Kind): void {
    this.#changes.seen(kind)
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
    await within(this.clock, PROBE_MS, async signal => {
      try {
        await this.request(method, params, signal)
      } catch {
        if (signal.aborted && this.isReady) await this.#upstream.restart(HANGS)
      }
    })
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

  /** What a call of it is answered. */
  awayError(message = 'It does not answer.'): WorkerLost {
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
    const kinds = kindsOf(message)
    if (method === 'notifications/subscriptions/acknowledged') this.#listening.acknowledged()
    else if (kinds) {
      this.lists.outdate(kinds)
      this.#changes.heard(kinds)
    } else this.events.onNotification(this, this.#asked.translated(message))
  }

  #lost(reason: string): void {
    this.#availability.unready()
    this.#listening.lost()
    const unanswered = this.#forwarded.lost(reason).map(({ id }) => id)
    this.events.onLost(this, unanswered, this.#asked.lost(), reason)
  }
}

function named(log: Log, name: string): Log {
  const say = (level: keyof Log) => (code: string, message: string) => log[level](code, `${name}: ${message}`)
  return { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
}
