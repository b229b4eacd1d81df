import { ValueTooLarge } from '../../core/errors.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { plainValue } from '../../core/serialize.ts'
import { valuePieces } from '../../core/serialize-pieces.ts'
import { paced, type Steps } from '../../core/steps.ts'
import { wholeCharacter } from '../../core/text-cuts.ts'
import { type CountedTable, countTables } from '../counted-tables.ts'
import { describeText } from '../describe-text.ts'
import { tablesOf } from '../tables.ts'
import { countDocumentTables } from './document-tables.ts'
import { jsonInText } from './json-in-text.ts'
import { JsonSegmenter } from './json-segmenter.ts'
import { LineSegmenter } from './line-segmenter.ts'
import { SegmentReader } from './reader.ts'
import { behind, SEGMENT_LENGTH, type SegmentIndex, shifted } from './segment-index.ts'
import type { Segmenter } from './segmenter.ts'
import { isWellFormed, type StoredForm, storedForm } from './stored-form.ts'

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
    const form = await this.#storedForm()
    if (form?.kind === 'text') {
      const { text, envelope, facts } = form
      const options = { ...this.options, projection: undefined }
      return new ValueWriter(text, options, { envelope, shown: { container: 0, ...facts } }).write(sink)
    }
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
    const index =
      form?.kind === 'beside'
        ? await this.#withShown(form, sink)
        : { ...this.#index(), ...(await this.#facts(form)) }
    return { index, jsonBytes: this.#jsonBytes }
  }

  /** A small value is looked at when it is shown. */
  async #storedForm(): Promise<StoredForm | undefined> {
    const { projection } = this.options
    return this.isLarge && projection !== undefined ? paced(storedForm(this.value, projection)) : undefined
  }

  /** Not all of it was read at once. */
  get isLarge(): boolean {
    return this.#length >= TAKEN_AT_ONCE
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
    if (!writer.isLarge) return index
    const first = index.segments.length
    const written = await writer.write((segment, position) => sink(segment, first + position))
    if (!('index' in written)) return index
    return behind(index, written.index, facts)
  }

  /** What is found out while the value is at hand. Of a smaller one that is done when it is shown. */
  async #facts(form: (StoredForm & { kind: 'value' }) | undefined): Promise<Partial<SegmentIndex>> {
    const { value, options, around } = this
    if (!this.isLarge) return around
    if (value instanceof JsonText) return this.#jsonFacts(value.json)
    if (this.#form === 'text') return { ...around, ...(await this.#textFacts(value as string)) }
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

  async #textFacts(text: string): Promise<Partial<SegmentIndex>> {
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

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
