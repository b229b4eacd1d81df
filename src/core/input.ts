import { InvalidArgument } from './errors.ts'
import { isJsonObject, type JsonValue } from './json.ts'
import { mapJson } from './map-json.ts'
import { isRefOf, type RefId } from './ref.ts'

/** Whether references in an input stand for their values: all, none, or those within the named arguments. */
export type ResolveRefs = boolean | readonly string[]

export function checkResolveRefs(where: ResolveRefs = true): ResolveRefs {
  if (typeof where === 'boolean') return where
  if (Array.isArray(where) && where.every(name => typeof name === 'string')) return where
  throw new InvalidArgument('resolveRefs is true, false, or a list of names of arguments.')
}

/** The references of a cache in a value, as often as they stand there. Takes whatever it is given: cycles, any depth, any object. */
export function referencesIn(cacheName: string, value: unknown, where: ResolveRefs = true): RefId[] {
  const found: RefId[] = []
  const seen = new Set<object>()
  const waiting: unknown[] = [selected(value, where)]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (isRefOf(cacheName, next)) found.push(next)
    else if (typeof next === 'object' && next !== null && !seen.has(next)) {
      seen.add(next)
      for (const member of Object.values(next)) waiting.push(member)
    }
  }
  return found
}

function selected(value: unknown, where: ResolveRefs): unknown {
  if (typeof where === 'boolean') return where ? value : undefined
  if (typeof value !== 'object' || value === null) return undefined
  return Object.entries(value).flatMap(([name, member]) => (where.includes(name) ? [member] : []))
}

/** A copy of the value in which each reference is replaced. */
export function replaceReferences(
  cacheName: string,
  value: JsonValue,
  where: ResolveRefs,
  replacement: (refId: RefId) => JsonValue,
): JsonValue {
  const replaced = (part: JsonValue) =>
    mapJson(part, inner => (isRefOf(cacheName, inner) ? replacement(inner) : undefined))
  if (where === false) return value
  if (where === true) return replaced(value)
  if (!isJsonObject(value)) return value
  // By entries, so that a member called `__proto__` stays a member.
  const members = Object.entries(value).map(([name, member]) => [
    name,
    where.includes(name) ? replaced(member) : member,
  ])
  return Object.fromEntries(members) as JsonValue
}
