import { StringDecoder } from 'node:string_decoder'
import type { RpcMessage } from '../rpc.ts'
import { MessageText } from './message-text.ts'
import type { Unreadable } from './read-message.ts'

const NEWLINE = 0x0a

/** Collects chunks into lines, and lines into messages. */
export class JsonLines {
  readonly #decoder = new StringDecoder('utf8')
  #line: MessageText

  constructor(
    private readonly onMessage: (message: RpcMessage, text?: string) => void,
    private readonly onUnreadable: (unreadable: Unreadable) => void,
    private readonly maxLength?: number,
  ) {
    this.#line = new MessageText(maxLength)
  }

  push(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      this.#line.push(this.#decoder.write(chunk.subarray(from, end)))
      from = end + 1
      this.#end()
    }
    if (from < chunk.length) this.#line.push(this.#decoder.write(chunk.subarray(from)))
  }

  #end(): void {
    const line = this.#line
    // What is left of a broken character does not begin the next line.
    line.push(this.#decoder.end())
    this.#line = new MessageText(this.maxLength)
    for (const received of line.end()) {
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
