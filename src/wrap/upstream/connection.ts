import { onAbort } from '../../core/abort.ts'
import { Backoff } from '../../core/backoff.ts'
import { systemClock } from '../../core/clock.ts'
import { WorkerLost } from '../../core/errors.ts'
import { Signal } from '../../core/signal.ts'
import { type Channel, type SendOptions, SessionEnded } from '../channels/channel.ts'
import type { Log } from '../log.ts'
import type { RpcId, RpcMessage } from '../rpc.ts'

const RESTARTS = { firstMs: 250, maxMs: 30_000 }
/** A server that lived this long before it went away begins again with a short pause. */
const STABLE_MS = 60_000
/** How long a message waits for a server that is being restarted. */
const MAX_WAIT_MS = 10_000

export interface ConnectionEvents {
  onMessage(message: RpcMessage, text: string | undefined): void
  /** The server will not answer that request, and its connection goes on. */
  onUnanswered(id: RpcId, reason: string): void
  /** A channel is gone, with all that was sent over it; also one that nobody but `onRestored` had yet. */
  onGone(reason: string): void
  /** What could be used is lost, and will be restored. */
  onLost(reason: string): void
  /** There is a new channel, which knows nothing yet: here the server is told what the old one was told. */
  onRestored(): Promise<void> | undefined
  /** The server went away before it answered anything: trying again will not help. */
  onUnusable(reason: string): void
  /** It is tried again in so many milliseconds. */
  onAway(reason: string, pauseMs: number): void
  /** A new channel can be used by all. */
  onReady(): void
}

/** The way to one server: a channel that is opened again, after ever longer pauses, where it is lost. */
export class Connection {
  #channel: Channel | undefined
  /** Whether the server knows all that it has to: until then the channel is for `onRestored` alone. */
  #ready = false
  /** The connection is restored, or will not be. */
  readonly #changed = new Signal()
  readonly #restarts = new Backoff(RESTARTS)
  #startedAt = 0
  #answered = false
  #closed = false
  /** Why it cannot be used at all. */
  #unusable: string | undefined
  #held = false
  #restart: NodeJS.Timeout | undefined

  /** @param lasts whether it is tried again also where the server never answered: others can be used meanwhile */
  constructor(
    private readonly connect: () => Promise<Channel>,
    private readonly events: ConnectionEvents,
    private readonly log: Log,
    private readonly lasts: boolean,
  ) {}

  /** @throws when the server cannot be started or reached, unless it lasts */
  async start(): Promise<void> {
    if (this.lasts) return this.#tryAgain()
    await this.#connect()
    this.#ready = true
  }

  /** What all may use, at this moment. */
  get ready(): Channel | undefined {
    return this.#ready ? this.#channel : undefined
  }

  /** The channel, also where it is for `onRestored` alone. */
  get channel(): Channel | undefined {
    return this.#channel
  }

  /** Nothing that is asked from now on will be answered. */
  get closed(): boolean {
    return this.#closed
  }

  /** Waits while the server is being restarted. @throws WorkerLost where that takes too long */
  async reach(signal?: AbortSignal): Promise<Channel> {
    signal?.throwIfAborted()
    if (!this.#ready) await this.#untilReady(signal)
    signal?.throwIfAborted()
    if (!this.#channel || !this.#ready)
      throw new WorkerLost(this.#unusable ?? 'The wrapped server is not running. Try again in a while.')
    return this.#channel
  }

  /** A message that a new session has to be opened for goes out once more. */
  async send(channel: Channel, message: RpcMessage, options: SendOptions = {}): Promise<void> {
    let used = channel
    try {
      await channel.send(message, options)
    } catch (error) {
      if (!(error instanceof SessionEnded) || this.#closed) throw error
      await new Promise(setImmediate)
      used = await this.reach(options.signal)
      await used.send(message, options)
    }
    if (used !== this.#channel) throw new WorkerLost('The wrapped server went away before it answered.')
  }

  /** The server has answered a request, so it is one that can be started again. */
  heard(): void {
    if (!this.#answered) this.log.info('ready', 'The wrapped server has answered.')
    this.#answered = true
  }

  /** Lets the server wait: nothing that it sends is read until `release`. */
  hold(): void {
    this.#held = true
    this.#channel?.pause()
  }

  release(): void {
    this.#held = false
    this.#channel?.resume()
  }

  /** Ends a server that does not answer any more, and starts it again. */
  async restart(reason: string): Promise<void> {
    const channel = this.#channel
    if (!channel) return
    this.#lost(channel, reason)
    await channel.close()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#ready = false
    clearTimeout(this.#restart)
    this.events.onGone('The wrapper is being closed.')
    this.#changed.notify()
    await this.#channel?.close()
    this.#channel = undefined
  }

  async #connect(): Promise<void> {
    const channel = await this.connect()
    channel.onmessage = (message, text) => this.events.onMessage(message, text)
    channel.onerror = problem => this.log.warn('upstream_problem', problem)
    channel.onclose = reason => this.#lost(channel, reason)
    channel.onunanswered = (id, reason) => this.events.onUnanswered(id, reason)
    await channel.start()
    if (this.#closed) return channel.close()
    this.#startedAt = systemClock.monotonic()
    this.#channel = channel
    if (this.#held) channel.pause()
  }

  #lost(channel: Channel, reason: string): void {
    if (this.#channel !== channel || this.#closed) return
    this.#channel = undefined
    this.events.onGone(reason)
    // A server that goes away again while it is restored: `#tryAgain` hears of it and goes on.
    if (!this.#ready) return
    this.#ready = false
    if (!this.#answered && !this.lasts) {
      this.#closed = true
      this.#unusable = reason
      this.events.onUnusable(reason)
      this.#changed.notify()
      return
    }
    this.events.onLost(reason)
    if (systemClock.monotonic() - this.#startedAt > STABLE_MS) this.#restarts.reset()
    this.#restartLater(reason)
  }

  #restartLater(reason: string): void {
    const pause = this.#restarts.next()
    this.log.warn('upstream_lost', `${reason} Starting it again in ${pause / 1000} s.`)
    this.events.onAway(reason, pause)
    this.#restart = setTimeout(() => void this.#tryAgain(), pause)
  }

  async #tryAgain(): Promise<void> {
    const isFirst = !this.#answered
    try {
      await this.#connect()
      await this.events.onRestored()
      if (!this.#channel) throw new Error('The wrapped server ended again.')
      this.#ready = true
      this.events.onReady()
      if (!isFirst) this.log.info('upstream_restored', 'The wrapped server runs again.')
      this.#changed.notify()
    } catch (error) {
      const { message } = error as Error
      const channel = this.#channel
      this.#channel = undefined
      if (channel) this.events.onGone(message)
      await channel?.close()
      if (!this.#closed) this.#restartLater(message)
    }
  }

  async #untilReady(signal: AbortSignal | undefined): Promise<void> {
    let isOver = false
    const finish = () => {
      isOver = true
      this.#changed.notify()
    }
    const cancel = systemClock.schedule(MAX_WAIT_MS, finish)
    const ignore = signal && onAbort(signal, finish)
    while (!this.#ready && !this.#closed && !isOver) await this.#changed.next()
    cancel()
    ignore?.()
  }
}
