import { JsonReader } from '../../core/json-reader.ts'
import { faultIn, identifyByEnds, type Received, readMessages, readParsed } from './read-message.ts'

/** What is kept of both ends: enough to tell what an answer is to. */
const END_CHARACTERS = 1024

/** A longer text is read while it comes: the event loop turns between its pieces. */
const AT_ONCE_CHARACTERS = 256 * 1024
/** More than any value that the cache stores takes; what is longer would not fit into one string. */
const MAX_CHARACTERS = 300 * 1024 * 1024

/** A message, or a batch, that comes in pieces. */
export class MessageText {
  #pieces: string[] = []
  #length = 0
  /** What it is, where it is long. */
  #long: LongText | undefined

  constructor(private readonly maxLength = MAX_CHARACTERS) {}

  get isLong(): boolean {
    return this.#long !== undefined
  }

  push(piece: string): void {
    this.#length += piece.length
    this.#pieces.push(piece)
    if (!this.#long) {
      if (this.#length <= Math.min(AT_ONCE_CHARACTERS, this.maxLength)) return
      this.#long = new LongText(this.maxLength)
    }
    for (const kept of this.#pieces.splice(0)) this.#long.push(kept)
  }

  /** Nothing where there is nothing but space. */
  end(): Received[] {
    if (this.#long) return this.#long.end()
    const text = this.#pieces.join('')
    return text.trim() === '' ? [] : readMessages(text)
  }
}

/** A message that is too long to be read at once. */
class LongText {
  /** Undefined once it cannot be read. */
  #reader: JsonReader | undefined = new JsonReader()
  #fault = ''
  #head = ''
  #tail = ''
  #bytes = 0

  constructor(private readonly maxBytes: number) {}

  push(text: string): void {
    this.#bytes += Buffer.byteLength(text)
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
    const isTooLong = this.#bytes > this.maxBytes
    const problem = isTooLong
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
