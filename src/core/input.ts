import { InvalidArgument } from './errors.ts'
import { isJsonObject, type JsonValue } from './json.ts'
import { mapJson, type Trail } from './map-json.ts'
import { type Part, toForeignReference, toReference } from './part.ts'
import type { RefId } from './ref.ts'

/**
 * Whether references in an input stand for their values: all that the caller wrote, none, those within the named arguments,
 * or (`'deep'`) all that the caller wrote and those in the values that they stand for.
 */
export type ResolveRefs = boolean | 'deep' | readonly string[]

export function checkResolveRefs(where: ResolveRefs = true): ResolveRefs {
  if (typeof where === 'boolean' || where === 'deep') return where
  if (Array.isArray(where) && where.every(name => typeof name === 'string')) return where
  throw new InvalidArgument("resolveRefs is true, false, 'deep', or a list of names of arguments.")
}

/**
 * The references of a cache in a value, as often as they stand there, also those that name a part. Takes whatever it is given:
 * cycles, any depth, any object.
 * @throws InvalidArgument where what follows a reference names no part
 */
export function referencesIn(cacheName: string, value: unknown, where: ResolveRefs = true): RefId[] {
  return referencesFound(value, where, text => toReference(cacheName, text)?.refId)
}

/** The same without those that name a part. */
export function wholeReferencesIn(cacheName: string, value: unknown, where: ResolveRefs = true): RefId[] {
  return referencesFound(value, where, text => {
    const reference = toReference(cacheName, text)
    return reference?.part ? undefined : reference?.refId
  })
}

/** Texts in a value that read like references of other caches. */
export function foreignReferencesIn(cacheName: string, value: unknown, where: ResolveRefs = true): RefId[] {
  return referencesFound(value, where, text => toForeignReference(cacheName, text))
}

const LOOKS_LIKE_REFERENCE = /:[0-9a-f]{32}(?:#|$)/

/** Whether a text of JSON may name a reference, of whatever cache. JSON never escapes what a reference is made of. */
export function mayNameReferences(json: string): boolean {
  return /:[0-9a-f]{32}/.test(json)
}

/** Whether a text in a value may be a reference, of whatever cache. */
export function mayHoldReferences(value: unknown, where: ResolveRefs = true): boolean {
  return (
    referencesFound(value, where, text => (LOOKS_LIKE_REFERENCE.test(text) ? text : undefined)).length > 0
  )
}

function referencesFound(
  value: unknown,
  where: ResolveRefs,
  referenceIn: (text: string) => RefId | undefined,
): RefId[] {
  const found: RefId[] = []
  const seen = new Set<object>()
  const waiting: unknown[] = [selected(value, where)]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next === 'string') {
      const refId = referenceIn(next)
      if (refId !== undefined) found.push(refId)
    } else if (typeof next === 'object' && next !== null && !seen.has(next)) {
      seen.add(next)
      for (const member of Object.values(next)) waiting.push(member)
    }
  }
  return found
}

function selected(value: unknown, where: ResolveRefs): unknown {
  if (!isList(where)) return where === false ? undefined : value
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).flatMap(([name, member]) => (where.includes(name) ? [member] : []))
}

/**
 * A copy of the value in which each reference is replaced; in the same order each time.
 * @throws InvalidArgument where what follows a reference names no part
 */
export function replaceReferences(
  cacheName: string,
  value: JsonValue,
  where: ResolveRefs,
  replacement: (refId: RefId, at: Trail | undefined, part: Part | undefined) => JsonValue,
): JsonValue {
  const replaceOne = (inner: JsonValue, at: Trail | undefined) => {
    const reference = toReference(cacheName, inner)
    return reference && replacement(reference.refId, at, reference.part)
  }
  const replaced = (member: JsonValue, start?: Trail) => mapJson(member, replaceOne, start)
  if (where === false) return value
  if (!isList(where)) return replaced(value)
  if (!isJsonObject(value)) return value
  // By entries, so that a member called `__proto__` stays a member.
  const members = Object.entries(value).map(([name, member]) => [
    name,
    where.includes(name) ? replaced(member, { step: name, above: undefined }) : member,
  ])
  return Object.fromEntries(members) as JsonValue
}

function isList(where: ResolveRefs): where is readonly string[] {
  return Array.isArray(where)
}
