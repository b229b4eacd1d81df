import type { Progress } from '../core/entry.ts'
import { boundedMessage } from './error-limit.ts'

/** How much a message without numbers moves the progress: MCP demands that each notification does. */
export const MESSAGE_STEP = 0.001

/** The params of `notifications/progress`. */
export type ProgressParams = {
  progressToken: string | number
  progress: number
  total?: number
  message?: string
}

/**
 * Tells the caller of one request of progress while the request waits, where it gave a progress token.
 *
 * A report that does not go forward (a new attempt, the same number again) is left out.
 */
export class ProgressNotifier {
  #last = -Infinity
  #sent = Promise.resolve()
  #ended = false

  constructor(
    private readonly token: string | number | undefined,
    private readonly send: (params: ProgressParams) => Promise<unknown> | undefined,
  ) {}

  readonly notify = ({ current, total, message }: Progress): void => {
    if (this.token === undefined || this.#ended) return
    if (current === undefined && message === undefined) return
    const progress = current ?? Math.max(0, this.#last) + MESSAGE_STEP
    if (progress <= this.#last) return
    this.#last = progress
    const sent = this.#deliver({
      progressToken: this.token,
      progress,
      ...(total === undefined ? {} : { total }),
      ...(message === undefined ? {} : { message: boundedMessage(message) }),
    })
    this.#sent = this.#sent.then(() => sent)
  }

  /** Nothing is sent after this; resolves when all that was sent is on its way, so that the answer comes last. */
  async end(): Promise<void> {
    this.#ended = true
    await this.#sent
  }

  /** A client that cannot be told is no reason to fail its call. */
  async #deliver(params: ProgressParams): Promise<void> {
    try {
      await this.send(params)
    } catch {}
  }
}
