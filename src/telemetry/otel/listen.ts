import type { MessageChannel, TraceChannel } from '../channels.ts'
import type { Traced } from '../messages.ts'

/** What a subscriber does with what takes time. */
export interface Listener<Message> {
  begin?(message: Message): void
  /** @param ms how long it took */
  finish(message: Message, ms: number): void
}

/** Subscribes to the channels, and ends all subscriptions together. What goes wrong in a subscriber reaches nobody but `onTrouble`. */
export class Subscriptions {
  readonly #ends: Array<() => void> = []

  constructor(private readonly onTrouble: (error: unknown) => void) {}

  /** What had begun before is not heard of. */
  traces<Message extends Traced>(channel: TraceChannel<Message>, { begin, finish }: Listener<Message>): void {
    const begunAt = new WeakMap<Message, number>()
    const done = (message: Message) => {
      const since = begunAt.get(message)
      if (since === undefined || !begunAt.delete(message)) return
      this.#safely(() => finish(message, performance.now() - since))
    }
    const subscribers = {
      start: (message: Message) => {
        begunAt.set(message, performance.now())
        this.#safely(() => begin?.(message))
      },
      // It threw before there was anything to wait for.
      end: (message: Message) => {
        if ('error' in message) done(message)
      },
      asyncEnd: done,
      asyncStart() {},
      error() {},
    }
    channel.subscribe(subscribers)
    this.#ends.push(() => channel.unsubscribe(subscribers))
  }

  messages<Message>(channel: MessageChannel<Message>, onMessage: (message: Message) => void): void {
    const listener = (message: Message) => this.#safely(() => onMessage(message))
    channel.subscribe(listener)
    this.#ends.push(() => void channel.unsubscribe(listener))
  }

  end(): void {
    for (const end of this.#ends.splice(0)) end()
  }

  #safely(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.onTrouble(error)
    }
  }
}
