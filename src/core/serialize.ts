import { CircularReference, InvalidArgument, NotSerializable, type RefCacheError } from './errors.ts'
import type { JsonValue } from './json.ts'
import { ExactNumber, stringifyJson } from './json-text.ts'

/** Deeper nesting is refused: it serves nobody and overflows stacks. */
export const MAX_DEPTH = 500

/**
 * What may pass.
 *
 * - `value`: JSON semantics, as `JSON.stringify` has them: `toJSON` is honoured (a Date becomes its ISO string),
 *   `undefined` properties are dropped, class instances give their own enumerable properties, −0 becomes 0.
 * - `input`: a value whose meaning two processes must agree on, because keys are made of it: plain objects and
 *   lists only, no `toJSON`.
 *
 * Both refuse what JSON would lose in silence: functions, symbols, BigInt, NaN, ±Infinity, `undefined` in a list,
 * Map, Set, Error, RegExp, Promise, binary data; and cycles, and nesting beyond 500 levels.
 */
type Rules = { kind: 'value' | 'input'; fail: (message: string) => RefCacheError }

const VALUE: Rules = { kind: 'value', fail: message => new NotSerializable(message) }
const INPUT: Rules = { kind: 'input', fail: message => new InvalidArgument(message) }

/** The JSON text of a tool's result. A handler that returns nothing has the value `null`. */
export function serializeValue(value: unknown): string {
  if (value === undefined) return 'null'
  check(value, VALUE, '', 'value', [])
  return stringifyJson(value as JsonValue) ?? 'null'
}

/** The JSON text of a tool's input; no input at all is `{}`. */
export function serializeInput(input: unknown): string {
  if (input === undefined) return '{}'
  check(input, INPUT, '', 'input', [])
  return stringifyJson(input as JsonValue)
}

function check(value: unknown, rules: Rules, key: string, path: string, above: object[]): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return
    case 'number':
      if (Number.isFinite(value)) return
      throw rules.fail(`${path} is ${value}, which JSON cannot hold. Use null or a string instead.`)
    case 'object':
      if (value !== null) checkObject(value, rules, key, path, above)
      return
    case 'bigint':
      throw rules.fail(`${path} is a BigInt, which JSON cannot hold. Convert it to a string or a number.`)
    default:
      throw rules.fail(
        `${path} is ${article(typeof value)}, which JSON cannot hold. Leave it out or use null.`,
      )
  }
}

function checkObject(value: object, rules: Rules, key: string, path: string, above: object[]): void {
  if (value instanceof ExactNumber) return
  if (above.length >= MAX_DEPTH) {
    throw rules.fail(`The ${rules.kind} is nested deeper than ${MAX_DEPTH} levels. Flatten it.`)
  }
  if (above.includes(value)) {
    throw new CircularReference(`${path} refers back to a value that contains it. Break the cycle.`)
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    if (rules.kind === 'input') throw rules.fail(notPlain(value, path))
    const replaced: unknown = value.toJSON(key)
    // As a member it is dropped, like any other `undefined` member.
    if (replaced !== undefined || Array.isArray(above.at(-1)))
      check(replaced, rules, key, path, [...above, value])
    return
  }
  above.push(value)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) check(value[i], rules, String(i), `${path}[${i}]`, above)
  } else {
    if (!isRecord(value, rules)) throw rules.fail(notPlain(value, path))
    for (const name of Object.keys(value)) {
      const member = (value as Record<string, unknown>)[name]
      if (member !== undefined) check(member, rules, name, `${path}.${name}`, above)
    }
  }
  above.pop()
}

/** Whether the own enumerable properties are all there is to `value`. */
function isRecord(value: object, rules: Rules): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return true
  // A plain object of another realm (a test runner's, a vm's) has that realm's Object.prototype.
  if (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'hasOwnProperty'))
    return true
  if (rules.kind === 'input') return false
  return !ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === '[object Object]'
}

function notPlain(value: object, path: string): string {
  const name = value.constructor?.name || 'an object without a plain prototype'
  const hint =
    value instanceof Date
      ? 'Use its toISOString().'
      : 'Convert it to plain objects, lists, strings and numbers.'
  return `${path} is ${article(name)}, which is not plain JSON. ${hint}`
}

function article(noun: string): string {
  return noun.startsWith('an ') ? noun : `${/^[aeiou]/i.test(noun) ? 'an' : 'a'} ${noun}`
}
