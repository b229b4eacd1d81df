import { setTimeout as sleep } from 'node:timers/promises'
import { onAbort } from '../../core/abort.ts'
import { systemClock } from '../../core/clock.ts'
import { TaskFailed, WorkerLost } from '../../core/errors.ts'
import { toNumber } from '../../core/exact-number.ts'
import type { TaskContext } from '../../core/handler.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { InputRequest } from '../../core/question.ts'
import { Signal } from '../../core/signal.ts'
import { metaOf, RELATED_TASK, RpcErrorCode, type RpcResponse } from '../rpc.ts'
import { ask, questionsIn } from './input.ts'
import type { Upstream } from './upstream.ts'

/** What becomes of a task of ours that stands for one of the wrapped server. */
export interface FollowOptions {
  readonly upstream: Upstream
  /** Ours. */
  readonly task: TaskContext
  /** The metadata of each request of 2026-07-28. Absent at 2025-11-25, which has no such thing. */
  readonly meta: JsonObject | undefined
  readonly cancellable: boolean
}

const POLL_MS = { least: 100, unsaid: 1_000, most: 15_000 }
/** How often in a row a poll may fail before the task is given up. */
const MAX_FAILURES = 5

/** A task of the wrapped server, followed to its end as its client. */
export class UpstreamTask {
  /** Questions of the server that are on their way, and the answers that there are. */
  readonly #asking = new Set<string>()
  readonly #answers = new Map<string, JsonObject>()
  readonly #news = new Signal()
  /** 2025-11-25: the request for the result, while it is under way, and when it has brought one. */
  #result: Promise<RpcResponse> | undefined
  #told: unknown
  /** Whether the server has said that the task is over. */
  #ended = false
  /** What of a question's way goes wrong while the task is polled. */
  #trouble: { readonly error: unknown } | undefined

  constructor(
    readonly taskId: string,
    private readonly options: FollowOptions,
  ) {}

  /** Ours. */
  get task(): TaskContext {
    return this.options.task
  }

  get refId(): string {
    return this.options.task.refId
  }

  /** There may be something new: the server is asked before its interval is over. */
  wake(): void {
    this.#news.notify()
  }

  /** @param created what the call was answered with. Resolves with what the call itself would have been answered with. */
  async follow(created: JsonObject): Promise<RpcResponse> {
    const { signal } = this.options.task
    const ignore = onAbort(signal, () => this.wake())
    if (!this.options.meta) this.#waitForResult()
    try {
      for (let state = created; ; state = await this.#get()) {
        signal.throwIfAborted()
        if (this.#trouble) throw this.#trouble.error
        this.#tell(state)
        const outcome = this.#outcome(state)
        if (outcome) return await outcome
        if (state.status === 'input_required') this.#help(state)
        await this.#pause(state)
      }
    } finally {
      ignore()
      if (!this.#ended) this.#cancel()
    }
  }

  #tell({ statusMessage }: JsonObject): void {
    if (typeof statusMessage !== 'string' || statusMessage === this.#told) return
    this.#told = statusMessage
    this.options.task.progress({ message: statusMessage })
  }

  #outcome(state: JsonObject): Promise<RpcResponse> | undefined {
    const { status } = state
    if (status !== 'completed' && status !== 'failed' && status !== 'cancelled') return undefined
    this.#ended = true
    if (status === 'cancelled') throw new TaskFailed('The wrapped server cancelled the task.')
    return this.options.meta ? Promise.resolve(this.#inlined(state)) : this.#fetched(state)
  }

  /** 2026-07-28: the end of a task says what came of it. */
  #inlined({ status, result, error, statusMessage }: JsonObject): RpcResponse {
    const about = { jsonrpc: '2.0', id: this.taskId } as const
    if (status === 'completed' && isJsonObject(result)) return { ...about, result }
    const { code, message, data } = isJsonObject(error) ? error : {}
    return {
      ...about,
      error: {
        code: toNumber(code) ?? RpcErrorCode.internal,
        message: String(message ?? statusMessage ?? 'The task of the wrapped server failed.'),
        ...(data === undefined ? {} : { data }),
      },
    }
  }

  /** 2025-11-25: there is a request for it. */
  async #fetched({ status, statusMessage }: JsonObject): Promise<RpcResponse> {
    const response = await (this.#result ?? this.#requestResult()).catch(() => this.#requestResult())
    if ('result' in response) return { ...response, result: unrelated(response.result) }
    // Many servers keep nothing of a task that failed but the message; then the error is about that.
    const why = status === 'failed' && typeof statusMessage === 'string' ? statusMessage : ''
    if (!response.error.message.includes(why)) throw new TaskFailed(why)
    return response
  }

  /** The task waits for an answer: 2026-07-28 shows the questions, 2025-11-25 asks them while its result is waited for. */
  #help(state: JsonObject): void {
    if (this.options.meta) this.#answerAll(state)
    else this.#waitForResult()
  }

