import { SUBSCRIPTION_ID } from '../../agent/tasks/subscriptions.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { Signal } from '../../core/signal.ts'
import type { Channel } from '../channels/channel.ts'
import {
  failure,
  isRequest,
  isResponse,
  notification,
  RpcErrorCode,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  result,
} from '../rpc.ts'
import { Connection2025 } from './connection-2025.ts'
import { isAskable } from './questions.ts'
import { canAsk, honoredOf, isAbout, isRemoved, tasksAloneIn, toDiscovery } from './revision-2025.ts'

export interface Server2025Options {
  readonly open: () => Promise<Channel>
  /** The first connection, where there is one already. */
  readonly started?: Channel | undefined
  /**
   * The clients are strangers to each other. What this revision asks does not say for which call: so a call that may be asked
   * has a connection for itself.
   */
  readonly strangers: boolean
  readonly clock?: Clock | undefined
}

/** Processes for calls of strangers that may be asked. */
const MAX_CONNECTIONS = 8
const IDLE_MS = 60 * 1000

/** A server of 2025-11-25, as one of 2026-07-28. */
export class Server2025 implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  readonly #connections: Connection2025[] = []
  readonly #subscriptions = new Map<RpcId, JsonObject>()
  readonly #tasksAlone = new Set<string>()
  readonly #freed = new Signal()
  readonly #clock: Clock
  #opening = 0

  constructor(private readonly options: Server2025Options) {
    this.#clock = options.clock ?? systemClock
  }

  /** Where each call may need a connection for itself, it is none. */
  get isPipe(): boolean {
    return !this.options.strangers && (this.#connections[0]?.isPipe ?? false)
  }

  async start(): Promise<void> {
    await this.#open(this.options.started)
  }

  async send(message: RpcMessage): Promise<void> {
    if (isResponse(message)) return
    if (!isRequest(message)) return this.#told(message)
    const { id, method, params } = message
    if (!areResponses(params?.inputResponses)) {
      const text =
        'inputResponses is an object: the key of each question, and its answer, which is an object.'
      return this.#tell(failure(id, { code: RpcErrorCode.invalidParams, message: text }))
    }
    if (method === 'server/discover') return this.#tell(result(id, toDiscovery(this.#main.initialized)))
    if (method === 'subscriptions/listen') return this.#listen(message)
    if (isRemoved(method))
      return this.#tell(failure(id, { code: RpcErrorCode.methodNotFound, message: 'Method not found' }))
    if (params?.requestState !== undefined && canAsk(method)) return this.#resume(message)
    await this.#begin(message)
  }

  pause(): void {
    // Of several clients, one that does not read holds up no other one.
    if (!this.options.strangers) for (const connection of this.#connections) connection.pause()
  }

  resume(): void {
    for (const connection of this.#connections) connection.goOn()
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.splice(0).map(connection => connection.close()))
    this.#freed.notify()
  }

  get #main(): Connection2025 {
    const [main] = this.#connections
    if (!main) throw new Error('The wrapped server is not running.')
    return main
  }

  async #open(started?: Channel): Promise<void> {
    const channel = started ?? (await this.options.open())
    const connection: Connection2025 = new Connection2025(channel, {
      clock: this.#clock,
      tell: (message, text) => this.#receive(connection, message, text),
      onLost: reason => this.#lost(connection, reason),
      onProblem: problem => this.onerror?.(problem),
      onFree: () => this.#retireLater(connection),
      onTools: page => {
        for (const name of tasksAloneIn(page)) this.#tasksAlone.add(name)
      },
      runsAsTask: tool => this.#tasksAlone.has(String(tool)),
    })
    await connection.start(started !== undefined)
    this.#connections.push(connection)
  }

  async #begin(request: RpcRequest): Promise<void> {
    // Where nobody is a stranger to anybody, one connection is enough.
    if (!this.options.strangers) return this.#main.begin(request)
    const asks = canAsk(request.method) && isAskable(request)
    for (;;) {
      const free = this.#connections.find(one => (asks ? one.isFree : !one.hasAskable))
      if (free) return free.begin(request)
      if (this.#connections.length === 0) throw new Error('The wrapped server is not running.')
      if (this.#connections.length + this.#opening < MAX_CONNECTIONS) await this.#openAnother()
      // Whoever waits for an answer may be gone; whoever calls is here.
      else if (!this.#connections.some(connection => connection.giveUpSuspended())) await this.#freed.next()
    }
  }

  async #openAnother(): Promise<void> {
    this.#opening++
    try {
      await this.#open()
    } finally {
      this.#opening--
    }
  }

  #retireLater(connection: Connection2025): void {
    this.#freed.notify()
    if (!connection.isFree || connection === this.#connections[0]) return
    this.#clock.schedule(
      IDLE_MS,
      () => {
        const at = this.#connections.indexOf(connection)
        if (at <= 0 || !connection.isFree) return
        this.#connections.splice(at, 1)
        void connection.close()
      },
      'background',
    )
  }

  #lost(connection: Connection2025, reason: string): void {
    const at = this.#connections.indexOf(connection)
    if (at < 0) return
    this.#connections.splice(at, 1)
    if (at > 0) {
      connection.failAll(reason)
      return
    }
    for (const other of this.#connections.splice(0)) void other.close()
    this.#freed.notify()
    this.onclose?.(reason)
  }

  #resume(request: RpcRequest): void {
    if (this.#connections.some(connection => connection.resume(request))) return
    const message =
      'This requestState is unknown: the call has ended, or waited too long for an answer. Call again without it.'
    this.#tell(failure(request.id, { code: RpcErrorCode.invalidParams, message }))
  }

  #told({ method, params }: RpcNotification): void {
    if (method !== 'notifications/cancelled') return
    const id = params?.requestId as RpcId
    this.#endListening(id)
    for (const connection of this.#connections) connection.cancel(id)
  }

  #receive(connection: Connection2025, message: RpcMessage, text: string | undefined): void {
    if (isResponse(message) || !isChangeOf(message.method)) this.#tell(message, text)
    // The other connections say the same of themselves.
    else if (connection === this.#connections[0]) this.#changed(message as RpcNotification)
  }

  /** Whoever listens is told; and we are, who know its tools. */
  #changed({ method, params = {} }: RpcNotification): void {
    for (const [id, honored] of this.#subscriptions) {
      if (!isAbout(honored, method, params)) continue
      this.#tell(notification(method, { ...params, _meta: { [SUBSCRIPTION_ID]: id } }))
    }
    this.#tell(notification(method, params))
  }

  async #listen({ id, params = {} }: RpcRequest): Promise<void> {
    const honored = honoredOf(params.notifications, this.#main.initialized.capabilities)
    const _meta = { [SUBSCRIPTION_ID]: id }
    this.#tell(notification('notifications/subscriptions/acknowledged', { _meta, notifications: honored }))
    if (Object.keys(honored).length === 0) return this.#tell(result(id, { resultType: 'complete', _meta }))
    this.#subscriptions.set(id, honored)
    for (const uri of urisOf(honored)) await this.#main.ask('resources/subscribe', { uri }).catch(() => {})
  }

  #endListening(id: RpcId): void {
    const ended = this.#subscriptions.get(id)
    if (!ended) return
    this.#subscriptions.delete(id)
    const left = new Set([...this.#subscriptions.values()].flatMap(urisOf))
    for (const uri of urisOf(ended)) {
      if (!left.has(uri)) this.#connections[0]?.ask('resources/unsubscribe', { uri }).catch(() => {})
    }
  }

  #tell(message: RpcMessage, text?: string): void {
    this.onmessage?.(message, text)
  }
}

function areResponses(given: JsonValue | undefined): boolean {
  return given === undefined || (isJsonObject(given) && Object.values(given).every(isJsonObject))
}

function isChangeOf(method: string): boolean {
  return /\/(?:list_changed|updated)$/.test(method)
}

function urisOf({ resourceSubscriptions }: JsonObject): string[] {
  return Array.isArray(resourceSubscriptions) ? resourceSubscriptions.map(String) : []
}
