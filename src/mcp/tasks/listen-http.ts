import type { McpHandlerRequestOptions } from '@modelcontextprotocol/server'
import type { RpcId } from '../../agent/id-map.ts'
import type { Following } from '../../agent/tasks/follow.ts'
import {
  acknowledgedBy,
  isEmptyAcknowledgement,
  isTaskListen,
  type ListenRequest,
  notifyOf,
  refusalOf,
  taskIdsOf,
  type WireMessage,
  withoutTasks,
  withTasks,
} from '../../agent/tasks/subscriptions.ts'
import type { TaskView } from '../../agent/tasks/view.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import { Signal } from '../../core/signal.ts'
import { encodeEvent, eventOf, eventsOf, KEEP_ALIVE, messageIn } from './events.ts'
import { inquire } from './inquiry.ts'

/** An HTTP handler of the SDK (`createMcpHandler`), or a fetch function of your own around one, which hands on its options. */
export interface FetchHandler {
  fetch(request: Request, options?: McpHandlerRequestOptions): Promise<Response>
  close?(): Promise<void>
}

/** Options of `withTaskNotifications`. */
export interface TaskNotificationsOptions {
  /** How many such streams may be open at once; more are refused. @defaultValue 1024 */
  maxSubscriptions?: number
  /** How often a stream that has nothing to tell shows that it is alive. @defaultValue '15s' */
  keepAlive?: Duration
  clock?: Clock
}

interface Settings {
  readonly maxSubscriptions: number
  readonly keepAlive: number
  readonly clock: Clock
}

/**
 * Lets clients of protocol revision 2026-07-28 listen to their tasks (`notifications/tasks` by `subscriptions/listen`) instead
 * of polling them, where the handler's servers have `attachRefCache`. All other requests go through untouched.
 *
 * Put it around whatever authenticates requests: it asks the handler for each task as the client would.
 */
export function withTaskNotifications<Handler extends FetchHandler>(
  handler: Handler,
  options: TaskNotificationsOptions = {},
): Handler {
  const { maxSubscriptions = 1024, keepAlive = '15s', clock = systemClock } = options
  const settings = { maxSubscriptions, keepAlive: toMilliseconds(keepAlive, 'keepAlive'), clock }
  const open = new Set<TaskStream>()
  const fetch: FetchHandler['fetch'] = async (request, given) => {
    const listen = await taskListenIn(request, given)
    if (!listen) return handler.fetch(request, given)
    return serve({ handler, settings, open }, { request, given, listen })
  }
  const close = async () => {
    for (const stream of open) stream.end()
    await handler.close?.()
  }
  return { ...handler, fetch, ...(handler.close ? { close } : {}) }
}

interface Service {
  readonly handler: FetchHandler
  readonly settings: Settings
  readonly open: Set<TaskStream>
}

interface Listening {
  readonly request: Request
  readonly given: McpHandlerRequestOptions | undefined
  readonly listen: ListenRequest
}

async function serve({ handler, settings, open }: Service, { request, given, listen }: Listening) {
  // The SDK first: it knows who may speak here at all, and how.
  const response = await forward(handler, { request, given }, withoutTasks(listen))
  const type = response.headers.get('content-type') ?? ''
  if (!response.ok || !response.body || !type.includes('text/event-stream')) return response
  const refusal = refusalOf(listen) ?? (open.size >= settings.maxSubscriptions ? FULL : undefined)
  if (refusal) {
    await response.body.cancel()
    return Response.json({ jsonrpc: '2.0', id: listen.id, error: refusal }, { status: 400 })
  }
  const find = () => findTasks(handler, { request, given, listen })
  // It has its place from here on: others come while its tasks are looked for.
  const stream = new TaskStream(response.body, { id: listen.id, find, settings })
  open.add(stream)
  void stream.over.then(() => open.delete(stream))
  return new Response(stream.body, { status: response.status, headers: response.headers })
}

/** Those of the tasks that the client may follow. Which those are, the handler says. */
function findTasks(handler: FetchHandler, { request, given, listen }: Listening): Promise<TaskView[]> {
  return inquire(listen, taskIdsOf(listen.params), async (message, taskId) => {
    const headers = { 'mcp-method': 'tasks/get', 'mcp-name': headerValue(taskId) }
    const answer = await forward(handler, { request, given }, message, headers)
    await answer.text()
  })
}

const INTERNAL_ERROR = -32603
const FULL = { code: INTERNAL_ERROR, message: 'Subscription limit reached' }

/** The request again, with another message in it. */
function forward(
  handler: FetchHandler,
  { request, given }: Pick<Listening, 'request' | 'given'>,
  message: WireMessage,
  changed: Record<string, string> = {},
): Promise<Response> {
  const headers = new Headers(request.headers)
  headers.delete('content-length')
  for (const [name, value] of Object.entries(changed)) headers.set(name, value)
  const { url, signal } = request
  const again = new Request(url, { method: 'POST', headers, body: JSON.stringify(message), signal })
  return handler.fetch(again, { ...given, parsedBody: message })
}

