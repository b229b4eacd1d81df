import { ExactNumber, MARKED_NUMBER, stringifyMarked } from './exact-number.ts'
import type { JsonObject, JsonValue } from './json.ts'

/**
 * Like `JSON.parse`, but no number changes: what a double does not hold as it was written is an `ExactNumber`. Takes any depth.
 *
 * @throws SyntaxError
 */
export function parseJson(text: string): JsonValue {
  const value = JSON.parse(text) as JsonValue
  return hasInexactNumber(text) ? readExactly(text) : value
}

/** Like `JSON.stringify`, but exact numbers keep their digits, and any depth is written. The value must be JSON already. */
export function stringifyJson(value: JsonValue | object): string {
  const { json, marked } = stringifyMarked(value)
  if (json === undefined) return writeExactly(value as JsonValue)
  if (marked === 0) return json
  let found = 0
  const exact = json.replace(MARKED_NUMBER, (_, source: string) => {
    found++
    return source
  })
  // More than were marked: some string of the value looks like a mark.
  return found === marked ? exact : writeExactly(value as JsonValue)
}

/** The same text for equal values: the keys of objects are sorted by their code units, those that are integers too. Takes any depth. */
export function stringifySorted(value: JsonValue): string {
  return writeExactly(value, object => membersOf(object).sort())
}

/** The same value, sharing no object with it. */
export function copyJson<Value extends JsonValue | object>(value: Value): Value {
  return parseJson(stringifyJson(value)) as Value
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const LIST = 0x5b
const LIST_END = 0x5d
const OBJECT = 0x7b
const OBJECT_END = 0x7d
const MINUS = 0x2d
const POINT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const TRUE = 0x74
const FALSE = 0x66
const NULL = 0x6e

/** The index after the closing quote of the JSON string that starts at `start`; past the end if there is none. */
export function stringEnd(text: string, start: number): number {
  for (let at = start + 1; ; ) {
    const quote = text.indexOf('"', at)
    if (quote < 0) return text.length + 1
    let first = quote
    while (text.charCodeAt(first - 1) === BACKSLASH && first - 1 > start) first--
    if ((quote - first) % 2 === 0) return quote + 1
    at = quote + 1
  }
}

/** Whether a valid JSON text has a number that would be written otherwise after reading. */
function hasInexactNumber(text: string): boolean {
  for (let at = 0; at < text.length; ) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) at = stringEnd(text, at)
    else if (unit === MINUS || isDigit(unit)) {
      const end = numberEnd(text, at)
      if (isInexact(text, at, end)) return true
      at = end
    } else at++
  }
  return false
}

function isInexact(text: string, start: number, end: number): boolean {
  if (end - start < 16 && isPlain(text, start, end)) return false
  const token = text.slice(start, end)
  return String(Number(token)) !== token
}

/** Whether it has no exponent, no zero at the wrong end, and is not near zero: of such numbers, a short one is exact. */
function isPlain(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start) === MINUS ? start + 1 : start
  let point = 0
  for (let at = first; at < end; at++) {
    const unit = text.charCodeAt(at)
    if (unit === POINT) point = at
    else if (!isDigit(unit)) return false
  }
  if (point === 0) return text.charCodeAt(first) !== ZERO || first === start
  return text.charCodeAt(end - 1) !== ZERO && text.charCodeAt(point + 1) !== ZERO
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE
}

/** Digits, signs, point and exponent. */
function numberEnd(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const unit = text.charCodeAt(at)
    if (isDigit(unit) || unit === POINT || unit === MINUS || unit === 0x2b || (unit | 0x20) === 0x65) continue
    return at
  }
}

/** Reads a text that is valid JSON. It does not recurse, because callers choose the depth. */
function readExactly(text: string): JsonValue {
  const root: JsonValue[] = []
  const above: Array<{ container: JsonValue[] | JsonObject; key: string | undefined }> = []
  let container: JsonValue[] | JsonObject = root
  let key: string | undefined
  let backslash = text.indexOf('\\')
  const put = (value: JsonValue) => {
    if (key === undefined) (container as JsonValue[]).push(value)
    else setMember(container as JsonObject, key, value)
    key = undefined
  }
  for (let at = 0, end = 1; at < text.length; at = end) {
    const unit = text.charCodeAt(at)
    end = at + 1
    if (unit === QUOTE) {
      end = stringEnd(text, at)
      if (backslash !== -1 && backslash < at) backslash = text.indexOf('\\', at)
      const plain = backslash === -1 || backslash > end
      const string = plain ? text.slice(at + 1, end - 1) : (JSON.parse(text.slice(at, end)) as string)
      if (key === undefined && !Array.isArray(container)) key = string
      else put(string)
    } else if (unit === LIST || unit === OBJECT) {
      const opened = unit === LIST ? [] : {}
      above.push({ container, key })
      container = opened
      key = undefined
    } else if (unit === LIST_END || unit === OBJECT_END) {
      const closed = container
      ;({ container, key } = above.pop() as { container: JsonValue[] | JsonObject; key: string | undefined })
      put(closed)
    } else if (unit === MINUS || isDigit(unit)) {
      end = numberEnd(text, at)
      put(readNumber(text, at, end))
    } else if (unit === TRUE || unit === FALSE || unit === NULL) {
      end = at + (unit === FALSE ? 5 : 4)
      put(unit === NULL ? null : unit === TRUE)
    }
  }
  return root[0] as JsonValue
}

/** The types say a number: see `JsonValue`. */
function readNumber(text: string, start: number, end: number): number {
  const token = text.slice(start, end)
  return isInexact(text, start, end) ? (new ExactNumber(token) as unknown as number) : Number(token)
}

/** A member named `__proto__` stays data, too. */
export function setMember(object: JsonObject, key: string, value: JsonValue): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}

/** A list or an object that is being written. */
interface Writing {
  readonly values: readonly JsonValue[] | JsonObject
  /** Of an object. */
  readonly keys: readonly string[] | undefined
  next: number
}

/** Without recursion. As `JSON.stringify` does it, `undefined` is left out of objects, and is null in lists. */
function writeExactly(value: JsonValue, keysOf: (object: JsonObject) => string[] = membersOf): string {
  const above: Writing[] = []
  let json = ''
  let current: Writing | undefined
  const write = (part: JsonValue | undefined) => {
    if (part instanceof ExactNumber) json += part.source
    else if (typeof part !== 'object' || part === null) json += JSON.stringify(part) ?? 'null'
    else {
      if (current) above.push(current)
      current = { values: part, keys: Array.isArray(part) ? undefined : keysOf(part), next: 0 }
      json += current.keys ? '{' : '['
    }
  }
  write(value)
  while (current) {
    const { values, keys, next }: Writing = current
    if (next === (keys ?? (values as JsonValue[])).length) {
      json += keys ? '}' : ']'
      current = above.pop()
      continue
    }
    current.next++
    if (next > 0) json += ','
    if (keys) json += `${JSON.stringify(keys[next])}:`
    write(keys ? (values as JsonObject)[keys[next] as string] : (values as JsonValue[])[next])
  }
  return json
}

function membersOf(object: JsonObject): string[] {
  return Object.keys(object).filter(key => object[key] !== undefined)
}
