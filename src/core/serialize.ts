import { CircularReference, InvalidArgument, NotSerializable, type RefCacheError } from './errors.ts'
import { ExactNumber } from './exact-number.ts'
import type { JsonValue } from './json.ts'
import { stringifyJson } from './json-text.ts'

/** Deeper nesting is refused: it overflows stacks. */
export const MAX_DEPTH = 500

/**
 * Values and inputs are what `JSON.stringify` makes of them: `toJSON` is honoured (a Date and a URL become text), an
 * instance gives its own enumerable properties, `undefined` members and symbol keys are left out, and −0 is 0.
 *
 * What has no form in JSON is refused, with its place: functions, symbols, BigInt, NaN, ±Infinity, an invalid Date,
 * `undefined` in a list, Map, Set, Error, RegExp, Promise, boxed primitives, binary data (Buffer too), and an instance that
 * keeps all it has in private; also cycles, and nesting beyond 500 levels.
 */
export interface Rules {
  readonly kind: 'value' | 'input'
  readonly fail: (message: string) => RefCacheError
}

export const VALUE: Rules = { kind: 'value', fail: message => new NotSerializable(message) }
const INPUT: Rules = { kind: 'input', fail: message => new InvalidArgument(message) }

/** The JSON text of a tool's result. A handler that returns nothing has the value `null`. */
export function serializeValue(value: unknown): string {
  return serialize(value, VALUE) ?? 'null'
}

/** The JSON text of a tool's input; no input at all is `{}`. */
export function serializeInput(input: unknown): string {
  return serialize(input, INPUT) ?? '{}'
}

function serialize(value: unknown, rules: Rules): string | undefined {
  if (value === undefined) return undefined
  const plain = plainOf(value, { rules, key: '', path: rules.kind, above: [], inList: false })
  return plain === undefined ? undefined : stringifyJson(plain as JsonValue)
}

/** What is written of a value, or of a part of one. */
export function plainValue(value: unknown): unknown {
  return plainOf(value, { rules: VALUE, key: '', path: VALUE.kind, above: [], inList: true })
}

/** Where a value stands. */
export interface Place {
  readonly rules: Rules
  readonly key: string
  readonly path: string
  /** What contains it. */
  readonly above: object[]
  readonly inList: boolean
}

/** What `JSON.stringify` writes of a value; the value itself where no `toJSON` changes it. `undefined`: left out. */
export function plainOf(value: unknown, place: Place): unknown {
  const { rules, path } = place
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Number.isFinite(value)) return value
      throw rules.fail(`${path} is ${value}, which JSON cannot hold. Use null or a string instead.`)
    case 'object':
      return value === null || value instanceof ExactNumber ? value : plainObject(value, place)
    case 'bigint':
      if (hasToJson(value)) return converted(value.toJSON(place.key), place)
      throw rules.fail(`${path} is a BigInt, which JSON cannot hold. Convert it to a string or a number.`)
    default:
      throw rules.fail(
        `${path} is ${article(typeof value)}, which JSON cannot hold. Leave it out or use null.`,
      )
  }
}

function plainObject(value: object, place: Place): unknown {
  // Their `toJSON` would hide that they have no form in JSON.
  if (isBinary(value) || isInvalidDate(value)) throw place.rules.fail(notPlain(value, place.path))
  return hasToJson(value) ? converted(value.toJSON(place.key), place) : members(value, place)
}

/** What a `toJSON` gave: its own `toJSON` is not asked again. */
function converted(value: unknown, place: Place): unknown {
  if (value === undefined && !place.inList) return undefined
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber)
    return plainOf(value, place)
  if (isBinary(value)) throw place.rules.fail(notPlain(value, place.path))
  return members(value, place)
}

function members(value: object, place: Place): unknown {
  enter(value, place)
  const plain = Array.isArray(value) ? plainList(value, place) : plainRecord(value, place)
  place.above.pop()
  return plain
}

