import { randomBytes } from 'node:crypto'
import type { Clock } from '../../core/clock.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
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
  type RpcResponse,
  result,
} from '../rpc.ts'
import { OpenCall } from './open-call.ts'
import { OpenCalls } from './open-calls.ts'
import { isQuestion } from './questions.ts'
import { isLoggedAt, logLevelOf, toParamsOf2025, toResponseOf2026, toTextOf2026 } from './revision-2025.ts'
import { SuspendedCalls } from './suspended-calls.ts'
import { Task2025 } from './task-2025.ts'

/** What we can do as a client: whatever one of ours may be able to do. */
const HANDSHAKE: JsonObject = {
  protocolVersion: '2025-11-25',
  capabilities: { roots: {}, sampling: { tools: {} }, elicitation: { form: {}, url: {} } },
  clientInfo: { name: 'mcp-refcache', version: '1' },
}

export interface ConnectionOptions {
  readonly clock: Clock
  /** A message of 2026-07-28, but for notifications of changes, which are the server's own. `text` is the message, where it is known. */
  tell(message: RpcMessage, text?: string): void
  onLost(reason: string): void
  onProblem(problem: string): void
  /** There is one call less. */
  onFree(): void
  /** A page of the server's tools, as it listed them. */
  onTools(page: JsonObject): void
  /** Whether the server runs the tool as a task alone. */
  runsAsTask(tool: unknown): boolean
}

/** One session with a server of 2025-11-25, which takes requests of 2026-07-28. */
export class Connection2025 {
  readonly #calls = new OpenCalls()
  readonly #suspended: SuspendedCalls
  readonly #own = new Map<RpcId, (response: RpcResponse) => void>()
  readonly #idPrefix = `refcache:${randomBytes(4).toString('hex')}:`
  #nextId = 1
  #logs = false

  /** What the server said of itself. */
  initialized: JsonObject = {}

  constructor(
    private readonly channel: Channel,
    private readonly options: ConnectionOptions,
  ) {
    this.#suspended = new SuspendedCalls(options.clock, (call, reason) => this.#giveUp(call, reason))
  }

  /** @param started whether the channel is open already. @throws when there is no server, or it refuses to begin */
  async start(started: boolean): Promise<void> {
    const lost = new Promise<never>((_, reject) => {
      this.channel.onclose = reason => {
        reject(new Error(reason))
        this.options.onLost(reason)
      }
    })
    lost.catch(() => {})
    this.channel.onmessage = (message, text) => this.#receive(message, text)
    this.channel.onerror = problem => this.options.onProblem(problem)
    try {
      if (!started) await this.channel.start()
      const response = await Promise.race([this.ask('initialize', HANDSHAKE), lost])
      if ('error' in response)
        throw new Error(`The wrapped server refused to begin: ${response.error.message}`)
      this.initialized = response.result
      await this.channel.send(notification('notifications/initialized'))
    } catch (error) {
      await this.channel.close()
      throw error
    }
  }

  get isPipe(): boolean {
    return this.channel.isPipe ?? false
  }

  get isFree(): boolean {
    return this.#calls.isEmpty
  }

  get hasAskable(): boolean {
    return this.#calls.all.some(({ isAskable }) => isAskable)
  }

  /** A request of our own. */
  async ask(method: string, params: JsonObject): Promise<RpcResponse> {
    const id = `${this.#idPrefix}${this.#nextId++}`
    return new Promise((resolve, reject) => {
      this.#own.set(id, resolve)
      this.channel.send({ jsonrpc: '2.0', id, method, params }).catch(reject)
    })
  }

  /** Passes a request on. @throws what kept it from getting through */
  async begin(request: RpcRequest): Promise<void> {
    const call = new OpenCall(request)
    this.#calls.add(call)
    if (logLevelOf(request.params)) await this.#startLogs()
    const { params = {}, method } = request
    const asTask = method === 'tools/call' && this.options.runsAsTask(params.name) ? { task: {} } : {}
    try {
      await this.channel.send({ ...request, params: { ...toParamsOf2025(params), ...asTask } })
    } catch (error) {
      this.#forget(call)
      throw error
    }
  }

  /** Goes on with a call that was suspended; false where none is known by that state. */
  resume(request: RpcRequest): boolean {
    const { requestState, inputResponses, name } = request.params ?? {}
    const call = this.#suspended.find(requestState)
    if (!call || call.request.params?.name !== name) return false
    try {
      const answers = call.resume(request, isJsonObject(inputResponses) ? inputResponses : {})
      this.#suspended.remove(call)
      for (const answer of answers) this.channel.send(answer).catch(() => {})
      const outcome = call.outcome()
      if (outcome) this.options.tell(outcome)
      else this.#suspend(call)
    } catch (error) {
      if (!(error instanceof InvalidArgument)) throw error
      const { message } = error
      this.options.tell(failure(request.id, { code: RpcErrorCode.invalidParams, message }))
    }
    return true
  }

  /** The client no longer waits for the answer to its request. */
  cancel(requestId: RpcId): void {
    const call = this.#calls.waitingFor(requestId)
    if (call) this.#giveUp(call, 'No longer wanted.')
  }

