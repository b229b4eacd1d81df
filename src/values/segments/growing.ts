import { InvalidArgument, ValueTooLarge } from '../../core/errors.ts'
import { countBreaks } from '../../core/lines.ts'
import type { Piece } from '../../core/piece.ts'
import { type GrowingFacts, growingFacts } from './growing-facts.ts'
import { JsonSegmenter } from './json-segmenter.ts'
import { LineSegmenter } from './line-segmenter.ts'
import { SEGMENT_LENGTH, type SegmentIndex } from './segment-index.ts'
import type { Segmenter } from './segmenter.ts'

export interface GrowingOptions {
  /** The largest value, in bytes of JSON. */
  readonly maxBytes: number
  /** @internal for tests */
  readonly segmentLength?: number
}

/** What there is of a value at one moment. */
export interface GrownSoFar {
  readonly available: number
  readonly jsonBytes: number
  /** As if the value ended here. */
  readonly index: SegmentIndex
  /** The last segment, which goes on growing; the others were handed out. */
  readonly tail: string
}

/** Segments that are still to be stored, and the value when they are; or the whole value, where it is small. */
export type GrownValue =
  | { readonly json: string; readonly jsonBytes: number }
  | { readonly segments: readonly string[]; readonly index: SegmentIndex; readonly jsonBytes: number }

/** A list or a text that arrives in pieces. It holds no more than the segment that is not complete. */
export class GrowingValue {
  readonly #segmenter: Segmenter
  readonly #maxBytes: number
  readonly #facts: GrowingFacts
  readonly #lengths: number[] = []
  #length = 0
  #jsonBytes = 2
  #items = 0
  #breaks = 0
  #endsWithBreak = true
  /** The first half of a character of which the second one has not arrived. */
  #half = ''

  constructor(
    readonly kind: Piece['kind'],
    { maxBytes, segmentLength = SEGMENT_LENGTH }: GrowingOptions,
  ) {
    this.#maxBytes = maxBytes
    this.#segmenter = kind === 'items' ? new JsonSegmenter(segmentLength) : new LineSegmenter(segmentLength)
    this.#facts = growingFacts(kind)
    if (kind === 'items') this.#pass('[')
  }

  /**
   * Takes a piece, or refuses it and stays as it is; gives the segments that are complete by it.
   * @throws InvalidArgument for a piece of the other kind, or half a character; ValueTooLarge
   */
  push(piece: Piece): string[] {
    if (piece.kind !== this.kind) throw mixed(this.kind)
    return piece.kind === 'items' ? this.#pushItems(piece.json, piece.count) : this.#pushText(piece.text)
  }

  /** How many items or lines there are. */
  get available(): number {
    return this.kind === 'items' ? this.#items : this.#breaks + (this.#endsWithBreak ? 0 : 1)
  }

  soFar(): GrownSoFar {
    const isList = this.kind === 'items'
    const { containers, rest } = this.#segmenter.soFar(this.#items)
    const tail = isList ? `${rest}]` : rest
    const segments = [...this.#lengths, tail.length]
    const index = { ...this.#index(segments, containers, isList ? 1 : 0), ...this.#facts.facts(false) }
    return { available: this.available, jsonBytes: this.#jsonBytes, index, tail }
  }

  /** The end of it. @throws InvalidArgument where half a character is left over */
  end(): GrownValue {
    if (this.#half !== '') throw halfCharacter()
    const segments = [...(this.kind === 'items' ? this.#pass(']') : []), ...this.#cut(this.#segmenter.end())]
    const jsonBytes = this.#jsonBytes
    if (segments.length <= 1 && segments.length === this.#lengths.length) {
      const [text = ''] = segments
      return { json: this.kind === 'items' ? text : JSON.stringify(text), jsonBytes }
    }
    const index = this.#index(this.#lengths, this.#segmenter.containers, 0)
    return { segments, index: { ...index, ...this.#facts.facts(true) }, jsonBytes }
  }

  #pushItems(json: string, count: number): string[] {
    if (count === 0) return []
    const text = this.#items === 0 ? json : `,${json}`
    this.#grow(Buffer.byteLength(text))
    this.#items += count
    this.#facts.add({ kind: 'items', json, count })
    return this.#pass(text)
  }

  #pushText(piece: string): string[] {
    const { text, half } = wholeCharacters(this.#half + piece)
    this.#grow(Buffer.byteLength(JSON.stringify(text)) - 2)
    this.#half = half
    if (text === '') return []
    this.#breaks += countBreaks(text, 0, text.length)
    this.#endsWithBreak = text.endsWith('\n')
    this.#facts.add({ kind: 'text', text })
    return this.#pass(text)
  }

  #grow(bytes: number): void {
    if (this.#jsonBytes + bytes > this.#maxBytes) {
      throw new ValueTooLarge(
        `What this task has appended has more than ${this.#maxBytes} bytes of JSON, the most this cache stores. Append less, or raise maxValueBytes.`,
      )
    }
    this.#jsonBytes += bytes
  }

  #pass(text: string): string[] {
    this.#length += text.length
    return this.#cut(this.#segmenter.push(text))
  }

  #cut(segments: string[]): string[] {
    for (const { length } of segments) this.#lengths.push(length)
    return segments
  }

  #index(segments: readonly number[], containers: SegmentIndex['containers'], closing: number): SegmentIndex {
    const form = this.kind === 'items' ? 'json' : 'text'
    return { form, length: this.#length + closing, jsonBytes: this.#jsonBytes, segments, containers }
  }
}

export function mixed(kind: Piece['kind']): InvalidArgument {
  const [there, other] = kind === 'items' ? ['items', 'text'] : ['text', 'items']
  return new InvalidArgument(
    `This task has appended ${there}, so it cannot append ${other}: a value is a list or a text.`,
  )
}

function halfCharacter(): InvalidArgument {
  return new InvalidArgument(
    'The text that was appended has half of a surrogate pair, which is no character. Append whole characters.',
  )
}

/** UTF-8 has no halves of surrogate pairs; that of the end may come with the next piece. */
function wholeCharacters(text: string): { text: string; half: string } {
  const last = text.charCodeAt(text.length - 1)
  const end = last >= 0xd800 && last < 0xdc00 ? text.length - 1 : text.length
  const whole = text.slice(0, end) as string & { isWellFormed(): boolean }
  if (!whole.isWellFormed()) throw halfCharacter()
  return { text: whole, half: text.slice(end) }
}
