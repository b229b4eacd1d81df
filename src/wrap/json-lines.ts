import { parseJson } from '../core/json-text.ts'
import { isRpcMessage, type RpcMessage } from './rpc.ts'

const NEWLINE = 0x0a

/** More than any value that the cache stores takes; what is longer would not fit into one string. */
const MAX_LINE_BYTES = 300 * 1024 * 1024

/** Collects chunks into lines without copying a long line again with each chunk. */
export class JsonLines {
  #parts: Buffer[] = []
  #length = 0

  constructor(
    private readonly onMessage: (message: RpcMessage) => void,
    private readonly onGarbage: (description: string) => void,
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

  /** Of a line that is too long only the length is kept. */
  #collect(part: Buffer): void {
    this.#length += part.length
    if (this.#length > this.maxLineBytes) this.#parts = []
    else this.#parts.push(part)
  }

  #end(): void {
    const tooLong = this.#length > this.maxLineBytes
    const line = Buffer.concat(this.#parts)
    if (tooLong) this.onGarbage(`a line of ${this.#length} bytes, which is too long`)
    this.#parts = []
    this.#length = 0
    if (!tooLong) this.#take(line.toString('utf8'))
  }

  /** One message that nobody expected must not end a process that serves others. */
  #hand(message: RpcMessage): void {
    try {
      this.onMessage(message)
    } catch (error) {
      this.onGarbage(`a message that could not be handled (${(error as Error).name})`)
    }
  }

  #take(line: string): void {
    if (line.trim() === '') return
    let parsed: unknown
    try {
      parsed = parseJson(line)
    } catch {
      this.onGarbage(`a line that is no JSON (${line.length} characters)`)
      return
    }
    // A batch (2025-03-26) is its messages; an answer to each is an answer to the batch.
    for (const message of Array.isArray(parsed) ? parsed : [parsed]) {
      if (isRpcMessage(message)) this.#hand(message)
      else this.onGarbage('JSON that is no JSON-RPC 2.0 message')
    }
  }
}
