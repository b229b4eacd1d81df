import { ValueTooLarge } from '../../core/errors.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import { plainValue } from '../../core/serialize.ts'
import { valuePieces } from '../../core/serialize-pieces.ts'
import { paced, type Steps, turn } from '../../core/steps.ts'
import { wholeCharacter } from '../../core/text-cuts.ts'
import { type CountedTable, countTables } from '../counted-tables.ts'
import { describeText } from '../describe-text.ts'
import { tablesOf } from '../tables.ts'
import { isWellFormed, TextPieces } from '../text-pieces.ts'
import { countDocumentTables } from './document-tables.ts'
import { jsonInText } from './json-in-text.ts'
import { JsonSegmenter } from './json-segmenter.ts'
import { LineSegmenter } from './line-segmenter.ts'
import { SegmentReader } from './reader.ts'
import { behind, LARGE_VALUE, SEGMENT_LENGTH, type SegmentIndex, shifted } from './segment-index.ts'
import type { Segmenter } from './segmenter.ts'
import { type StoredForm, storedForm } from './stored-form.ts'

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

/** A large value in pieces of text, for a writer in another thread (`ValueWriter.ofSource`). */
export interface LargeSource extends Pick<WriterOptions, 'verbatim' | 'projection'> {
  /** Each takes a moment to make. */
  readonly pieces: Iterable<string>
  /** What the pieces are together: the value, which is a text; its JSON; its JSON, which is stored as it is. */
  readonly is: 'text' | 'value' | 'json'
}

/** Takes a segment; the next one is made when it is done. */
export type SegmentSink = (segment: string, position: number) => Promise<void>

/**
 * Writes one value. What has up to a megabyte of JSON is taken when the writer is made. A larger value is read on while it
 * is written, so its owner must not change it before `write` has ended.
 *
 * @throws NotSerializable, CircularReference, ValueTooLarge; `write` does, too
 */
export class ValueWriter {
  /** Writes what is JSON text already. It must be valid, and compact but for what a tool gave. */
  static ofJson(json: string, options: WriterOptions): ValueWriter {
    return new ValueWriter(new JsonText(json), options)
  }

  /** The writer of what `largeSource` gave. */
  static ofSource(text: string, is: LargeSource['is'], options: WriterOptions): ValueWriter {
    if (is === 'json') return ValueWriter.ofJson(text, options)
    if (is === 'text') return new ValueWriter(text, options)
    return new ValueWriter(options.verbatim ? parseJson(text) : JSON.parse(text), options)
  }

  readonly #form: SegmentIndex['form']
  readonly #pieces: Iterator<string, void>
  readonly #segmenter: Segmenter
  /** Not all of it is taken at once. */
  readonly #isLarge: boolean
  /** What was taken at once, and is not in segments yet. */
  readonly #taken: string[] = []
  readonly #lengths: number[] = []
  #length = 0
  #jsonBytes = 0

  /** @param around of a text in an envelope */
  constructor(
    private readonly value: unknown,
    private readonly options: WriterOptions,
    private readonly around: Pick<SegmentIndex, 'envelope' | 'shown'> = {},
  ) {
    const { segmentLength = SEGMENT_LENGTH } = options
    const text = textIn(value, segmentLength)
    this.#form = text ? 'text' : 'json'
    this.#pieces = text ? textPieces(text.all()) : piecesOf(value, options.verbatim ?? false)
    this.#segmenter = text ? new LineSegmenter(segmentLength) : new JsonSegmenter(segmentLength)
    if (text) this.#jsonBytes = around.envelope ? Buffer.byteLength(around.envelope.json) : 2
    // Nobody can change a text.
    const unchanging = text ?? (value instanceof JsonText ? value.json : undefined)
    this.#isLarge = unchanging ? unchanging.length >= LARGE_VALUE : this.#take()
  }

