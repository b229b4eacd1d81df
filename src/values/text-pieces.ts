import { countBreaks } from '../core/lines.ts'
import { BETWEEN_TEXTS } from './text-blocks.ts'

/** Texts that are one text together. It is put together only for who needs all of it: that takes long at once where it is large. */
export class TextPieces {
  /**
   * @param pieces the texts, without what stands between them
   * @param parts of each text, where it is at hand in parts: none begins or ends within a character
   */
  constructor(
    readonly pieces: readonly string[],
    private readonly parts: ReadonlyArray<readonly string[]> = pieces.map(piece => [piece]),
  ) {}

  /** Whether some text is at hand in parts alone. */
  get isInParts(): boolean {
    return this.parts.some(parts => parts.length > 1)
  }

  /** Whether UTF-8 can hold it: it has no halves of surrogate pairs. */
  get isWellFormed(): boolean {
    return this.parts.every(parts => parts.every(isWellFormed))
  }

  get length(): number {
    return this.pieces.reduce(
      (sum, { length }) => sum + length,
      BETWEEN_TEXTS.length * Math.max(0, this.pieces.length - 1),
    )
  }

  /** V8 copies it when somebody first looks into it. */
  toString(): string {
    const [first = '', ...others] = this.pieces
    return others.reduce((text, next) => text + BETWEEN_TEXTS + next, first)
  }

  /** So many characters, or all there are. */
  beginning(length: number): string {
    return this.slice(0, length)
  }

  slice(start: number, end: number): string {
    let text = ''
    for (const { from, to, piece } of this.#within(start, end)) text += piece.slice(from, to)
    return text
  }

  /** Line breaks from one position up to another. */
  countBreaks(start: number, end: number): number {
    let count = 0
    for (const { from, to, piece } of this.#within(start, end)) count += countBreaks(piece, from, to)
    return count
  }

  *#within(start: number, end: number) {
    let at = 0
    for (const piece of this.all()) {
      const [from, to] = [Math.max(0, start - at), Math.min(piece.length, end - at)]
      if (from < to) yield { piece, from, to }
      at += piece.length
      if (at >= end) return
    }
  }

  /** The whole text in pieces, as they are at hand. */
  *all(): Iterable<string> {
    for (const [at, parts] of this.parts.entries()) {
      if (at > 0) yield BETWEEN_TEXTS
      yield* parts
    }
  }

  /** Its lines, each with the break that ends it. */
  *lines(): Iterable<string> {
    let begun = ''
    for (const piece of this.all()) {
      let start = 0
      for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', start)) {
        yield begun + piece.slice(start, end + 1)
        begun = ''
        start = end + 1
      }
      begun += piece.slice(start)
    }
    if (begun !== '') yield begun
  }
}

/** UTF-8 has no halves of surrogate pairs. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}
