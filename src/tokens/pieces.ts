// What a character may be in the o200k pattern. One character can be several: a combining mark is a letter of
// either case and a symbol too.
const UPPER = 1
const LOWER = 2
/** May stand before a word, in the same piece: neither letter, digit nor line break. */
const PREFIX = 4
const SYMBOL = 8
const DIGIT = 16
const SPACE = 32
const LINE_BREAK = 64
/** Takes two UTF-16 units. */
const WIDE = 128
const LETTER = UPPER | LOWER

const QUOTE = 0x27
const SLASH = 0x2f
const BLANK = 0x20

// By code point, filled as characters are met; 0 is "not met yet".
const traits = new Uint8Array(0x110000)

function learn(codePoint: number): number {
  const character = String.fromCodePoint(codePoint)
  let found = PREFIX | SYMBOL
  if (/[\r\n]/.test(character)) found = SPACE | LINE_BREAK
  else if (/\s/.test(character)) found = SPACE | PREFIX
  else if (/\p{N}/u.test(character)) found = DIGIT
  else if (/\p{M}/u.test(character)) found = LETTER | PREFIX | SYMBOL
  else if (/[\p{Lm}\p{Lo}]/u.test(character)) found = LETTER
  else if (/[\p{Lu}\p{Lt}]/u.test(character)) found = UPPER
  else if (/\p{Ll}/u.test(character)) found = LOWER
  if (codePoint > 0xffff) found |= WIDE
  traits[codePoint] = found
  return found
}

/**
 * Cuts text into the pieces that o200k merges one by one. It is the o200k regular expression written out by hand:
 *
 *     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'d|'m|'t|'ll|'ve|'re)?
 *     [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'d|'m|'t|'ll|'ve|'re)?
 *     \p{N}{1,3}
 *      ?[^\s\p{L}\p{N}]+[\r\n/]*
 *     \s*[\r\n]+
 *     \s+(?!\S)
 *     \s+
 *
 * because the engine's backtracking stack overflows on a run of some million letters, and because `seen` lets a
 * caller know which pieces would stay the same if the text ended earlier.
 */
export class Pieces {
  readonly text: string
  /** The furthest index that the last call to `end` looked at: the piece depends on nothing after it. */
  seen = 0

  constructor(text: string) {
    this.text = text
  }

  /** Where the piece that starts at `start` ends. */
  end(start: number): number {
    const first = this.#traits(start)
    if (first & LETTER || first & PREFIX) {
      const end = this.#word(start, first)
      if (end > 0) return this.#contraction(end)
    }
    if (first & DIGIT) return this.#digits(start)
    if (first & SYMBOL) return this.#symbols(start)
    if (this.text.charCodeAt(start) === BLANK && this.#traits(start + 1) & SYMBOL)
      return this.#symbols(start + 1)
    return this.#spaces(start)
  }

  #traits(index: number): number {
    const unit = this.text.charCodeAt(index)
    if (unit < 0xd800 || unit > 0xdfff) return traits[unit] || learn(unit)
    if (index >= this.text.length) return 0
    const codePoint = this.text.codePointAt(index) as number
    return traits[codePoint] || learn(codePoint)
  }

  /** The first two alternatives without the contraction; 0 if neither matches. */
  #word(start: number, first: number): number {
    this.seen = 0
    if (!(first & PREFIX)) return this.#cased(start, true)
    const end = this.#cased(start + width(first), !(first & LETTER))
    // A combining mark that is no prefix of a word with a lower case letter is such a word itself.
    return end > 0 || !(first & LETTER) ? end : start + width(first)
  }

  /** Upper case letters, then lower case ones; upper case alone only where that may be. 0 if there is no match. */
  #cased(start: number, upperAlone: boolean): number {
    let at = start
    let found = this.#traits(at)
    let lastLower = 0
    while (found & UPPER) {
      at += width(found)
      if (found & LOWER) lastLower = at
      found = this.#traits(at)
    }
    const upperEnd = at
    while (found & LOWER) {
      at += width(found)
      found = this.#traits(at)
    }
    if (at > this.seen) this.seen = at
    if (at > upperEnd) return at
    if (lastLower > 0) return lastLower
    return upperAlone && upperEnd > start ? upperEnd : 0
  }

  #contraction(end: number): number {
    if (end + 2 > this.seen) this.seen = end + 2
    if (this.text.charCodeAt(end) !== QUOTE) return end
    const suffix = this.text.slice(end + 1, end + 3)
    if (/^[sdmt]/i.test(suffix)) return end + 2
    return /^(?:ll|ve|re)$/i.test(suffix) ? end + 3 : end
  }

  #digits(start: number): number {
    let at = start
    for (let count = 0; count < 3; count++) {
      const found = this.#traits(at)
      if (!(found & DIGIT)) break
      at += width(found)
    }
    this.seen = at
    return at
  }

  #symbols(start: number): number {
    let at = start
    for (let found = this.#traits(at); found & SYMBOL; found = this.#traits(at)) at += width(found)
    while (this.#traits(at) & LINE_BREAK || this.text.charCodeAt(at) === SLASH) at++
    this.seen = at
    return at
  }

  #spaces(start: number): number {
    let at = start
    let afterLineBreak = 0
    for (let found = this.#traits(at); found & SPACE; found = this.#traits(at)) {
      at++
      if (found & LINE_BREAK) afterLineBreak = at
    }
    this.seen = at
    if (afterLineBreak > 0) return afterLineBreak
    // The last blank belongs to the word that follows.
    return at < this.text.length && at - start > 1 ? at - 1 : at
  }
}

function width(found: number): number {
  return found & WIDE ? 2 : 1
}
