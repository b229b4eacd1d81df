import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { Actor } from '../../access/actor.ts'
import type { ValueEncoding } from '../../core/codec.ts'
import { InvalidArgument } from '../../core/errors.ts'
import type { ProgressReport } from '../../core/handler.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Piece } from '../../core/piece.ts'
import type { AskMethod } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import type { StandardSchema, Validation } from '../../core/standard-schema.ts'
import type { ExecutionContext } from '../executor.ts'
import { fromErrorData } from '../executor-errors.ts'
import type { FromThread, SchemaName, ThreadTask, ToThread } from './messages.ts'
import { ProgressThrottle } from './progress-throttle.ts'
import { sendableError, sendableParams } from './sendable.ts'

/** What a handler's run in a thread can do: all of it is messages to the main thread. */
export class WorkerContext implements ExecutionContext {
  readonly refId: RefId
  readonly attempt: number
  readonly startedBy: Actor
  readonly encoding: ValueEncoding
  readonly #port: MessagePort
  readonly #aborted: Int32Array
  readonly #controller = new AbortController()
  readonly #waiting = new Map<number, (answer: Extract<ToThread, { type: 'answer' }>) => void>()
  readonly #progress = new ProgressThrottle(report => this.#send({ type: 'progress', report }))
  readonly #input: string[] = []
  #endInput: (json: string) => void = () => {}
  /** Of an input that comes in pieces. */
  readonly input = new Promise<string>(resolve => {
    this.#endInput = resolve
  })
  #next = 0
  #isOver = false

  constructor({ refId, attempt, startedBy, encoding, port, aborted }: ThreadTask) {
    this.refId = refId
    this.attempt = attempt
    this.startedBy = startedBy
    this.encoding = encoding
    this.#port = port
    this.#aborted = aborted
    port.on('message', (message: ToThread) => this.#hear(message))
  }

  /** Looks for an abort each time: a handler that computes without a pause hears of it here. */
  get signal(): AbortSignal {
    if (Atomics.load(this.#aborted, 0) !== 0 && !this.#controller.signal.aborted) this.#readAll()
    return this.#controller.signal
  }

  begin(): void {
    this.#send({ type: 'begun' })
  }

  onRefIdRead(): void {
    this.#send({ type: 'refIdRead' })
  }

  progress(report: ProgressReport): void {
    this.#progress.report(report)
  }

  async append(piece: Piece): Promise<void> {
    const number = this.#next++
    await this.#answerTo({ type: 'append', number, piece })
  }

  async ask(method: AskMethod, params: unknown, signal?: AbortSignal): Promise<JsonObject> {
    signal?.throwIfAborted()
    const number = this.#next++
    const sendable = sendableParams(params)
    const withdraw = () => this.#send({ type: 'withdraw', number, reason: sendableError(signal?.reason) })
    signal?.addEventListener('abort', withdraw)
    try {
      return (await this.#answerTo({ type: 'ask', number, method, params: sendable })) as JsonObject
    } finally {
      signal?.removeEventListener('abort', withdraw)
    }
  }

  /** A schema of the main thread, which runs there. */
  schema(schema: SchemaName): StandardSchema<unknown> {
    const validate = async (value: unknown): Promise<Validation<unknown>> => {
      const number = this.#next++
      try {
        return (await this.#answerTo({ type: 'validate', number, schema, value })) as Validation<unknown>
      } catch (error) {
        // Whoever encodes it says where it is no JSON.
        if ((error as Error).name === 'DataCloneError') return { value }
        throw error
      }
    }
    return { '~standard': { version: 1, vendor: 'mcp-refcache', validate } }
  }

  /** Nothing is said after this. */
  end(last: Extract<FromThread, { type: 'result' | 'error' }>, transferred: ArrayBuffer[] = []): void {
    this.#progress.end()
    this.#send(last, transferred)
    this.#isOver = true
    this.#port.close()
  }

  fail(error: unknown): void {
    this.end({ type: 'error', error: sendableError(error) })
  }

  #answerTo(request: Extract<FromThread, { number: number }>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isOver) throw new InvalidArgument('The handler has ended, so nobody hears of this any more.')
      this.#waiting.set(request.number, ({ answer, error }) =>
        error ? reject(fromErrorData(error)) : resolve(answer),
      )
      this.#send(request)
    })
  }

  #readAll(): void {
    for (let next = receiveMessageOnPort(this.#port); next; next = receiveMessageOnPort(this.#port)) {
      this.#hear(next.message as ToThread)
    }
  }

  #hear(message: ToThread): void {
    if (message.type === 'abort') {
      this.#controller.abort(fromErrorData(message.reason))
      return
    }
    if (message.type === 'input') {
      this.#input.push(message.json)
      if (message.isLast) this.#endInput(this.#input.splice(0).join(''))
      return
    }
    this.#waiting.get(message.number)?.(message)
    this.#waiting.delete(message.number)
  }

  #send(message: FromThread, transferred: ArrayBuffer[] = []): void {
    this.#port.postMessage(message, transferred)
  }
}