  /** @returns whether there is more */
  #take(): boolean {
    while (this.#length < LARGE_VALUE) {
      const piece = this.#read()
      if (piece === undefined) return false
      this.#taken.push(piece)
    }
    return true
  }

  /**
   * What another thread needs to write the value there. Undefined for what takes a moment here. Whoever has read a part of it
   * goes on with `anew`.
   */
  largeSource(): LargeSource | undefined {
    if (!this.#isLarge || this.around.shown) return undefined
    const { verbatim = false, projection } = this.options
    const isJson = this.value instanceof JsonText
    const is = isJson ? 'json' : this.#form === 'text' ? 'text' : 'value'
    return { pieces: this.#rest(), is, verbatim, projection }
  }

  /** The same value from its beginning. */
  anew(): ValueWriter {
    return new ValueWriter(this.value, this.options, this.around)
  }

  async write(sink: SegmentSink): Promise<WrittenValue> {
    const form = await this.#storedForm()
    if (form?.kind === 'text') {
      const { text, envelope, facts } = form
      const options = { ...this.options, projection: undefined }
      return new ValueWriter(text, options, { envelope, shown: { container: 0, ...facts } }).write(sink)
    }
    for (const piece of this.#rest()) {
      await this.#hand(this.#segmenter.push(piece), sink)
      if (this.#isLarge) await turn()
    }
    const rest = this.#segmenter.end()
    if (this.#form === 'json' && this.#lengths.length === 0 && rest.length <= 1) {
      return { json: rest[0] ?? '', jsonBytes: this.#jsonBytes }
    }
    await this.#hand(rest, sink)
    const index =
      form?.kind === 'beside'
        ? await this.#withShown(form, sink)
        : { ...this.#index(), ...(await this.#facts(form)) }
    return { index, jsonBytes: this.#jsonBytes }
  }

  async #hand(segments: readonly string[], sink: SegmentSink): Promise<void> {
    for (const segment of segments) {
      this.#lengths.push(segment.length)
      await sink(segment, this.#lengths.length - 1)
    }
  }

  /** A small value is looked at when it is shown. */
  async #storedForm(): Promise<StoredForm | undefined> {
    const { projection } = this.options
    return this.#isLarge && projection !== undefined ? paced(storedForm(this.value, projection)) : undefined
  }

  /** Writes what is shown behind the value, where it is large enough to be read in pieces. */
  async #withShown(
    { shown, facts }: StoredForm & { kind: 'beside' },
    sink: SegmentSink,
  ): Promise<SegmentIndex> {
    const { verbatim = false, segmentLength = SEGMENT_LENGTH } = this.options
    const options = { maxBytes: Number.POSITIVE_INFINITY, verbatim, segmentLength }
    const writer = new ValueWriter(shown, options, { shown: { container: 0, ...facts } })
    const index = this.#index()
    if (!writer.#isLarge) return index
    const first = index.segments.length
    const written = await writer.write((segment, position) => sink(segment, first + position))
    if (!('index' in written)) return index
    return behind(index, written.index, facts)
  }

  /** What is found out while the value is at hand. Of a smaller one that is done when it is shown. */
  async #facts(form: (StoredForm & { kind: 'value' }) | undefined): Promise<Partial<SegmentIndex>> {
    const { value, options, around } = this
    if (!this.#isLarge) return around
    if (value instanceof JsonText) return this.#jsonFacts(value.json)
    if (this.#form === 'text') return { ...around, ...(await this.#textFacts(toTexts(value))) }
    if (options.projection === undefined) return { tables: await paced(this.#tables(value)) }
    if (!form) return {}
    const { member, facts } = form
    const container = member === undefined ? 0 : this.#containerOf(member)
    if (container < 0) return {}
    const of = member === undefined ? value : (value as JsonObject)[member]
    return { shown: { container, ...facts }, tables: await paced(this.#tables(of)) }
  }

  /** Of JSON text that is at hand, as of a value in segments. */
  async #jsonFacts(json: string): Promise<Partial<SegmentIndex>> {
    const { containers } = this.#segmenter
    if (this.options.projection !== undefined || containers.length === 0) return {}
    const reader = new SegmentReader({ ...this.#index(), segments: [json.length] }, async () => json)
    return { tables: await paced(countDocumentTables(reader, 0)) }
  }

  async #textFacts(text: TextPieces): Promise<Partial<SegmentIndex>> {
    const found = await paced(jsonInText(text, this.options.segmentLength))
    if (!found) return describeText(text, this.around.shown?.blocks)
    const containers = [
      ...this.#segmenter.containers,
      ...shifted(found.containers, { containers: 1, characters: 0 }),
    ]
    return { containers, json: 1, tables: found.tables, lines: [] }
  }

  /** Negative: it has none. */
  #containerOf(member: string): number {
    return this.#segmenter.containers.findIndex(
      ({ within, kind }) => within?.container === 0 && within.key === member && kind !== 'string',
    )
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

  *#rest(): Generator<string, void> {
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) yield piece
  }

  #next(): string | undefined {
    return this.#taken.shift() ?? this.#read()
  }

  #read(): string | undefined {
    const { done, value: piece } = this.#nextPiece()
    if (done) return undefined
    this.#length += piece.length
    this.#jsonBytes += this.#bytesOf(piece)
    const { maxBytes } = this.options
    if (this.#jsonBytes > maxBytes) {
      throw new ValueTooLarge(
        `The value has more than ${maxBytes} bytes of JSON, the most this cache stores. Return less, or raise maxValueBytes.`,
      )
    }
    return piece
  }

  #bytesOf(piece: string): number {
    if (this.#form === 'json') return Buffer.byteLength(piece)
    const places = this.around.envelope?.holes.length ?? 1
    return places * (Buffer.byteLength(JSON.stringify(piece)) - 2)
  }

  #nextPiece(): IteratorResult<string, void> {
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
  return value instanceof JsonText ? textPieces([value.json]) : valuePieces(value, verbatim)
}

/** A text that is stored as it is. UTF-8 has no halves of surrogate pairs, so a text with one is kept as JSON, which escapes it. */
function textIn(value: unknown, segmentLength: number): TextPieces | undefined {
  if (value instanceof TextPieces) return value
  return typeof value === 'string' && value.length > segmentLength && isWellFormed(value)
    ? toTexts(value)
    : undefined
}

function toTexts(value: unknown): TextPieces {
  return value instanceof TextPieces ? value : new TextPieces([value as string])
}

function* textPieces(texts: Iterable<string>): Generator<string, void> {
  for (const text of texts) {
    for (let start = 0, end = 0; start < text.length; start = end) {
      end = Math.min(wholeCharacter(text, start + TEXT_PIECE), text.length)
      yield text.slice(start, end)
    }
  }
}