/** What a header cannot hold goes in base64, as the SDK reads it. */
function headerValue(taskId: string): string {
  return /^[\x21-\x7e]+$/.test(taskId) ? taskId : `=?base64?${Buffer.from(taskId).toString('base64')}?=`
}

const MAX_BODY_BYTES = 256 * 1024

/** The message of a request that listens to tasks; nothing for any other request. */
async function taskListenIn(
  request: Request,
  given: McpHandlerRequestOptions | undefined,
): Promise<ListenRequest | undefined> {
  // That revision demands the header, so no other body has to be read.
  if (request.method !== 'POST' || request.headers.get('mcp-method') !== 'subscriptions/listen')
    return undefined
  const message = given?.parsedBody ?? (await bodyOf(request))
  return isTaskListen(message) ? message : undefined
}

/** From a copy: the handler may want to read it, too. What is too long for it is the handler's to refuse. */
async function bodyOf(request: Request): Promise<unknown> {
  const body = request.clone().body
  if (!body) return undefined
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    size += chunk.length
    if (size > MAX_BODY_BYTES) return undefined
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}

interface StreamOptions {
  readonly id: RpcId
  /** Those of the tasks that the client may follow. */
  readonly find: () => Promise<readonly TaskView[]>
  readonly settings: Settings
}

/**
 * The SDK's stream of a subscription with the notifications of tasks in it. Where the SDK has nothing to tell itself
 * it ends its stream at once; this one then goes on until the last of the tasks has settled.
 */
class TaskStream {
  readonly body: ReadableStream<Uint8Array>
  readonly over: Promise<void>
  #following: Following | undefined
  #stopKeepAlive = () => {}
  #left = false
  /** The server has ended it, perhaps before its tasks were found. */
  #ended = false
  /** The SDK serves something of this subscription, too. */
  #shared = false
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined
  /** The client has read something, or is gone. */
  readonly #changed = new Signal()
  readonly #source: ReadableStreamDefaultReader<Uint8Array>

  constructor(
    source: ReadableStream<Uint8Array>,
    private readonly options: StreamOptions,
  ) {
    this.#source = source.getReader()
    this.body = new ReadableStream<Uint8Array>({
      start: controller => {
        this.#controller = controller
      },
      pull: () => this.#changed.notify(),
      cancel: () => this.#leave(),
    })
    this.over = this.#run()
      .catch(() => this.#cancelSource())
      .finally(() => this.#close())
  }

  /** The server ends it: the client is told so, by the answer to its request. */
  end(): void {
    this.#ended = true
    this.#following?.end()
  }

  async #run(): Promise<void> {
    const tasks = await this.options.find()
    for await (const event of eventsOf(this.#source)) {
      const message = messageIn(event)
      if (message && acknowledgedBy(message) === this.options.id) await this.#begin(message, tasks)
      else if (message?.result === undefined) await this.#write(event)
      else await this.#finish(event)
      if (this.#left) return
    }
  }

  async #begin(acknowledgement: WireMessage, tasks: readonly TaskView[]): Promise<void> {
    const { id, settings } = this.options
    this.#shared = !isEmptyAcknowledgement(acknowledgement)
    await this.#write(eventOf(withTasks(acknowledgement, tasks)))
    if (this.#left) return
    this.#following = notifyOf(tasks, id, message => this.#write(eventOf(message)), settings.clock)
    if (this.#ended) this.#following.end()
    this.#keepAlive()
  }

  #keepAlive(): void {
    const { clock, keepAlive } = this.options.settings
    this.#stopKeepAlive = clock.schedule(
      keepAlive,
      () => {
        // Where something waits to be read already, one more sign of life tells nobody anything.
        if (this.#hasRoom()) void this.#write(KEEP_ALIVE)
        this.#keepAlive()
      },
      'background',
    )
  }

  /** The SDK's answer to the request, which ends the stream. */
  async #finish(event: string): Promise<void> {
    if (this.#shared) this.#following?.end()
    await this.#following?.over
    await this.#write(event)
  }

  /** Waits for the client to read: meanwhile a task may change as it will, and only its latest state is told. */
  async #write(event: string): Promise<void> {
    while (!this.#left && !this.#hasRoom()) {
      await this.#changed.next()
    }
    if (!this.#left) this.#controller?.enqueue(encodeEvent(event))
  }

  #hasRoom(): boolean {
    return (this.#controller?.desiredSize ?? 0) > 0
  }

  /** The client is gone. */
  #leave(): void {
    this.#left = true
    this.#following?.end()
    this.#cancelSource()
    this.#changed.notify()
  }

  #cancelSource(): void {
    void this.#source.cancel().catch(() => {})
  }

  #close(): void {
    this.#stopKeepAlive()
    this.#following?.end()
    if (this.#left) return
    this.#left = true
    this.#changed.notify()
    try {
      this.#controller?.close()
    } catch {
      // The client was quicker.
    }
  }
}
