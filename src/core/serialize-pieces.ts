import { ExactNumber } from './exact-number.ts'
import type { JsonValue } from './json.ts'
import { stringifyJson } from './json-text.ts'
import { enter, hasToJson, namesOf, type Place, plainOf, VALUE } from './serialize.ts'
import { partsOf } from './string-parts.ts'

/** UTF-16 units of a piece, more or less: what is stringified in one go. */
const PIECE_LENGTH = 32 * 1024
/** What lies deeper is written in one piece with what it stands in. */
const MAX_LEVELS = 32

/**
 * The JSON of a value in pieces, each of which takes a moment to make. Together they are what `serializeValue` gives, or
 * `stringifyJson` for a value that is `verbatim`: JSON of another program, of any depth.
 *
 * @throws as `serializeValue`, when it comes to the place
 */
export function* valuePieces(value: unknown, verbatim: boolean): Generator<string, void> {
  const place: Place = { rules: VALUE, key: '', path: VALUE.kind, above: [], inList: false }
  // A handler that returns nothing has the value `null`.
  yield* new PieceWriter(verbatim).write(value === undefined ? null : value, place)
}

class PieceWriter {
  constructor(private readonly verbatim: boolean) {}

  *write(value: unknown, place: Place): Generator<string, void> {
    if (typeof value === 'string' && value.length > PIECE_LENGTH)
      yield* stringPieces(partsOf(place.above.at(-1), place.key, value))
    else if (place.above.length >= MAX_LEVELS || weightOf(value) <= PIECE_LENGTH) {
      yield stringifyJson((this.#plain(value, place) ?? null) as JsonValue)
    } else {
      enter(value as object, place)
      yield* Array.isArray(value) ? this.#list(value, place) : this.#record(value as object, place)
      place.above.pop()
    }
  }

  *#list(list: readonly unknown[], { rules, path, above }: Place): Generator<string, void> {
    const run = new Run('[]', (items: unknown[]) => items as JsonValue[])
    for (let i = 0; i < list.length; i++) {
      const item = list[i]
      const place = { rules, key: String(i), path: `${path}[${i}]`, above, inList: true }
      const weight = weightOf(item)
      if (weight > PIECE_LENGTH) {
        yield run.lead()
        yield* this.write(item, place)
      } else if (run.add(this.#plain(item, place), weight)) yield run.flush()
    }
    yield run.end()
  }

  *#record(record: object, place: Place): Generator<string, void> {
    const { rules, path, above } = place
    // From entries, so that a member called `__proto__` stays a member.
    const run = new Run('{}', (members: Array<[string, unknown]>) => Object.fromEntries(members))
    for (const name of this.verbatim ? Object.keys(record) : namesOf(record, place)) {
      const member = (record as Record<string, unknown>)[name]
      if (member === undefined) continue
      const inside = { rules, key: name, path: `${path}.${name}`, above, inList: false }
      const weight = weightOf(member)
      if (weight > PIECE_LENGTH) {
        yield `${run.lead()}${JSON.stringify(name)}:`
        yield* this.write(member, inside)
        continue
      }
      const plain = this.#plain(member, inside)
      if (plain !== undefined && run.add([name, plain], name.length + weight)) yield run.flush()
    }
    yield run.end()
  }

  #plain(value: unknown, place: Place): unknown {
    return this.verbatim ? value : plainOf(value, place)
  }
}

/** Parts of one list or object that are written together. */
class Run<Part> {
  #parts: Part[] = []
  #weight = 0
  /** What stands before the next part. */
  #lead: string

  constructor(
    private readonly brackets: '[]' | '{}',
    private readonly together: (parts: Part[]) => object,
  ) {
    this.#lead = brackets.charAt(0)
  }

  /** True when it is time to flush. */
  add(part: Part, weight: number): boolean {
    this.#parts.push(part)
    this.#weight += weight
    return this.#weight >= PIECE_LENGTH
  }

  flush(): string {
    if (this.#parts.length === 0) return ''
    const json = this.#lead + stringifyJson(this.together(this.#parts)).slice(1, -1)
    this.#parts = []
    this.#weight = 0
    this.#lead = ','
    return json
  }

  /** All up to a part that is written apart. */
  lead(): string {
    const json = this.flush() + this.#lead
    this.#lead = ','
    return json
  }

  end(): string {
    const json = this.flush()
    return (this.#lead === ',' ? json : this.#lead) + this.brackets.charAt(1)
  }
}

/** About how long its JSON is, counted until it is longer than a piece. What converts itself cannot be taken apart. */
function weightOf(value: unknown): number {
  const waiting: unknown[] = [value]
  let weight = 0
  while (waiting.length > 0 && weight <= PIECE_LENGTH) {
    const part = waiting.pop()
    if (typeof part === 'string') weight += part.length
    weight += 8
    if (typeof part !== 'object' || part === null || part instanceof ExactNumber || hasToJson(part)) continue
    if (Array.isArray(part)) {
      if (part.length > PIECE_LENGTH) return part.length
      for (const item of part) waiting.push(item)
    } else {
      for (const name in part) waiting.push(name, (part as Record<string, unknown>)[name])
    }
  }
  return weight
}

function* stringPieces(parts: readonly string[]): Generator<string, void> {
  yield '"'
  for (const text of parts) {
    for (let start = 0; start < text.length; ) {
      const last = text.charCodeAt(start + PIECE_LENGTH - 1)
      const end = start + PIECE_LENGTH - (last >= 0xd800 && last < 0xdc00 ? 1 : 0)
      yield JSON.stringify(text.slice(start, end)).slice(1, -1)
      start = end
    }
  }
  yield '"'
}