/** Goes down into a list or an object. */
export function enter(value: object, { rules, path, above }: Place): void {
  if (above.length >= MAX_DEPTH) {
    throw rules.fail(`The ${rules.kind} is nested deeper than ${MAX_DEPTH} levels. Flatten it.`)
  }
  if (above.includes(value)) {
    throw new CircularReference(`${path} refers back to a value that contains it. Break the cycle.`)
  }
  above.push(value)
}

function plainList(list: readonly unknown[], { rules, path, above }: Place): unknown {
  let copy: unknown[] | undefined = hasToJson(list) ? [] : undefined
  for (let i = 0; i < list.length; i++) {
    const item = list[i]
    const plain = plainOf(item, { rules, key: String(i), path: `${path}[${i}]`, above, inList: true })
    if (plain !== item) copy ??= list.slice(0, i)
    copy?.push(plain)
  }
  return copy ?? list
}

/** The names of an object's members. */
export function namesOf(record: object, { rules, path }: Place): string[] {
  const names = Object.keys(record)
  if (!isRecord(record, names)) throw rules.fail(notPlain(record, path))
  return names
}

function plainRecord(record: object, place: Place): unknown {
  const { rules, path, above } = place
  const names = namesOf(record, place)
  const isConverted = hasToJson(record)
  // By entries, so that a member called `__proto__` stays a member.
  let copy: Array<[string, unknown]> | undefined = isConverted ? [] : undefined
  for (const [i, name] of names.entries()) {
    const member = (record as Record<string, unknown>)[name]
    if (member === undefined || (isConverted && name === 'toJSON')) continue
    const plain = plainOf(member, { rules, key: name, path: `${path}.${name}`, above, inList: false })
    if (plain !== member) {
      copy ??= names.slice(0, i).map(before => [before, (record as Record<string, unknown>)[before]])
    }
    copy?.push([name, plain])
  }
  return copy ? Object.fromEntries(copy) : record
}

export function hasToJson(value: object | bigint): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function'
}

function isBinary(value: object): boolean {
  return (
    ArrayBuffer.isView(value) ||
    value instanceof ArrayBuffer ||
    Object.prototype.toString.call(value) === '[object SharedArrayBuffer]'
  )
}

function isInvalidDate(value: object): boolean {
  return value instanceof Date && Number.isNaN(value.getTime())
}

/** Whether the own enumerable properties are all there is to `value`, as far as anybody can tell. */
function isRecord(value: object, names: readonly string[]): boolean {
  if (isPlain(value)) return true
  return names.length > 0 && Object.prototype.toString.call(value) === '[object Object]'
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return true
  // A plain object of another realm (a test runner's, a vm's) has that realm's Object.prototype.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty')
}

/** Whether JSON holds all of a value: two that are written alike are alike. */
export function isLossless(value: unknown): boolean {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH || !level.every(part => isScalar(part) || isContainer(part))) return false
    level = level.flatMap(part => (isScalar(part) ? [] : Object.values(part as object)))
    if (level.length > MAX_PARTS) return false
  }
  return true
}

/** So many parts on one level: what is larger, or endless, is not worth to be walked. */
const MAX_PARTS = 1_000_000

function isScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  if (value === null || value === undefined || value instanceof ExactNumber) return true
  return typeof value === 'string' || typeof value === 'boolean'
}

function isContainer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || hasToJson(value)) return false
  if (Object.getOwnPropertySymbols(value).length > 0) return false
  return Array.isArray(value) ? !value.includes(undefined) : isPlain(value)
}

function notPlain(value: object, path: string): string {
  const name = value.constructor?.name || 'an object without a plain prototype'
  if (isInvalidDate(value)) return `${path} is an invalid Date, which JSON cannot hold. Use null instead.`
  const hint = isBinary(value)
    ? 'Convert it to a string, such as base64.'
    : 'Convert it to plain objects, lists, strings and numbers.'
  return `${path} is ${article(name)}, which is not plain JSON. ${hint}`
}

function article(noun: string): string {
  return noun.startsWith('an ') ? noun : `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`
}
