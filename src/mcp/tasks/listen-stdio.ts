import type { Transport } from '@modelcontextprotocol/server'
import { IdMap, type RpcId } from '../../agent/id-map.ts'
import {
  isTaskListen,
  type ListenRequest,
  SUBSCRIPTION_ID,
  TaskSubscriptions,
  type WireMessage,
} from '../../agent/tasks/subscriptions.ts'
import { inquire } from './inquiry.ts'

type Message = Parameters<Transport['send']>[0]

/**
 * Lets clients of protocol revision 2026-07-28 listen to their tasks (`notifications/tasks` by `subscriptions/listen`) on
 * stdio, where the server has `attachRefCache`:
 *
 *     serveStdio(factory, { transport: withTaskNotificationsOnStdio(new StdioServerTransport()) })
 */
export function withTaskNotificationsOnStdio(transport: Transport): Transport {
  return new ListeningTransport(transport)
}

/** A transport that keeps what concerns tasks in subscriptions from the SDK, and adds what the client is told of them. */
class ListeningTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: NonNullable<Transport['onmessage']>
  readonly #subscriptions: TaskSubscriptions
  /** Answers that are awaited here, by the id of the request that this transport made itself. */
  readonly #inquiries = new IdMap<() => void>()

  constructor(private readonly wire: Transport) {
    this.#subscriptions = new TaskSubscriptions({
      find: (request, taskIds) => inquire(request, taskIds, inquiry => this.#ask(inquiry.id, inquiry)),
      send: message => this.wire.send(message as Message),
      acknowledgesAlone: false,
      onOver: id => this.#complete(id),
    })
  }

  get sessionId(): string | undefined {
    return this.wire.sessionId
  }

  setProtocolVersion = (version: string): void => this.wire.setProtocolVersion?.(version)

  async start(): Promise<void> {
    this.wire.onclose = () => {
      this.#endAll()
      this.onclose?.()
    }
    this.wire.onerror = error => this.onerror?.(error)
    this.wire.onmessage = ((message: Message, extra?: never) => {
      if (isTaskListen(message)) void this.#listen(message).catch(error => this.onerror?.(error))
      else {
        this.#endCancelled(message as WireMessage)
        this.onmessage?.(message, extra)
      }
    }) as NonNullable<Transport['onmessage']>
    await this.wire.start()
  }

  async send(message: Message, options?: Parameters<Transport['send']>[1]): Promise<void> {
    const { id, method } = message as WireMessage
    const isAnswer = method === undefined && id !== undefined
    const answered = isAnswer ? this.#inquiries.get(id) : undefined
    if (answered) return answered()
    const acknowledged = this.#subscriptions.acknowledge(message as WireMessage)
    if (acknowledged) return acknowledged
    if (isAnswer) this.#subscriptions.end(id)
    await this.wire.send(message, options)
  }

  async close(): Promise<void> {
    this.#endAll()
    await this.wire.close()
  }

  async #listen(request: ListenRequest): Promise<void> {
    const rest = await this.#subscriptions.begin(request)
    if (rest) this.onmessage?.(rest as Message)
  }

  /** Has the server answer a request of this transport's own. */
  #ask(id: RpcId, request: WireMessage): Promise<void> {
    return new Promise<void>(resolve => {
      this.#inquiries.set(id, resolve)
      this.onmessage?.(request as Message)
    }).finally(() => this.#inquiries.delete(id))
  }

  /** There is nothing more to tell: the client has its answer, and the SDK its place back. */
  async #complete(id: RpcId): Promise<void> {
    this.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
    const result = { resultType: 'complete', _meta: { [SUBSCRIPTION_ID]: id } }
    await this.wire.send({ jsonrpc: '2.0', id, result }).catch(error => this.onerror?.(error))
  }

  #endCancelled({ method, params }: WireMessage): void {
    if (method === 'notifications/cancelled') this.#subscriptions.end(params?.requestId as RpcId)
  }

  #endAll(): void {
    for (const resolve of this.#inquiries.values()) resolve()
    this.#subscriptions.endAll()
  }
}
