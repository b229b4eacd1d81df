import { isJsonNumber, type JsonToken, JsonTokens, textOfString } from '../../core/json-tokens.ts'
import type { Steps } from '../../core/steps.ts'

/** Up to so many UTF-16 units a text is read at once. */
const AT_ONCE = 64 * 1024

/** What may come next: `end` where a list or an object may close without another member. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'colon' | 'next'

/** Whether a text is JSON, in steps: it says what `JSON.parse` says, and holds nobody up. */
export function* isJson(text: string): Steps<boolean> {
  if (text.length > AT_ONCE) return yield* check(text, true)
  yield text.length / 4
  return isParsed(text)
}

/** Whether a text that goes on may be JSON. */
export function mayBeginJson(beginning: string): Steps<boolean> {
  return check(beginning, false)
}

function* check(text: string, isWhole: boolean): Steps<boolean> {
  const tokens = new JsonTokens(text)
  const grammar = new Grammar()
  let pause = AT_ONCE
  for (let kind = tokens.next(); kind !== 'end'; kind = tokens.next()) {
    // The last token may go on.
    if (!isWhole && tokens.end >= text.length) return true
    if (!grammar.takes(kind, tokens)) return false
    if (tokens.end < pause) continue
    yield (tokens.end - pause + AT_ONCE) / 2
    pause = tokens.end + AT_ONCE
  }
  return !isWhole || grammar.isComplete
}

/** What may follow on what. */
class Grammar {
  readonly #open: JsonToken[] = []
  #expected: Expected = 'value'

  get isComplete(): boolean {
    return this.#expected === 'next' && this.#open.length === 0
  }

  takes(kind: JsonToken, token: JsonTokens): boolean {
    const [isValue, isKey] = [this.#isValue, this.#isKey]
    switch (kind) {
      case '[':
      case '{':
        this.#open.push(kind === '[' ? ']' : '}')
        this.#expected = kind === '[' ? 'value-or-end' : 'key-or-end'
        return isValue
      case ']':
      case '}': {
        const mayClose = this.#expected === 'next' || this.#expected.endsWith('-or-end')
        this.#expected = 'next'
        return mayClose && this.#open.pop() === kind
      }
      case ',': {
        const mayGoOn = this.#expected === 'next' && this.#open.length > 0
        this.#expected = this.#open.at(-1) === '}' ? 'key' : 'value'
        return mayGoOn
      }
      case ':': {
        const isColon = this.#expected === 'colon'
        this.#expected = 'value'
        return isColon
      }
      case 'string':
        this.#expected = isKey ? 'colon' : 'next'
        return (isValue || isKey) && textOfString(token.source) !== undefined
      case 'word':
        this.#expected = 'next'
        return isValue && isScalar(token.source)
      case 'end':
        return this.isComplete
    }
  }

  get #isValue(): boolean {
    return this.#expected === 'value' || this.#expected === 'value-or-end'
  }

  get #isKey(): boolean {
    return this.#expected === 'key' || this.#expected === 'key-or-end'
  }
}

function isScalar(word: string): boolean {
  return word === 'true' || word === 'false' || word === 'null' || isJsonNumber(word)
}

function isParsed(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
