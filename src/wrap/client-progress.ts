import type { Progress } from '../core/entry.ts'
import { notification, type RpcId, type RpcNotification } from './rpc.ts'

/** How much a message without numbers moves the progress: MCP demands that each notification does. */
const MESSAGE_STEP = 0.001

/** Tells the caller of a request of progress while the request waits, where it gave a progress token. */
export class ClientProgress {
  #last = -Infinity
  #ended = false

  constructor(
    private readonly token: RpcId | undefined,
    private readonly send: (message: RpcNotification) => void,
  ) {}

  readonly tell = ({ current, total, message }: Progress): void => {
    if (this.token === undefined || this.#ended || (current === undefined && message === undefined)) return
    const progress = current ?? Math.max(0, this.#last) + MESSAGE_STEP
    if (progress <= this.#last) return
    this.#last = progress
    this.send(
      notification('notifications/progress', {
        progressToken: this.token,
        progress,
        ...(total === undefined ? {} : { total }),
        ...(message === undefined ? {} : { message }),
      }),
    )
  }

  /** Nothing may follow the answer. */
  end(): void {
    this.#ended = true
  }
}
