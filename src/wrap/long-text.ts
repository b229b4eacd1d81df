import { StringDecoder } from 'node:string_decoder'
import { JsonReader } from '../core/json-reader.ts'
import { faultIn, identifyByEnds, type Received, readParsed } from './read-message.ts'

/** What is kept of both ends: enough to tell what an answer is to. */
const END_CHARACTERS = 1024

/** A message, or a batch, that is too long to be read at once: it is read while it comes. */
export class LongText {
  readonly #decoder = new StringDecoder('utf8')
  /** Undefined once it cannot be read. */
  #reader: JsonReader | undefined = new JsonReader()
  #fault = ''
  #head = ''
  #tail = ''
  #bytes = 0

  constructor(private readonly maxBytes: number) {}

  push(part: Uint8Array): void {
    this.#bytes += part.length
    const text = this.#decoder.write(part)
    if (this.#head.length < END_CHARACTERS) this.#head += text.slice(0, END_CHARACTERS)
    this.#tail = (this.#tail + text.slice(-END_CHARACTERS)).slice(-END_CHARACTERS)
    if (this.#bytes > this.maxBytes) this.#reader = undefined
    else
      this.#try(
        reader => reader.push(text),
        () => faultIn(text),
      )
  }

  end(): Received[] {
    const value = this.#try(
      reader => reader.end(),
      () => 'it ends before its end',
    )
    if (value !== undefined) return readParsed(value)
    const problem =
      this.#bytes > this.maxBytes
        ? `a line of ${this.#bytes} bytes, which is too long`
        : `a line that is no JSON (${this.#bytes} bytes): ${this.#fault}`
    return [{ unreadable: { problem, ...identifyByEnds(this.#head, this.#tail) } }]
  }

  #try<T>(read: (reader: JsonReader) => T, fault: () => string): T | undefined {
    if (!this.#reader) return undefined
    try {
      return read(this.#reader)
    } catch {
      this.#reader = undefined
      this.#fault = fault()
      return undefined
    }
  }
}
