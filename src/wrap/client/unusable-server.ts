import { systemClock, waitAtMost } from '../../core/clock.ts'
import type { Channel } from '../channels/channel.ts'
import { failure, isRequest, RpcErrorCode } from '../rpc.ts'

/** So long a client may take to ask for the first time, before a server that cannot be used ends its session. */
const FIRST_REQUEST_MS = 2_000

/** Ends the session of a server that cannot be used once its client was told: by the answer to its first request, which may be on its way. */
export class UnusableServer {
  #wasAsked = false
  #isOver = false

  constructor(private readonly onUnusable: (reason: string) => void) {}

  /** The client has asked for something, and is answered. */
  asked(): void {
    this.#wasAsked = true
  }

  endSoon(reason: string): void {
    if (this.#wasAsked) this.end(reason)
    else systemClock.schedule(FIRST_REQUEST_MS, () => this.end(reason))
  }

  end(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.onUnusable(reason)
  }

  /** The session is over. */
  close(): void {
    this.#isOver = true
  }
}

/** Answers the first request of a client whose server could not be started. Resolves then, or when none comes. */
export async function refuseFirst(client: Channel, reason: string): Promise<void> {
  const answered = new Promise<void>(resolve => {
    client.onclose = () => resolve()
    client.onmessage = message => {
      if (!isRequest(message)) return
      const failed = failure(message.id, { code: RpcErrorCode.upstreamLost, message: reason })
      void client.send(failed).then(resolve, resolve)
    }
  })
  await client.start()
  await waitAtMost(systemClock, FIRST_REQUEST_MS, answered)
}
