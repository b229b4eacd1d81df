import { stringEnd } from './json-text.ts'

/**
 * What a token of JSON is. `word`: a number, true, false or null, or whatever stands in the place of one; `string`: with its
 * quotes, which may hold what JSON does not allow; `end`: there is none any more.
 */
export type JsonToken = '[' | ']' | '{' | '}' | ',' | ':' | 'string' | 'word' | 'end'

/** Takes a JSON text apart, token by token. It knows what tokens look like, not what may follow on what. */
export class JsonTokens {
  kind: JsonToken = 'end'
  /** Of the token that was read last. */
  start: number
  end: number

  constructor(
    readonly text: string,
    from = 0,
  ) {
    this.start = from
    this.end = from
  }

  next(): JsonToken {
    const { text } = this
    const start = skipSpace(text, this.end)
    this.start = start
    this.end = start + 1
    this.kind = 'end'
    if (start >= text.length) this.end = start
    else {
      this.kind = MARKS[text.charCodeAt(start)] ?? 'word'
      if (this.kind === 'string') this.end = stringEnd(text, start)
      else if (this.kind === 'word') this.end = wordEnd(text, start)
    }
    return this.kind
  }

  /** The token as it is written. */
  get source(): string {
    return this.text.slice(this.start, this.end)
  }
}

const MARKS: readonly (JsonToken | undefined)[] = Array.from({ length: 128 }, (_, unit) => {
  const character = String.fromCharCode(unit)
  if (character === '"') return 'string'
  return '[]{},:'.includes(character) ? (character as JsonToken) : undefined
})

/** The position of the first character that is no white space of JSON. */
export function skipSpace(text: string, start: number): number {
  let at = start
  for (;;) {
    const unit = text.charCodeAt(at)
    if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return at
    at++
  }
}

/** Behind a number or a word, or whatever else stands there. */
function wordEnd(text: string, start: number): number {
  let end = start + 1
  for (; end < text.length; end++) {
    const unit = text.charCodeAt(end)
    if (unit <= 0x20 || MARKS[unit] !== undefined) break
  }
  return end
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/

export function isJsonNumber(word: string): boolean {
  return NUMBER.test(word)
}
