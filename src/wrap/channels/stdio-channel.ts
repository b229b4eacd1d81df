import type { Readable, Writable } from 'node:stream'
import { stringifyJson } from '../../core/json-text.ts'
import { valuePieces } from '../../core/serialize-pieces.ts'
import type { RpcMessage } from '../rpc.ts'
import { type Channel, MessageTooLarge, type SendOptions } from './channel.ts'
import { JsonLines } from './json-lines.ts'
import { failureOf, refusalOf, type Unreadable } from './read-message.ts'

/** Clients of the SDK end the connection at a message of 10 MiB, together with what else of a chunk was read. */
const MAX_MESSAGE_BYTES = 10 * 1024 * 1024 - 64 * 1024

/** The client at the other end of this process's stdin and stdout. */
export class StdioChannel implements Channel {
  readonly isPipe = true
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  #closed = false

  constructor(
    private readonly input: Readable = process.stdin,
    private readonly output: Writable = process.stdout,
  ) {}

  async start(): Promise<void> {
    const lines = new JsonLines(
      (message, text) => this.onmessage?.(message, text),
      unreadable => this.#takeUnreadable(unreadable),
    )
    this.input.on('data', (chunk: Buffer) => lines.push(chunk))
    for (const event of ['end', 'close'] as const) {
      this.input.on(event, () => this.#gone('The client closed its end.'))
    }
    this.input.on('error', () => this.#gone('The client cannot be read any more.'))
    this.output.on('error', () => this.#gone('The client does not read any more.'))
  }

  /** Whoever waits for the answer that this should have been hears so at once; and so does a client that asks. */
  #takeUnreadable(unreadable: Unreadable): void {
    const { problem, id, kind } = unreadable
    this.onerror?.(`The client sent ${problem}${id === undefined ? '; it was ignored' : ''}.`)
    if (id === undefined) return
    if (kind === 'response') this.onmessage?.(failureOf(unreadable, id, 'The client'))
    else void this.send(refusalOf(unreadable, id))
  }

  async send(message: RpcMessage, { text }: SendOptions = {}): Promise<void> {
    if (!this.#closed) await writeLine(this.output, message, text ?? boundedText(message))
  }

  pause(): void {
    this.input.pause()
  }

  resume(): void {
    if (!this.#closed) this.input.resume()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.input.pause()
  }

  #gone(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.onclose?.(reason)
  }
}

/** Not more of it is written than may be sent. @throws MessageTooLarge */
function boundedText(message: RpcMessage): string {
  const pieces: string[] = []
  let bytes = 0
  for (const piece of valuePieces(message, true)) {
    bytes += Buffer.byteLength(piece)
    if (bytes > MAX_MESSAGE_BYTES) {
      throw new MessageTooLarge('It has more than 10 MB, the most that clients read of one message on stdio.')
    }
    pieces.push(piece)
  }
  return pieces.join('')
}

/** Resolves when the stream is ready for more. */
export function writeLine(
  output: Writable,
  message: RpcMessage,
  text = stringifyJson(message),
): Promise<void> {
  if (output.write(`${text}\n`)) return Promise.resolve()
  return new Promise(resolve => {
    const done = () => {
      output.off('drain', done)
      output.off('close', done)
      resolve()
    }
    output.on('drain', done)
    output.on('close', done)
  })
}