  /** 2025-11-25: comes at the end, so that its interval is not waited for. Polls tell what happens until then. */
  #waitForResult(): void {
    if (this.#result) return
    const result = this.#requestResult()
    this.#result = result
    const none = () => {
      if (this.#result === result) this.#result = undefined
    }
    // Some servers refuse to wait.
    result.then(response => ('result' in response ? this.wake() : none()), none)
  }

  #answerAll(state: JsonObject): void {
    const questions = questionsIn(state)
    if (!questions) throw new TaskFailed('The wrapped server asks for something that a task cannot be given.')
    for (const [key, question] of Object.entries(questions)) {
      if (this.#asking.has(key)) continue
      this.#asking.add(key)
      this.#answer(key, question)
        .catch(error => {
          // An answer that did not get through is sent again when the question is seen again.
          if (error instanceof WorkerLost) return
          this.#trouble = { error }
          this.wake()
        })
        .finally(() => this.#asking.delete(key))
    }
  }

  async #answer(key: string, question: InputRequest): Promise<void> {
    const known = this.#answers.get(key)
    const answer = known ?? (await ask(this.options.task, question))
    this.#answers.set(key, answer)
    await this.#request('tasks/update', { inputResponses: { [key]: answer } })
    if (!known) this.wake()
  }

  #requestResult(): Promise<RpcResponse> {
    return this.#request('tasks/result')
  }

  async #get(): Promise<JsonObject> {
    for (let failures = 1; ; failures++) {
      const state = await this.#tryGet()
      if (!(state instanceof WorkerLost)) return state
      if (failures >= MAX_FAILURES || this.options.upstream.closed) throw state
      await sleep(POLL_MS.unsaid, undefined, { signal: this.options.task.signal })
    }
  }

  /** How the task stands, or what kept the server from saying so. */
  async #tryGet(): Promise<JsonObject | WorkerLost> {
    let response: RpcResponse
    try {
      response = await this.#request('tasks/get')
    } catch (error) {
      if (error instanceof WorkerLost) return error
      throw error
    }
    if ('result' in response) return response.result
    const { code, message } = response.error
    const lost = new WorkerLost(`The wrapped server does not know of its task any more: ${message}`)
    if (code !== RpcErrorCode.invalidParams && code !== RpcErrorCode.methodNotFound) return lost
    this.#ended = true
    throw lost
  }

  async #pause({ pollInterval, pollIntervalMs }: JsonObject): Promise<void> {
    const asked = this.options.meta ? pollIntervalMs : pollInterval
    const said = toNumber(asked) ?? -1
    const ms = said >= 0 ? said : POLL_MS.unsaid
    const within = Math.min(POLL_MS.most, Math.max(POLL_MS.least, ms))
    const cancel = systemClock.schedule(within, () => this.wake())
    await this.#news.next()
    cancel()
  }

  #request(method: string, more: JsonObject = {}): Promise<RpcResponse> {
    const { upstream, task, meta } = this.options
    const params = { ...(meta ? { _meta: meta } : {}), taskId: this.taskId, ...more }
    return upstream.request(method, params, { signal: task.signal })
  }

  /** The task of ours is over, and this one is not: nobody wants it any more. */
  #cancel(): void {
    const { upstream, meta, cancellable } = this.options
    if (!cancellable || upstream.closed) return
    const params = { ...(meta ? { _meta: meta } : {}), taskId: this.taskId }
    upstream.request('tasks/cancel', params).catch(() => {})
  }
}

/** The result without the id of a task that nobody else knows of. */
export function unrelated(result: JsonObject): JsonObject {
  const { _meta: _, ...rest } = result
  const { [RELATED_TASK]: __, ...meta } = metaOf(result)
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta }
}
