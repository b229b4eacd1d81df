import { ValueTooLarge } from '../../core/errors.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { plainValue } from '../../core/serialize.ts'
import { valuePieces } from '../../core/serialize-pieces.ts'
import { paced, type Steps } from '../../core/steps.ts'
import { type CountedTable, countTables } from '../counted-tables.ts'
import { describeText } from '../line-order.ts'
import { tablesOf } from '../tables.ts'
import { type ShownContainer, shownMember, takeText } from './envelope.ts'
import { afterText, jsonInText } from './json-in-text.ts'
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
  /** The name of the projection that the value is shown through. */
  readonly projection?: string | undefined
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

  /** Writes a value. What its projection makes of it is found out by that. */
  static of(value: unknown, options: WriterOptions): ValueWriter {
    const { projection } = options
    const taken = projection === undefined ? undefined : takeText(value, projection, TAKEN_AT_ONCE)
    if (!taken || !isWellFormed(taken.text)) return new ValueWriter(value, options)
    const { text, envelope, shown } = taken
    return new ValueWriter(text, options, { envelope, shown })
  }

  readonly #form: SegmentIndex['form']
  readonly #pieces: Iterator<string, void>
  readonly #segmenter: Segmenter
  /** Segments that are not handed out yet. */
  #ready: string[] = []
  readonly #lengths: number[] = []
  #length = 0
  #jsonBytes = 0
  #isRead = false

  /** @param around of a text in an envelope */
  constructor(
    private readonly value: unknown,
    private readonly options: WriterOptions,
    private readonly around: Pick<SegmentIndex, 'envelope' | 'shown'> = {},
  ) {
    const { segmentLength = SEGMENT_LENGTH } = options
    // UTF-8 has no halves of surrogate pairs, so a text with one is kept as JSON, which escapes it.
    const isText = typeof value === 'string' && value.length > segmentLength && isWellFormed(value)
    this.#form = isText ? 'text' : 'json'
    this.#pieces = isText ? textPieces(value) : piecesOf(value, options.verbatim ?? false)
    this.#segmenter = isText ? new LineSegmenter(segmentLength) : new JsonSegmenter(segmentLength)
    if (isText) this.#jsonBytes = around.envelope ? Buffer.byteLength(around.envelope.json) : 2
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
    return { index: { ...this.#index(), ...(await this.#facts()) }, jsonBytes: this.#jsonBytes }
  }

  /** What is found out while the value is at hand. Of a smaller one that is done when it is shown. */
  async #facts(): Promise<Partial<SegmentIndex>> {
    const { value, options, around } = this
    if (this.#length <= TAKEN_AT_ONCE || value instanceof JsonText) return around
    if (this.#form === 'text') return { ...around, ...(await this.#textFacts(value as string)) }
    const { projection } = options
    if (projection === undefined) return { tables: await paced(this.#tables(value)) }
    const shown = this.#shown(projection)
    if (!shown) return {}
    const of = shown.container === 0 ? value : (value as JsonObject).structuredContent
    return { shown, tables: await paced(this.#tables(of)) }
  }

  async #textFacts(text: string): Promise<Partial<SegmentIndex>> {
    const found = await paced(jsonInText(text, this.options.segmentLength))
    if (!found) return describeText(text)
    const containers = [...this.#segmenter.containers, ...afterText(found.containers)]
    return { containers, json: 1, tables: found.tables, lines: [] }
  }

  #shown(projection: string): ShownContainer | undefined {
    const found = shownMember(this.value, projection)
    if (!found) return undefined
    const { member, facts } = found
    if (member === undefined) return { container: 0, ...facts }
    const container = this.#segmenter.containers.findIndex(
      ({ within, kind }) => within?.container === 0 && within.key === member && kind !== 'string',
    )
    return container < 0 ? undefined : { container, ...facts }
  }

  #tables(value: unknown): Steps<CountedTable[]> {
    const plain = this.options.verbatim ? undefined : (row: JsonValue) => plainValue(row) as JsonValue
    return countTables(tablesOf(value as JsonValue), plain)
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
    this.#jsonBytes += this.#bytesOf(piece)
    const { maxBytes } = this.options
    if (this.#jsonBytes > maxBytes) {
      throw new ValueTooLarge(
        `The value has more than ${maxBytes} bytes of JSON, the most this cache stores. Return less, or raise maxValueBytes.`,
      )
    }
    this.#ready.push(...this.#segmenter.push(piece))
  }

  #bytesOf(piece: string): number {
    if (this.#form === 'json') return Buffer.byteLength(piece)
    const places = this.around.envelope?.holes.length ?? 1
    return places * (Buffer.byteLength(JSON.stringify(piece)) - 2)
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
