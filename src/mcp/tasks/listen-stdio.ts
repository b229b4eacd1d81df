import { ProtocolErrorCode, SUBSCRIPTION_ID_META_KEY, type Transport } from '@modelcontextprotocol/server'
import type { Following } from '../../agent/tasks/follow.ts'
import type { SeenTask } from '../../agent/tasks/read.ts'
import {
  isAcknowledgement,
  isTaskListen,
  type ListenRequest,
  notifyOf,
  type RequestId,
  readable,
  refusalOf,
  type WireMessage,
  withoutTasks,
  withTasks,
} from '../../agent/tasks/subscription.ts'

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
  /** Subscriptions that the SDK has not acknowledged yet, with their tasks. */
  readonly #waiting = new Map<RequestId, readonly SeenTask[]>()
  readonly #active = new Map<RequestId, Pick<Following, 'end'>>()
  /** Answers that are awaited here, by the id of the request that this transport made itself. */
  readonly #inquiries = new Map<RequestId, () => void>()

  constructor(private readonly wire: Transport) {}

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
    const answered = method === undefined && id !== undefined ? this.#inquiries.get(id) : undefined
    if (answered) return answered()
    for (const [listenId, tasks] of this.#waiting) {
      if (isAcknowledgement(message as WireMessage, listenId)) return this.#begin(listenId, tasks, message)
    }
    if (method === undefined && id !== undefined) this.#end(id)
    await this.wire.send(message, options)
  }

  async close(): Promise<void> {
    this.#endAll()
    await this.wire.close()
  }

  async #listen(request: ListenRequest): Promise<void> {
    const error = refusalOf(request)
    if (error) {
      const { code = ProtocolErrorCode.InvalidParams, ...rest } = error
      await this.wire.send({ jsonrpc: '2.0', id: request.id, error: { code, ...rest } } as Message)
      return
    }
    this.#waiting.set(request.id, [])
    const tasks = await readable(request, message => this.#ask(message))
    // Cancelled in the meantime: as if it had never been there.
    if (!this.#waiting.has(request.id)) return
    this.#waiting.set(request.id, tasks)
    this.onmessage?.(withoutTasks(request) as Message)
  }

  /** Has the server answer a request of this transport's own. */
  #ask(request: WireMessage): Promise<void> {
    const id = request.id as RequestId
    return new Promise<void>(resolve => {
      this.#inquiries.set(id, resolve)
      this.onmessage?.(request as Message)
    }).finally(() => this.#inquiries.delete(id))
  }

  async #begin(id: RequestId, tasks: readonly SeenTask[], acknowledgement: Message): Promise<void> {
    this.#waiting.delete(id)
    const beginning = { end() {} }
    this.#active.set(id, beginning)
    const { notifications = {} } = (acknowledgement as WireMessage).params ?? {}
    await this.wire.send(withTasks(acknowledgement as WireMessage, tasks) as Message)
    // Cancelled while that was being written.
    if (this.#active.get(id) !== beginning) return
    const following = notifyOf(tasks, id, message => this.wire.send(message as Message))
    this.#active.set(id, following)
    const onlyTasks = Object.keys(notifications as object).length === 0
    void following.over.then(() => {
      if (this.#active.get(id) !== following) return
      this.#active.delete(id)
      if (onlyTasks) return this.#complete(id)
    })
  }

  /** There is nothing more to tell: the client has its answer, and the SDK its place back. */
  async #complete(id: RequestId): Promise<void> {
    this.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
    const result = { resultType: 'complete', _meta: { [SUBSCRIPTION_ID_META_KEY]: id } }
    await this.wire.send({ jsonrpc: '2.0', id, result }).catch(error => this.onerror?.(error))
  }

  #endCancelled({ method, params }: WireMessage): void {
    if (method === 'notifications/cancelled') this.#end(params?.requestId as RequestId)
  }

  #end(id: RequestId): void {
    this.#waiting.delete(id)
    this.#active.get(id)?.end()
    this.#active.delete(id)
  }

  #endAll(): void {
    for (const resolve of this.#inquiries.values()) resolve()
    for (const id of [...this.#waiting.keys(), ...this.#active.keys()]) this.#end(id)
  }
}
