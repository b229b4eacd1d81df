import { readMessages, type Unreadable } from './read-message.ts'
import type { RpcMessage } from './rpc.ts'

const NEWLINE = 0x0a

/** More than any value that the cache stores takes; what is longer would not fit into one string. */
const MAX_LINE_BYTES = 300 * 1024 * 1024
/** What is kept of a longer line: enough to tell what it answers. */
const HEAD_BYTES = 1024

/** Collects chunks into lines without copying a long line again with each chunk. */
export class JsonLines {
  #parts: Buffer[] = []
  #length = 0

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
    const wasTooLong = this.#length > this.maxLineBytes
    this.#length += part.length
    if (wasTooLong) return
    this.#parts.push(part)
    if (this.#length > this.maxLineBytes) {
      this.#parts = [
        Buffer.concat(this.#parts.map(kept => kept.subarray(0, HEAD_BYTES))).subarray(0, HEAD_BYTES),
      ]
    }
  }

  #end(): void {
    const tooLong = this.#length > this.maxLineBytes ? this.#length : undefined
    const line = Buffer.concat(this.#parts).toString('utf8')
    this.#parts = []
    this.#length = 0
    if (line.trim() !== '') this.#take(line, tooLong)
  }

  #take(line: string, tooLong: number | undefined): void {
    for (const received of readMessages(line)) {
      if (tooLong !== undefined) {
        const about = 'unreadable' in received ? received.unreadable : {}
        this.onUnreadable({ ...about, problem: `a line of ${tooLong} bytes, which is too long` })
      } else if ('message' in received) this.#hand(received.message, received.text)
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
