import { InvalidArgument } from '../../core/errors.ts'
import { type ResolveRefs, replaceReferences } from '../../core/input.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { pathOf, type Trail } from '../../core/map-json.ts'
import type { Part } from '../../core/part.ts'
import type { RefId } from '../../core/ref.ts'
import { jsonSchemaOf } from '../../core/standard-schema.ts'
import type { Tool } from '../../core/tool.ts'
import { typeOfJson } from '../../values/argument.ts'
import { type JsonType, typesAt } from '../../values/schema-types.ts'
import { checkPlaces } from './references.ts'

/** What lies deeper in an argument may be anything: schemas do not say more. */
const MAX_SCHEMA_DEPTH = 200

/** Of the place of an argument, in an error. */
const MAX_PLACE = 100

/** Where a reference stands, and what its argument admits there; undefined: anything. */
export interface Place {
  readonly refId: RefId
  /** What of its value is meant, where that is not all of it. */
  readonly part: Part | undefined
  readonly at: Trail | undefined
  readonly wanted: ReadonlySet<JsonType> | undefined
}

/**
 * The references in a value, in the order in which they will be replaced.
 * @param schema of the arguments; without one they admit anything
 */
export function placesIn(
  cacheName: string,
  value: JsonValue,
  where: ResolveRefs,
  schema: JsonObject | undefined,
): Place[] {
  const found: Array<Omit<Place, 'wanted'>> = []
  replaceReferences(cacheName, value, where, (refId, at, part) => {
    found.push({ refId, at, part })
    return refId
  })
  checkPlaces(found)
  return found.map(place => ({ ...place, wanted: schema && wantedAt(schema, place.at) }))
}

function wantedAt(schema: JsonObject, at: Trail | undefined): ReadonlySet<JsonType> | undefined {
  const path = pathOf(at, MAX_SCHEMA_DEPTH)
  return path && typesAt(schema, path)
}

export function noSuchForm({ at }: Place, wanted: ReadonlySet<JsonType>, json: string): InvalidArgument {
  const place = (pathOf(at, MAX_SCHEMA_DEPTH) ?? []).join('.').slice(0, MAX_PLACE)
  const found = typeOfJson(json) === 'string' ? 'a text that is no such JSON' : `of type ${typeOfJson(json)}`
  return new InvalidArgument(
    `The argument ${place} takes a value of type ${[...wanted].join(' or ')}; the value of its reference is ${found}. Pass another reference, or the value itself.`,
  )
}

export function inputSchemaOf({ inputJsonSchema, input }: Tool): JsonObject | undefined {
  return inputJsonSchema ?? (input && jsonSchemaOf(input))
}