  /** Gives up the call that has waited for answers for longest; false where none does. */
  giveUpSuspended(): boolean {
    const { oldest } = this.#suspended
    if (oldest) this.#giveUp(oldest, 'Others wait for their turn.')
    return oldest !== undefined
  }

  /** The server is gone: whoever waits for its answer is told. */
  failAll(reason: string): void {
    const error = { code: RpcErrorCode.upstreamLost, message: reason }
    for (const call of this.#calls.all) this.#settle(call, failure(call.request.id, error))
  }

  close(): Promise<void> {
    this.#suspended.close()
    return this.channel.close()
  }

  pause(): void {
    this.channel.pause()
  }

  goOn(): void {
    this.channel.resume()
  }

  #receive(message: RpcMessage, text: string | undefined): void {
    if (isResponse(message)) this.#answered(message, text)
    else if (isRequest(message)) this.#asked(message)
    else this.#told(message)
  }

  #answered(response: RpcResponse, text: string | undefined): void {
    const own = this.#own.get(response.id)
    this.#own.delete(response.id)
    const call = this.#calls.get(response.id)
    if (own) own(response)
    if (!call) return
    if ('result' in response) {
      if (call.request.method === 'tools/list') this.options.onTools(response.result)
      if (this.#becameTask(call, response.result)) return
    }
    this.#settle(call, response, text)
  }

  /** A task of the server is no task of our client's: its result is what the call is answered with. */
  #becameTask(call: OpenCall, created: JsonObject): boolean {
    if (call.task) return false
    call.task = Task2025.madeFrom(created, {
      clock: this.options.clock,
      ask: (method, params) => this.ask(method, params),
      onStatus: message => this.#tellProgress(call.statusProgress(message)),
    })
    if (!call.task) return false
    void call.task.outcome(call.request.id).then(response => {
      if (this.#calls.has(call)) this.#settle(call, response)
    })
    return true
  }

  #settle(call: OpenCall, response: RpcResponse, text?: string): void {
    const { request } = call
    this.#forget(call)
    const answer = call.settle(toResponseOf2026(request, response))
    // Who waits now may have asked under another id.
    const isSame = answer?.id === response.id
    if (answer) this.options.tell(answer, isSame ? toTextOf2026(request, response, text) : undefined)
  }

  #asked(request: RpcRequest): void {
    const { id, method } = request
    const call = isQuestion(request) ? this.#calls.thatAsks(request) : undefined
    if (method === 'ping') this.#reply(result(id, {}))
    else if (call) {
      call.ask(request)
      // A server that asks several things at once has them answered at once.
      setImmediate(() => this.#suspend(call))
    } else {
      const message = `No client that can be asked this waits for an answer (${method}).`
      this.#reply(failure(id, { code: RpcErrorCode.methodNotFound, message }))
    }
  }

  #suspend(call: OpenCall): void {
    const answer = call.suspend()
    if (!answer) return
    this.#suspended.add(call)
    this.options.tell(answer)
  }

  #giveUp(call: OpenCall, reason: string): void {
    this.#suspended.remove(call)
    if (call.isSettled) return
    for (const id of call.openQuestions()) {
      this.#reply(failure(id, { code: RpcErrorCode.internal, message: reason }))
    }
    const { task, request } = call
    if (task) this.ask('tasks/cancel', { taskId: task.taskId }).catch(() => {})
    else this.#reply(notification('notifications/cancelled', { requestId: request.id, reason }))
    this.#forget(call)
  }

  #forget(call: OpenCall): void {
    this.#calls.delete(call)
    call.task?.end()
    this.options.onFree()
  }

  #reply(message: RpcMessage): void {
    this.channel.send(message).catch(() => {})
  }

  #told(message: RpcNotification): void {
    const { method, params = {} } = message
    const calls = this.#calls.all
    switch (method) {
      case 'notifications/progress':
        this.#tellProgress(this.#calls.withToken(params.progressToken)?.progress(params))
        return
      case 'notifications/tasks/status':
        for (const { task } of calls) task?.heard(params)
        return
      case 'notifications/cancelled':
        for (const call of calls) call.withdraw(params.requestId as RpcId)
        return
      case 'notifications/message': {
        const [only, ...others] = calls
        const least = logLevelOf(only?.request.params)
        // It does not say which call it belongs to, and no client gets what it has not asked for.
        if (others.length === 0 && least && isLoggedAt(params.level, least)) this.options.tell(message)
        return
      }
      default:
        if (/\/(?:list_changed|updated)$/.test(method)) this.options.tell(message)
    }
  }

  #tellProgress(progress: RpcNotification | undefined): void {
    if (progress) this.options.tell(progress)
  }

  /** Clients say with each request what they want to see of it: the server says all, and we choose. */
  async #startLogs(): Promise<void> {
    const { capabilities } = this.initialized
    if (this.#logs || !isJsonObject(capabilities) || capabilities.logging === undefined) return
    this.#logs = true
    await this.ask('logging/setLevel', { level: 'debug' }).catch(() => {})
  }
}
