import type { JsonObject, JsonValue } from './json.ts'
import { parseJson, setMember, stringEnd } from './json-text.ts'
import { keepParts } from './string-parts.ts'
import { wholeCharacter } from './text-cuts.ts'

const [QUOTE, BACKSLASH, COMMA, COLON] = [0x22, 0x5c, 0x2c, 0x3a]
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d]

/** What has up to so many characters is parsed at once. */
const AT_ONCE = 8 * 1024
/** Below so many levels, nothing but texts and numbers is: looking for the end of a list at each level would take too long. */
const MAX_LEVELS = 64
/** No number is longer. */
const MAX_NUMBER = 16 * 1024

/** What may come next. */
type Expected = 'value' | 'first item' | 'key' | 'first key' | 'colon' | 'next' | 'end'

interface Open {
  readonly container: JsonValue[] | JsonObject
  /** Where the container stands in the one around it. */
  readonly key: string | undefined
}

/** Like `parseJson`, for a text that arrives in pieces: each piece is read when it comes, and takes time by its own length alone. */
export class JsonReader {
  /** What is not read yet. */
  #text = ''
  #at = 0
  #expected: Expected = 'value'
  #open: Open[] = []
  #key: string | undefined
  /** What there is of a long string that has not ended, in parts. */
  #string: string[] | undefined
  /** The first half of a character, as yet. */
  #half = ''
  #value: JsonValue | undefined
  #isWhole = false

  /** @throws SyntaxError */
  push(piece: string): void {
    this.#text = this.#text.slice(this.#at) + piece
    this.#at = 0
    while (this.#step()) {}
  }

  /** The value, after its last piece. @throws SyntaxError */
  end(): JsonValue {
    this.#isWhole = true
    while (this.#step()) {}
    if (this.#expected !== 'end' || this.#string !== undefined)
      throw new SyntaxError('Unexpected end of JSON')
    return this.#value as JsonValue
  }

  /** Reads one thing on; false where more text is needed for that. */
  #step(): boolean {
    if (this.#string !== undefined) return this.#readOnString(this.#string)
    this.#skipSpace()
    if (this.#at === this.#text.length) return false
    const unit = this.#text.charCodeAt(this.#at)
    switch (this.#expected) {
      case 'first item':
        return unit === LIST_END ? this.#close() : this.#readValue(unit)
      case 'value':
        return this.#readValue(unit)
      case 'first key':
        return unit === OBJECT_END ? this.#close() : this.#readKey(unit)
      case 'key':
        return this.#readKey(unit)
      case 'colon':
        if (unit !== COLON) throw this.#unexpected()
        return this.#pass('value')
      case 'next':
        return this.#readNext(unit)
      case 'end':
        throw this.#unexpected()
    }
  }

  #skipSpace(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const unit = this.#text.charCodeAt(this.#at)
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return
    }
  }

  #pass(expected: Expected): true {
    this.#at++
    this.#expected = expected
    return true
  }

  #readNext(unit: number): boolean {
    const isList = Array.isArray(this.#open.at(-1)?.container)
    if (unit === COMMA) return this.#pass(isList ? 'value' : 'key')
    if (unit === (isList ? LIST_END : OBJECT_END)) return this.#close()
    throw this.#unexpected()
  }

  #readKey(unit: number): boolean {
    if (unit !== QUOTE) throw this.#unexpected()
    return this.#readString()
  }

