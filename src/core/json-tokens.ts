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
    let start = this.end
    let unit = text.charCodeAt(start)
    if (unit <= 0x20) {
      start = skipSpace(text, start)
      unit = text.charCodeAt(start)
    }
    this.start = start
    if (unit === 0x22) {
      this.end = stringEnd(text, start)
      this.kind = 'string'
    } else if (start >= text.length) {
      this.end = start
      this.kind = 'end'
    } else {
      const mark = unit < 128 ? (MARKS[unit] as JsonToken) : 'word'
      this.end = mark === 'word' ? wordEnd(text, start) : start + 1
      this.kind = mark
    }
    return this.kind
  }

  /** The token as it is written. */
  get source(): string {
    return this.text.slice(this.start, this.end)
  }
}

const MARKS: readonly JsonToken[] = Array.from({ length: 128 }, (_, unit) => {
  const character = String.fromCharCode(unit)
  if (character === '"') return 'string'
  return '[]{},:'.includes(character) ? (character as JsonToken) : 'word'
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
    if (unit <= 0x20 || (unit < 128 && MARKS[unit] !== 'word')) break
  }
  return end
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/

export function isJsonNumber(word: string): boolean {
  return NUMBER.test(word)
}

/** JSON does not allow them in strings. */
const CONTROL = /[^ -\uffff]/

/** What a token that is a string says. Undefined: it is none that JSON allows. */
export function textOfString(source: string): string | undefined {
  const isPlain = !source.includes('\\') && !CONTROL.test(source) && source.length > 1
  if (isPlain && source.endsWith('"')) return source.slice(1, -1)
  try {
    return JSON.parse(source) as string
  } catch {
    return undefined
  }
}
