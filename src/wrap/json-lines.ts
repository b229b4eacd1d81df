import { isRpcMessage, type RpcMessage } from './rpc.ts'

const NEWLINE = 0x0a

/** Collects chunks into lines without copying a long line again with each chunk. */
export class JsonLines {
  #parts: Buffer[] = []

  constructor(
    private readonly onMessage: (message: RpcMessage) => void,
    private readonly onGarbage: (description: string) => void,
  ) {}

  push(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#parts.push(chunk.subarray(from, end))
      const line = Buffer.concat(this.#parts).toString('utf8')
      this.#parts = []
      from = end + 1
      this.#take(line)
    }
    if (from < chunk.length) this.#parts.push(chunk.subarray(from))
  }

  #take(line: string): void {
    if (line.trim() === '') return
    let parsed: unknown
    try {
      parsed = JSON.parse(line)
    } catch {
      this.onGarbage(`a line that is no JSON (${line.length} characters)`)
      return
    }
    // A batch (2025-03-26) is its messages; an answer to each is an answer to the batch.
    for (const message of Array.isArray(parsed) ? parsed : [parsed]) {
      if (isRpcMessage(message)) this.onMessage(message)
      else this.onGarbage('JSON that is no JSON-RPC 2.0 message')
    }
  }
}
