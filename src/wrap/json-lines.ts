import { LongText } from './long-text.ts'
import { type Received, readMessages, type Unreadable } from './read-message.ts'
import type { RpcMessage } from './rpc.ts'

const NEWLINE = 0x0a

/** More than any value that the cache stores takes; what is longer would not fit into one string. */
const MAX_LINE_BYTES = 300 * 1024 * 1024
/** A longer line is read while it comes: the event loop turns between its pieces. */
const AT_ONCE_BYTES = 256 * 1024

/** Collects chunks into lines, and lines into messages. */
export class JsonLines {
  #parts: Buffer[] = []
  #length = 0
  /** The line, where it is long. */
  #long: LongText | undefined

  constructor(
    private readonly onMessage: (message: RpcMessage, text?: string) => void,
    private readonly onUnreadable: (unreadable: Unreadable) => void,
    private readonly maxLineBytes = MAX_LINE_BYTES,
  ) {}

  push(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#collect(chunk.subarray(from, end))
      from = end + 1
      this.#end()
    }
    if (from < chunk.length) this.#collect(chunk.subarray(from))
  }

  #collect(part: Buffer): void {
    this.#length += part.length
    this.#parts.push(part)
    if (!this.#long) {
      if (this.#length <= Math.min(AT_ONCE_BYTES, this.maxLineBytes)) return
      this.#long = new LongText(this.maxLineBytes)
    }
    for (const kept of this.#parts.splice(0)) this.#long.push(kept)
  }

  #end(): void {
    const parts = this.#parts
    const long = this.#long
    this.#parts = []
    this.#length = 0
    this.#long = undefined
    if (long) this.#take(long.end())
    else {
      const line = Buffer.concat(parts).toString('utf8')
      if (line.trim() !== '') this.#take(readMessages(line))
    }
  }

  #take(all: readonly Received[]): void {
    for (const received of all) {
      if ('message' in received) this.#hand(received.message, received.text)
      else this.onUnreadable(received.unreadable)
    }
  }

  /** One message that nobody expected must not end a process that serves others. */
  #hand(message: RpcMessage, text: string | undefined): void {
    try {
      this.onMessage(message, text)
    } catch (error) {
      this.onUnreadable({ problem: `a message that could not be handled (${(error as Error).name})` })
    }
  }
}