  #readValue(unit: number): boolean {
    if (unit === QUOTE) return this.#readString()
    const isContainer = unit === LIST || unit === OBJECT
    if (isContainer && this.#open.length >= MAX_LEVELS) return this.#openContainer(unit)
    const end = isContainer ? containerEnd(this.#text, this.#at) : wordEnd(this.#text, this.#at)
    if (end === 'long') return this.#openContainer(unit)
    // A number may go on in the next piece.
    if (end === undefined || (end === this.#text.length && !isContainer && !this.#isWhole))
      return this.#wait()
    return this.#put(parseJson(this.#text.slice(this.#at, end)), end)
  }

  /** More text is needed; there is none after the end. */
  #wait(): false {
    if (this.#isWhole) throw new SyntaxError('Unexpected end of JSON')
    if (this.#text.length - this.#at > MAX_NUMBER) throw this.#unexpected()
    return false
  }

  #openContainer(unit: number): true {
    this.#open.push({ container: unit === LIST ? [] : {}, key: this.#key })
    this.#key = undefined
    return this.#pass(unit === LIST ? 'first item' : 'first key')
  }

  #close(): true {
    const { container, key } = this.#open.pop() as Open
    this.#key = key
    return this.#put(container, this.#at + 1)
  }

  #readString(): boolean {
    const end = stringEnd(this.#text, this.#at)
    if (end <= this.#text.length) {
      const text = JSON.parse(this.#text.slice(this.#at, end)) as string
      return this.#putString(text, end)
    }
    if (this.#isWhole) throw new SyntaxError('Unexpected end of JSON')
    if (this.#text.length - this.#at < AT_ONCE) return false
    this.#at++
    this.#string = []
    return true
  }

  /** A string of any length, piece by piece. */
  #readOnString(parts: string[]): boolean {
    const closed = stringEnd(this.#text, this.#at - 1)
    const isEnd = closed <= this.#text.length
    const end = isEnd ? closed - 1 : wholeEscapes(this.#text, this.#at)
    const text = this.#half + (JSON.parse(`"${this.#text.slice(this.#at, end)}"`) as string)
    const whole = isEnd ? text.length : wholeCharacter(text, text.length)
    if (whole > 0) parts.push(text.slice(0, whole))
    this.#half = text.slice(whole)
    if (isEnd) return this.#endString(parts, closed)
    this.#at = end
    return false
  }

  #endString(parts: readonly string[], end: number): true {
    this.#string = undefined
    // Not joined: that would copy it at once.
    const text = parts.reduce((begun, part) => begun + part, '')
    const container = this.#open.at(-1)?.container
    const key = Array.isArray(container) ? String(container.length) : this.#key
    this.#putString(text, end)
    if (container && key !== undefined && this.#expected === 'next') keepParts(container, key, text, parts)
    return true
  }

  #putString(text: string, end: number): true {
    if (this.#expected !== 'key' && this.#expected !== 'first key') return this.#put(text, end)
    this.#key = text
    this.#at = end
    this.#expected = 'colon'
    return true
  }

  #put(value: JsonValue, end: number): true {
    this.#at = end
    const container = this.#open.at(-1)?.container
    this.#expected = container ? 'next' : 'end'
    if (!container) this.#value = value
    else if (Array.isArray(container)) container.push(value)
    else setMember(container, this.#key as string, value)
    this.#key = undefined
    return true
  }

  #unexpected(): SyntaxError {
    return new SyntaxError('Unexpected token in JSON')
  }
}

/** Behind a list or an object, if it is short; undefined where the text ends before. */
function containerEnd(text: string, start: number): number | 'long' | undefined {
  const limit = Math.min(text.length, start + AT_ONCE)
  let depth = 0
  for (let at = start; at < limit; at++) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) at = stringEnd(text, at) - 1
    else if (unit === LIST || unit === OBJECT) depth++
    else if ((unit === LIST_END || unit === OBJECT_END) && --depth === 0) return at + 1
  }
  return text.length - start >= AT_ONCE ? 'long' : undefined
}

/** Behind a number, or true, false and null, or whatever else stands there. */
function wordEnd(text: string, start: number): number {
  let end = start
  for (; end < text.length; end++) {
    const unit = text.charCodeAt(end)
    if (unit === COMMA || unit === LIST_END || unit === OBJECT_END || unit <= 0x20) break
  }
  return end
}

/** The end of the text, or the start of the escape that ends in the next piece. */
function wholeEscapes(text: string, start: number): number {
  const last = text.lastIndexOf('\\')
  if (last < start) return text.length
  let first = last
  while (first > start && text.charCodeAt(first - 1) === BACKSLASH) first--
  const isEscaped = (last - first) % 2 === 1
  const length = text[last + 1] === 'u' ? 6 : 2
  return !isEscaped && last + length > text.length ? last : text.length
}
