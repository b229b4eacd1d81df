import { stringEnd } from '../../core/json-text.ts'
import { JsonTokens, skipSpace } from '../../core/json-tokens.ts'
import type { Steps } from '../../core/steps.ts'

/** Where a value stands in a JSON text. Positions are UTF-16 units. */
export interface ValuePlace {
  readonly start: number
  readonly end: number
  /** Its place in the list or object around it. Absent: it is the whole value. */
  readonly member?: Member
}

/** An item of a list, or a member of an object with its key. */
export interface Member {
  /** After the comma or bracket before it. */
  readonly gapStart: number
  /** Of the key, or of the item. */
  readonly start: number
  readonly valueStart: number
  readonly end: number
  /** From 0. */
  readonly position: number
  /** The end of the member before it. */
  readonly previousEnd: number | undefined
  /** The start of the member after it. */
  nextStart: number | undefined
}

/** A list or an object, as far as a search through it went. */
export interface Container {
  readonly kind: 'list' | 'object'
  /** Of its opening bracket. */
  readonly start: number
  /** The wanted member: of several with one key the last, which is the one that JSON readers take. */
  member: Member | undefined
  last: Member | undefined
  count: number
  /** Of its closing bracket. Absent where the search ended before it. */
  close: number | undefined
  /** The first keys of an object. */
  readonly keys: string[]
}

/** What a pointer leads to. */
export type Located =
  | { readonly kind: 'found'; readonly place: ValuePlace; readonly around: Container | undefined }
  /** `depth` steps lead to `place`, which has no such member; `around` is that place where it is a list or an object. */
  | {
      readonly kind: 'missing'
      readonly depth: number
      readonly place: ValuePlace
      readonly around: Container | undefined
    }

const MOST_KEYS = 30
/** Work between two pauses, in UTF-16 units. */
const UNITS_A_STEP = 32 * 1024

const COMMA = 0x2c
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Follows a JSON Pointer through a valid JSON text, in steps. */
export function* locate(text: string, steps: readonly string[]): Steps<Located> {
  const start = skipSpace(text, 0)
  // The whole is only measured where it is asked for.
  const end = steps.length === 0 ? yield* valueEnd(text, start) : text.length
  let place: ValuePlace = { start, end }
  let around: Container | undefined
  for (const [depth, step] of steps.entries()) {
    const inner = yield* search(text, place.start, step)
    if (!inner?.member) return { kind: 'missing', depth, place, around: inner }
    const { member } = inner
    place = { start: member.valueStart, end: member.end, member }
    around = inner
  }
  return { kind: 'found', place, around }
}

/** Looks for a member of the list or object that begins at `start`. Undefined: there is neither. */
export function* search(text: string, start: number, step: string | undefined): Steps<Container | undefined> {
  const unit = text.charCodeAt(start)
  if (unit !== LIST && unit !== OBJECT) return undefined
  const kind = unit === LIST ? 'list' : 'object'
  const found: Container = {
    kind,
    start,
    member: undefined,
    last: undefined,
    count: 0,
    close: undefined,
    keys: [],
  }
  const isWanted = wantedBy(found, step)
  let at = skipSpace(text, start + 1)
  for (let gapStart = start + 1; !isClosing(text.charCodeAt(at)); ) {
    const member = yield* readMember(text, found, gapStart, at)
    if (found.last) found.last.nextStart = at
    if (isWanted(text, member)) found.member = member
    found.last = member
    found.count++
    at = skipSpace(text, member.end)
    if (text.charCodeAt(at) !== COMMA) break
    gapStart = at + 1
    at = skipSpace(text, gapStart)
    if (found.member && kind === 'list') {
      if (found.member === found.last) found.member.nextStart = at
      return found
    }
  }
  found.close = at
  return found
}

function* readMember(text: string, { kind, last, count, keys }: Container, gapStart: number, at: number) {
  let valueStart = at
  if (kind === 'object') {
    const keyEnd = stringEnd(text, at)
    if (keys.length < MOST_KEYS) keys.push(keyOf(text, at, keyEnd))
    // Behind the colon.
    valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1)
  }
  const end = yield* valueEnd(text, valueStart)
  const member: Member = {
    gapStart,
    start: at,
    valueStart,
    end,
    position: count,
    previousEnd: last?.end,
    nextStart: undefined,
  }
  return member
}

function wantedBy({ kind }: Container, step: string | undefined) {
  if (step === undefined) return () => false
  if (kind === 'list') {
    const wanted = /^(0|[1-9]\d{0,15})$/.test(step) ? Number(step) : -1
    return (_: string, { position }: Member) => position === wanted
  }
  const plain = JSON.stringify(step)
  return (text: string, { start }: Member) => {
    const length = stringEnd(text, start) - start
    if (length === plain.length && text.startsWith(plain, start)) return true
    // A key may be written with other escapes.
    const key = text.slice(start, start + length)
    return key.includes('\\') && JSON.parse(key) === step
  }
}

function keyOf(text: string, start: number, end: number): string {
  return JSON.parse(text.slice(start, end)) as string
}

/** The position behind the value that begins at `start`. */
export function* valueEnd(text: string, start: number): Steps<number> {
  const tokens = new JsonTokens(text, start)
  let depth = 0
  let pause = start + UNITS_A_STEP
  for (;;) {
    const kind = tokens.next()
    if (kind === '[' || kind === '{') depth++
    else if (kind === ']' || kind === '}') depth--
    if (depth === 0) return tokens.end
    if (tokens.end < pause) continue
    yield (tokens.end - pause + UNITS_A_STEP) / 8
    pause = tokens.end + UNITS_A_STEP
  }
}

function isClosing(unit: number): boolean {
  return unit === LIST_END || unit === OBJECT_END
}
