import type { JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { Change } from './change.ts'

/** Told how many places the values take, and what each of them is as JSON. @throws where that is too much */
export type CheckPlaces = (places: number, values: readonly string[]) => void

/** What takes the place of a mark. */
interface Concealed {
  /** In JSON: where a value stands. */
  readonly json: string
  /** In JSON: within a string, and as a key. */
  readonly text: string
  /** In a text: with the quotes around it, and without. */
  readonly quoted: string
  readonly bare: string
}

/**
 * Values that the caller may not see take their places last: until then a mark that nobody can guess stands there, so that no edit, no
 * error and no answer tells anything of them. No edit looks into a mark or changes it.
 */
export class ConcealedValues {
  readonly #values: Concealed[] = []

  constructor(
    private readonly secret: string,
    private readonly checkPlaces: CheckPlaces = () => {},
  ) {}

  get count(): number {
    return this.#values.length
  }

  /** The mark for JSON: a string that becomes that JSON. */
  json(json: string): string {
    const text = json.startsWith('"') ? (JSON.parse(json) as string) : json
    return this.#add({ json, text, quoted: json, bare: text })
  }

  /** The mark for a text, which may stand in JSON. */
  text(text: string): string {
    const json = JSON.stringify(text)
    return this.#add({ json, text, quoted: json, bare: text })
  }

  /** The mark within a text. */
  textPart(text: string): string {
    return this.#add({ json: JSON.stringify(text), text, quoted: `"${text}"`, bare: text })
  }

  /** The mark within a string of JSON. */
  stringPart(text: string): string {
    const json = JSON.stringify(text)
    return this.#add({ json, text, quoted: json, bare: json.slice(1, -1) })
  }

  isIn(text: string): boolean {
    return this.count > 0 && text.includes(this.secret)
  }

  /** Whether what stands between two positions of a text touches a mark. Asked in rising order. */
  marksIn(text: string): (start: number, end: number) => boolean {
    if (!this.isIn(text)) return () => false
    const marks = text.matchAll(this.#marks())
    let next = marks.next()
    return (start, end) => {
      while (!next.done && next.value.index + next.value[0].length <= start) next = marks.next()
      return !next.done && next.value.index < end
    }
  }

  /** The change as its reader may see it. */
  hideInChange(change: Change): Change {
    if (this.count === 0) return change
    const hidden = (shown: JsonValue | undefined) =>
      shown !== undefined && stringifyJson(shown).includes(this.#prefix) ? '(private)' : shown
    const { before, after, ...rest } = change
    const [shownBefore, shownAfter] = [hidden(before), hidden(after)]
    return {
      ...rest,
      ...(shownBefore === undefined ? {} : { before: shownBefore }),
      ...(shownAfter === undefined ? {} : { after: shownAfter }),
    }
  }

  /** A message without marks: one at its end may be cut. */
  hideIn(message: string): string {
    if (this.count === 0) return message
    return message.replace(new RegExp(`"?${this.#prefix}[0-9a-f]*-?\\d*;?"?`, 'g'), '(private)')
  }

  /** Before they are put in. @throws what `CheckPlaces` throws */
  check(texts: readonly string[]): void {
    if (this.count === 0) return
    let places = 0
    for (const text of texts) for (const _ of text.matchAll(this.#marks())) places++
    this.checkPlaces(
      places,
      this.#values.flatMap(({ json, text }) => [json, JSON.stringify(text)]),
    )
  }

  /** The text with all values in it. JSON stays JSON, whatever the values are. */
  reveal(kind: 'text' | 'json', marked: string): string {
    if (this.count === 0) return marked
    return marked.replace(this.#marks(), (_, token?: string, colon?: string, part?: string) => {
      const { json, text, quoted, bare } = this.#values[Number(token ?? part)] as Concealed
      if (kind === 'text') return token === undefined ? bare : `${quoted}${colon ?? ''}`
      if (token === undefined) return JSON.stringify(text).slice(1, -1)
      return colon === undefined ? json : `${JSON.stringify(text)}${colon}`
    })
  }

  /** A mark that is a whole string of JSON, with the colon behind a key; or one within a text. */
  #marks(): RegExp {
    const mark = `${this.secret}-(\\d+);`
    return new RegExp(`(?<!\\\\)"${mark}"(\\s*:)?|${mark}`, 'g')
  }

  get #prefix(): string {
    return this.secret.slice(0, 8)
  }

  #add(concealed: Concealed): string {
    this.#values.push(concealed)
    return `${this.secret}-${this.#values.length - 1};`
  }
}
