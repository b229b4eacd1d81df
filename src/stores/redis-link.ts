import { systemClock } from '../core/clock.ts'
import { StoreUnavailable } from '../core/errors.ts'
import type { Argument, Connection } from './redis-client.ts'
import { asStoreError, withoutSecrets } from './redis-errors.ts'
import type { Script } from './redis-lua.ts'

/**
 * Commands to the server that answer or fail within a bounded time.
 *
 * While the server is away, the first to find out wait for it, at most `timeoutMs`; then every command fails at
 * once until the connection is back. The same holds for a server that is connected and does not answer.
 */
export class RedisLink {
  readonly #connection: Connection
  readonly #where: string
  readonly #secrets: readonly string[]
  readonly #timeoutMs: number
  /** Set while the server is away: settles when it is back, or fails when that took too long. */
  #back: Promise<void> | undefined
  #onBack: (() => void) | undefined
  #lastError: unknown
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(connection: Connection, where: string, secrets: readonly string[], timeoutMs: number) {
    this.#connection = connection
    this.#where = where
    this.#secrets = secrets
    this.#timeoutMs = timeoutMs
    connection.observe({
      onReady: () => this.#isBack(),
      onDown: error => {
        this.#lastError = error ?? this.#lastError
      },
      onMessage: () => {},
    })
    connection.open()
  }

  /** Runs a script; Redis is told its text when it does not know it, as after a restart. */
  run(script: Script, base: string, args: readonly Argument[]): Promise<unknown> {
    return this.#translate(async () => {
      try {
        return await this.#exchange(['EVALSHA', script.sha1, '1', base, ...args])
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
        return this.#exchange(['EVAL', script.text, '1', base, ...args])
      }
    })
  }

  send(command: string, ...args: Argument[]): Promise<unknown> {
    return this.#translate(() => this.#exchange([command, ...args]))
  }

  /** A connection of its own to the same server; not open yet. */
  duplicate(): Connection {
    return this.#connection.duplicate()
  }

  /** Lets what is under way end first; that takes no longer than an operation may. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    this.#connection.destroy()
  }

  async #translate<T>(work: () => Promise<T>): Promise<T> {
    const done = work()
    this.#underWay.add(done)
    try {
      return await done
    } catch (error) {
      throw asStoreError(error, this.#where, this.#secrets)
    } finally {
      this.#underWay.delete(done)
    }
  }

  async #exchange(args: Parameters<Connection['send']>[0]): Promise<unknown> {
    if (this.#back || !this.#connection.isReady()) await this.#untilBack()
    return this.#inTime(this.#connection.send(args))
  }

  #untilBack(): Promise<void> {
    this.#back ??= this.#within(
      new Promise(resolve => {
        this.#onBack = resolve
      }),
      () => this.#awayError(),
    )
    return this.#back
  }

  #isBack(): void {
    this.#onBack?.()
    this.#back = undefined
    this.#lastError = undefined
  }

  #inTime(reply: Promise<unknown>): Promise<unknown> {
    return this.#within(reply, () => {
      const error = new StoreUnavailable(`${this.#where} did not answer within ${this.#timeoutMs} ms.`)
      this.#fallSilent(error)
      return error
    })
  }

  /** Commands would pile up behind one that is not answered; none is sent until a small one is. */
  #fallSilent(error: StoreUnavailable): void {
    if (this.#back) return
    this.#back = Promise.reject(error)
    this.#back.catch(() => {})
    this.#connection.send(['PING']).then(
      () => this.#isBack(),
      // An error reply is an answer, too.
      () => this.#connection.isReady() && this.#isBack(),
    )
  }

  #awayError(): StoreUnavailable {
    const last = this.#lastError
    const cause = last === undefined ? undefined : withoutSecrets(last, this.#secrets)
    const reason = cause ? `: ${cause.message}` : ''
    return new StoreUnavailable(
      `${this.#where} cannot be reached${reason}. Check that it runs, and its address, user and password.`,
      cause ? { cause } : {},
    )
  }

  #within<T>(promise: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      let settled = false
      const cancel = systemClock.schedule(this.#timeoutMs, () => {
        // A process that was busy for long meets its timers first; the answer may have come in the meantime.
        setImmediate(() => settled || reject(late()))
      })
      const settle = () => {
        settled = true
        cancel()
      }
      promise.then(resolve, reject).finally(settle)
    })
  }
}
