import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { pointerOf } from '../core/part.ts'
import { jsonLength } from './json-length.ts'

/** The list or text that an object is about, and where it stands in it. */
export interface MainMember {
  readonly value: JsonValue
  /** JSON Pointer. */
  readonly path: string
}

/** So many times what stands beside it. */
const OUTWEIGHS = 2
/** Deeper members are no longer what the object is about. */
const MOST_LEVELS = 6
/** It stands beside every page. */
const LONGEST_PATH = 200
/** An object with more is a map. */
const MOST_MEMBERS = 200
/** A shorter text is a field like others. */
const SHORTEST_TEXT = 1_000

/** A value on the way to the main member, wherever it is stored. */
export type Candidate<Of> =
  | { readonly kind: 'list'; readonly of: Of }
  | { readonly kind: 'text'; readonly of: Of; readonly characters: number }
  /** `length`: characters of its JSON. */
  | { readonly kind: 'object'; readonly of: Of; readonly length: number; readonly members: number }

/** The member that takes most of an object's JSON. */
interface Heaviest<Of> {
  readonly key: string
  readonly length: number
  readonly member: Candidate<Of> | undefined
}

/**
 * What the pages of an object are of, where most of it is one list or one long text: at each level the member that is at least twice
 * as long as all that stands beside it. Undefined: the object itself.
 *
 * @param heaviest undefined where no member outweighs the others
 */
export function findMainMember<Of>(
  root: Candidate<Of> | undefined,
  heaviest: (object: Of, length: number) => Heaviest<Of> | undefined,
): { of: Of; path: string } | undefined {
  const steps: string[] = []
  let at = root
  while (at?.kind === 'object') {
    const { of, length, members } = at
    if (members > MOST_MEMBERS || steps.length === MOST_LEVELS) return undefined
    const found = heaviest(of, length)
    if (!found) return undefined
    const beside = length - found.length - JSON.stringify(found.key).length - AROUND_MEMBER
    if (found.length < OUTWEIGHS * beside) return undefined
    steps.push(found.key)
    at = found.member
  }
  const path = pointerOf(steps)
  const isMain = at?.kind === 'list' || (at?.kind === 'text' && at.characters >= SHORTEST_TEXT)
  return at && isMain && path !== '' && path.length <= LONGEST_PATH ? { of: at.of, path } : undefined
}

/** `{`, `:` and `}` */
const AROUND_MEMBER = 3

/** The same in a value in memory. @param length of its JSON */
export function mainMemberOf(value: JsonValue, length: number): MainMember | undefined {
  const found = findMainMember(candidate(value, length), (object, length) =>
    heaviestOf(object as JsonObject, length),
  )
  return found && { value: found.of, path: found.path }
}

function candidate(value: JsonValue, length: number): Candidate<JsonValue> | undefined {
  if (Array.isArray(value)) return { kind: 'list', of: value }
  if (typeof value === 'string') return { kind: 'text', of: value, characters: value.length }
  if (!isJsonObject(value)) return undefined
  return { kind: 'object', of: value, length, members: Object.keys(value).length }
}

/** Measures all members but the one that takes more than a third: that one has what the others leave. */
function heaviestOf(object: JsonObject, length: number): Heaviest<JsonValue> | undefined {
  const most = Math.floor(length / 3)
  let heaviest: string | undefined
  let left = length - 1
  for (const [key, member] of Object.entries(object)) {
    left -= JSON.stringify(key).length + 2
    const taken = jsonLength(member, most)
    if (taken <= most) left -= taken
    else if (heaviest !== undefined) return undefined
    else heaviest = key
  }
  if (heaviest === undefined) return undefined
  const member = object[heaviest] as JsonValue
  return { key: heaviest, length: left, member: candidate(member, left) }
}
