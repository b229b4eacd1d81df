import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { onAbort } from '../../core/abort.ts'
import type { EncodedValue } from '../../core/codec.ts'
import type { StandardSchema, Validation } from '../../core/standard-schema.ts'
import type { Appended, ExecutionContext } from '../executor.ts'
import { fromErrorData } from '../executor-errors.ts'
import type { FromThread, SchemaName, ThreadToolInfo, ToThread } from './messages.ts'
import type { ThreadPool } from './pool.ts'
import { sendableError } from './sendable.ts'

/** UTF-16 units. */
const INPUT_AT_ONCE = 1024 * 1024

const NOT_SENDABLE =
  "what the tool's schema makes of it cannot go to a thread. Export the schema beside the handler, as { input, handler }, so that it runs there"

type Result = EncodedValue | Appended
type Request = Extract<FromThread, { number: number }>

/** One run of a handler in a thread, as the main thread sees it. */
export class ThreadRun {
  readonly #kill = new AbortController()
  readonly #aborted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #questions = new Map<number, AbortController>()
  #port: MessagePort | undefined
  #hasBegun = false
  #isStopping = false
  #isOver = false
  #grace: NodeJS.Timeout | undefined
  #settle: (outcome: { result: Result } | { error: Error }) => void = () => {}

  constructor(
    private readonly context: ExecutionContext,
    private readonly schemas: Readonly<Record<SchemaName, StandardSchema<unknown> | undefined>>,
    private readonly graceMs: number,
  ) {}

  /** @throws what the handler threw; the signal's reason where the thread was killed for it; WorkerLost, WorkerOutOfMemory */
  async result(pool: ThreadPool, tool: ThreadToolInfo, json: string): Promise<Result> {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const outcome = new Promise<{ result: Result } | { error: Error }>(resolve => {
      this.#settle = resolve
    })
    port1.on('message', (message: FromThread) => {
      if (message.type === 'begun') pool.begun(this.#kill)
      this.#hear(message)
    })
    // The pool keeps the process alive as long as a task runs.
    port1.unref()
    const { refId, attempt, startedBy, encoding, signal } = this.context
    const input = json.length <= INPUT_AT_ONCE ? json : undefined
    const task = { tool, input, refId, attempt, startedBy, encoding, port: port2, aborted: this.#aborted }
    const unlisten = onAbort(signal, () => this.stop(signal.reason))
    try {
      if (input === undefined) void this.#sendInput(json)
      await pool.run('run', task, [port2], this.#kill)
      const ended = await outcome
      if ('error' in ended) throw ended.error
      return ended.result
    } finally {
      unlisten()
      clearTimeout(this.#grace)
      for (const question of this.#questions.values()) question.abort()
      this.#isOver = true
      port1.close()
    }
  }

  /** Tells the handler to stop, and kills its thread when it does not. */
  stop(reason: unknown): void {
    if (this.#isStopping) return
    this.#isStopping = true
    if (!this.#hasBegun) {
      this.#kill.abort(reason)
      return
    }
    this.#send({ type: 'abort', reason: sendableError(reason) })
    Atomics.store(this.#aborted, 0, 1)
    this.#grace = setTimeout(() => this.#kill.abort(reason), this.graceMs)
  }

  /** A large input is copied to the thread in pieces, so that others have their turn. */
  async #sendInput(json: string): Promise<void> {
    for (let start = 0; start < json.length && !this.#isOver; start += INPUT_AT_ONCE) {
      const end = start + INPUT_AT_ONCE
      this.#send({ type: 'input', json: json.slice(start, end), isLast: end >= json.length })
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }

  #hear(message: FromThread): void {
    const { context } = this
    switch (message.type) {
      case 'begun':
        this.#hasBegun = true
        break
      case 'refIdRead':
        context.onRefIdRead?.()
        break
      case 'progress':
        context.progress(message.report)
        break
      case 'append':
        void this.#answer(message, () => context.append(message.piece))
        break
      case 'ask':
        void this.#ask(message)
        break
      case 'validate':
        void this.#answer(message, () => this.#validate(message))
        break
      case 'withdraw':
        this.#questions.get(message.number)?.abort(fromErrorData(message.reason))
        break
      case 'result':
        this.#settle({ result: message.result })
        break
      case 'error':
        this.#settle({ error: fromErrorData(message.error) })
    }
  }

  async #ask(message: Extract<Request, { type: 'ask' }>): Promise<void> {
    const { number, method, params } = message
    const withdrawal = new AbortController()
    this.#questions.set(number, withdrawal)
    await this.#answer(message, () => this.context.ask(method, params, withdrawal.signal))
    this.#questions.delete(number)
  }

  async #validate({ schema, value }: Extract<Request, { type: 'validate' }>): Promise<Validation<unknown>> {
    const result = await this.schemas[schema]?.['~standard'].validate(value)
    return result?.issues ? { issues: result.issues.map(plainIssue) } : { value: result?.value }
  }

  async #answer({ number }: Request, work: () => Promise<unknown>): Promise<void> {
    const said = await work().then(
      answer => ({ answer }),
      (error: unknown) => ({ error: sendableError(error) }),
    )
    try {
      this.#send({ type: 'answer', number, ...said })
    } catch {
      // All but what a schema made is plain.
      this.#send({ type: 'answer', number, answer: { issues: [{ message: NOT_SENDABLE }] } })
    }
  }

  #send(message: ToThread): void {
    this.#port?.postMessage(message)
  }
}

type Issue = NonNullable<Validation<unknown>['issues']>[number]

/** An issue without what no message can carry. */
function plainIssue({ message, path = [] }: Issue): Issue {
  return {
    message: String(message),
    path: path.map(step => String(typeof step === 'object' ? step.key : step)),
  }
}
