import { ValueTooLarge } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import { plainValue } from '../../core/serialize.ts'
import { valuePieces } from '../../core/serialize-pieces.ts'
import { paced, type Steps } from '../../core/steps.ts'
import { type CountedTable, countTables } from '../counted-tables.ts'
import { tablesOf } from '../tables.ts'
import { JsonSegmenter } from './json-segmenter.ts'
import { LineSegmenter } from './line-segmenter.ts'
import { SEGMENT_LENGTH, type SegmentIndex } from './segment-index.ts'
import { type Segmenter, wholeCharacter } from './segmenter.ts'

/** UTF-16 units up to which a value is read at once. */
const TAKEN_AT_ONCE = 1024 * 1024
/** UTF-16 units of a text that are looked at in one go. */
const TEXT_PIECE = 64 * 1024

export interface WriterOptions {
  /** The largest value, in bytes of JSON. */
  readonly maxBytes: number
  /** The value is JSON of another program: any depth and any digits pass. */
  readonly verbatim?: boolean
  /** @internal for tests */
  readonly segmentLength?: number
}

/** A value as text: in one piece, or in segments that were handed out already. */
export type WrittenValue =
  | { readonly json: string; readonly jsonBytes: number }
  | { readonly index: SegmentIndex; readonly jsonBytes: number }

/** Takes a segment; the next one is made when it is done. */
export type SegmentSink = (segment: string, position: number) => Promise<void>

/**
 * Writes one value. What has up to a megabyte of JSON is read when the writer is made. A larger value is read on while it
 * is written, so its owner must not change it before `write` has ended.
 *
 * @throws NotSerializable, CircularReference, ValueTooLarge; `write` does, too
 */
export class ValueWriter {
  /** Writes what is JSON text already. It must be valid, and compact but for what a tool gave. */
  static ofJson(json: string, options: WriterOptions): ValueWriter {
    return new ValueWriter(new JsonText(json), options)
  }

  readonly #form: SegmentIndex['form']
  readonly #pieces: Iterator<string, void>
  readonly #segmenter: Segmenter
  readonly #maxBytes: number
  /** Segments that are not handed out yet. */
  #ready: string[] = []
  readonly #lengths: number[] = []
  #length = 0
  #jsonBytes = 0
  #isRead = false
  /** What its tables are found in. */
  readonly #value: unknown
  readonly #verbatim: boolean

  constructor(value: unknown, { maxBytes, verbatim = false, segmentLength = SEGMENT_LENGTH }: WriterOptions) {
    this.#maxBytes = maxBytes
    this.#value = value
    this.#verbatim = verbatim
    // UTF-8 has no halves of surrogate pairs, so a text with one is kept as JSON, which escapes it.
    const isText = typeof value === 'string' && value.length > segmentLength && isWellFormed(value)
    this.#form = isText ? 'text' : 'json'
    this.#pieces = isText ? textPieces(value) : piecesOf(value, verbatim)
    this.#segmenter = isText ? new LineSegmenter(segmentLength) : new JsonSegmenter(segmentLength)
    if (isText) this.#jsonBytes = 2
    while (!this.#isRead && this.#length < TAKEN_AT_ONCE) this.#read()
  }

  async write(sink: SegmentSink): Promise<WrittenValue> {
    for (;;) {
      if (this.#isRead && this.#lengths.length === 0 && this.#ready.length <= 1 && this.#form === 'json') {
        return { json: this.#ready[0] ?? '', jsonBytes: this.#jsonBytes }
      }
      const ready = this.#ready
      this.#ready = []
      for (const segment of ready) {
        this.#lengths.push(segment.length)
        await sink(segment, this.#lengths.length - 1)
      }
      if (this.#isRead) break
      this.#read()
      if (this.#ready.length === 0) await turn()
    }
    const index = this.#index()
    // The tables of a smaller value are counted when they are shown.
    const tables = this.#length > TAKEN_AT_ONCE ? await paced(this.#tables()) : undefined
    return { index: tables ? { ...index, tables } : index, jsonBytes: this.#jsonBytes }
  }

  #tables(): Steps<CountedTable[]> {
    const tables = tablesOf(this.#value as JsonValue)
    return countTables(tables, this.#verbatim ? undefined : row => plainValue(row) as JsonValue)
  }

  #index(): SegmentIndex {
    return {
      form: this.#form,
      length: this.#length,
      jsonBytes: this.#jsonBytes,
      segments: this.#lengths,
      containers: this.#segmenter.containers,
    }
  }

  #read(): void {
    const { done, value: piece } = this.#next()
    if (done) {
      this.#isRead = true
      this.#ready.push(...this.#segmenter.end())
      return
    }
    this.#length += piece.length
    this.#jsonBytes +=
      this.#form === 'json' ? Buffer.byteLength(piece) : Buffer.byteLength(JSON.stringify(piece)) - 2
    if (this.#jsonBytes > this.#maxBytes) {
      throw new ValueTooLarge(
        `The value has more than ${this.#maxBytes} bytes of JSON, the most this cache stores. Return less, or raise maxValueBytes.`,
      )
    }
    this.#ready.push(...this.#segmenter.push(piece))
  }

  #next(): IteratorResult<string, void> {
    try {
      return this.#pieces.next()
    } catch (cause) {
      if (!(cause instanceof RangeError && /string length/i.test(cause.message))) throw cause
      throw new ValueTooLarge('The value has more JSON than one text can hold. Return less.', { cause })
    }
  }
}

class JsonText {
  constructor(readonly json: string) {}
}

function piecesOf(value: unknown, verbatim: boolean): Generator<string, void> {
  return value instanceof JsonText ? textPieces(value.json) : valuePieces(value, verbatim)
}

function* textPieces(text: string): Generator<string, void> {
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = Math.min(wholeCharacter(text, start + TEXT_PIECE), text.length)
    yield text.slice(start, end)
  }
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
