import { cutText } from '../core/cut-text.ts'
import { InvalidArgument } from '../core/errors.ts'
import { isJsonObject, type JsonValue } from '../core/json.ts'
import { countLines, linesOf } from '../core/lines.ts'
import { type Part, pointerOf } from '../core/part.ts'
import { ownTextOf } from './call-result.ts'
import { parsedJson } from './equal-json.ts'
import type { Used } from './projection.ts'

/**
 * The part of a value. The form that is shown goes before the others.
 *
 * @param sees whether the caller may see the value: else an error tells nothing of it
 * @throws InvalidArgument where it leads nowhere: with the deepest part that is there
 */
export function takePart(of: Used, part: Part, sees = true): JsonValue {
  const found = part.kind === 'lines' ? takeLines(of, part) : takePointed(of, part.steps)
  if (found.kind === 'found') return found.value
  throw new InvalidArgument(sees ? found.message : 'The value of a reference in the input has no such part.')
}

type Taken =
  | { readonly kind: 'found'; readonly value: JsonValue }
  | { readonly kind: 'missing'; readonly message: string }

function takePointed(of: Used, steps: readonly string[]): Taken {
  let deepest: Descent | undefined
  for (const form of formsOf(of)) {
    const descent = descend(form, steps)
    if (descent.depth === steps.length) return { kind: 'found', value: descent.value }
    if (!deepest || tellsMore(descent, deepest)) deepest = descent
  }
  const block = blockAt(of, steps)
  if (block !== undefined) return { kind: 'found', value: block }
  const { value, depth } = deepest as Descent
  const there =
    depth === 0 ? 'The value itself' : `The deepest part that is there, #${shown(steps.slice(0, depth))},`
  return {
    kind: 'missing',
    message: `Nothing is at #${shown(steps)}. ${there} ${describe(value)}.`,
  }
}

/** Made one after the other: to read a text as JSON may take long. */
function* formsOf({ value, forms = [], result }: Used): Iterable<JsonValue> {
  for (const form of [value, ...forms, result?.structuredContent]) {
    if (form === undefined) continue
    yield form
    const parsed = typeof form === 'string' ? parsedJson(form) : undefined
    if (parsed !== undefined) yield parsed
  }
}

export interface Descent {
  readonly value: JsonValue
  /** How many steps lead there. */
  readonly depth: number
}

/** A form that leads further; of two that lead nowhere, the one that has parts. */
function tellsMore(one: Descent, other: Descent): boolean {
  if (one.depth !== other.depth) return one.depth > other.depth
  return typeof other.value === 'string' && typeof one.value !== 'string'
}

/** As far as the steps lead. */
export function descend(from: JsonValue, steps: readonly string[]): Descent {
  let value = from
  for (const [depth, step] of steps.entries()) {
    const next = memberOf(value, step)
    if (next === undefined) return { value, depth }
    value = next
  }
  return { value, depth: steps.length }
}

function memberOf(value: JsonValue, step: string): JsonValue | undefined {
  if (Array.isArray(value)) return /^(0|[1-9]\d{0,15})$/.test(step) ? value[Number(step)] : undefined
  return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
}

/** `#/content/N`: a text among the blocks is that text; anything else is the block itself. */
function blockAt({ result }: Used, [content, position, ...rest]: readonly string[]): JsonValue | undefined {
  if (!result || content !== 'content' || position === undefined) return undefined
  const block = memberOf([...result.content], position)
  if (block === undefined) return undefined
  if (rest.length === 0) return ownTextOf(block) ?? block
  const text = ownTextOf(block)
  for (const form of [block, text === undefined ? undefined : parsedJson(text)]) {
    if (form === undefined) continue
    const { value, depth } = descend(form, rest)
    if (depth === rest.length) return value
  }
  return undefined
}

function takeLines({ value, text, forms = [] }: Used, { first, last }: Part & { kind: 'lines' }): Taken {
  const found = [value, text, ...forms].find(form => typeof form === 'string')
  if (found === undefined) {
    return {
      kind: 'missing',
      message: `Only a text has lines. The value ${describe(value)}: name a part as #/…`,
    }
  }
  const total = countLines(found)
  if (last > total) {
    const lines = total === 1 ? 'There is 1 line' : `There are ${total} lines`
    return { kind: 'missing', message: `${lines}: ask for some of them.` }
  }
  return { kind: 'found', value: linesOf(found, first, last) }
}

const MOST_KEYS = 30
const LONGEST_KEY = 60
const LONGEST_POINTER = 200

function describe(value: JsonValue): string {
  if (Array.isArray(value)) {
    return value.length === 0 ? 'is an empty list' : `is a list with the positions 0 to ${value.length - 1}`
  }
  if (!isJsonObject(value)) return `is ${typeof value === 'string' ? 'a text' : JSON.stringify(value)}`
  const keys = Object.keys(value)
  if (keys.length === 0) return 'is an empty object'
  const named = keys.slice(0, MOST_KEYS).map(key => cutText(key, LONGEST_KEY))
  const more = keys.length > MOST_KEYS ? `, and ${keys.length - MOST_KEYS} more` : ''
  return `has the keys ${named.join(', ')}${more}`
}

function shown(steps: readonly string[]): string {
  return cutText(pointerOf(steps), LONGEST_POINTER)
}
