import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { onAbort } from '../../core/abort.ts'
import type { EncodedValue } from '../../core/codec.ts'
import type { Appended, ExecutionContext } from '../executor.ts'
import { fromErrorData } from '../executor-errors.ts'
import type { FromThread, ThreadTask, ToThread } from './messages.ts'
import type { ThreadPool } from './pool.ts'
import { sendableError } from './sendable.ts'

type Result = EncodedValue | Appended
type Request = Extract<FromThread, { type: 'append' | 'ask' }>

/** One run of a handler in a thread, as the main thread sees it. */
export class ThreadRun {
  readonly #kill = new AbortController()
  readonly #aborted = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #questions = new Map<number, AbortController>()
  #port: MessagePort | undefined
  #hasBegun = false
  #isStopping = false
  #grace: NodeJS.Timeout | undefined
  #settle: (outcome: { result: Result } | { error: Error }) => void = () => {}

  constructor(
    private readonly context: ExecutionContext,
    private readonly graceMs: number,
  ) {}

  /** @throws what the handler threw; the signal's reason where the thread was killed for it; WorkerLost, WorkerOutOfMemory */
  async result(
    pool: ThreadPool,
    task: Pick<ThreadTask, 'place' | 'verbatim' | 'projection' | 'input'>,
  ): Promise<Result> {
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
    const whole = { ...task, refId, attempt, startedBy, encoding, port: port2, aborted: this.#aborted }
    const unlisten = onAbort(signal, () => this.stop(signal.reason))
    try {
      await pool.run(whole, [port2], this.#kill)
      const ended = await outcome
      if ('error' in ended) throw ended.error
      return ended.result
    } finally {
      unlisten()
      clearTimeout(this.#grace)
      for (const question of this.#questions.values()) question.abort()
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

  #hear(message: FromThread): void {
    const { context } = this
    switch (message.type) {
      case 'begun':
        this.#hasBegun = true
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

  async #answer({ number }: Request, work: () => Promise<unknown>): Promise<void> {
    const said = await work().then(
      answer => ({ answer }),
      (error: unknown) => ({ error: sendableError(error) }),
    )
    this.#send({ type: 'answer', number, ...said })
  }

  #send(message: ToThread): void {
    this.#port?.postMessage(message)
  }
}
