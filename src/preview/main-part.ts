import { isJsonObject, type JsonValue } from '../core/json.ts'
import { pointerOf } from '../core/part.ts'
import { jsonLength } from './json-length.ts'
import { Source } from './source.ts'

/** The list or text that an object is about, and where it stands in it. */
export interface MainPart {
  readonly source: Source
  /** JSON Pointer. */
  readonly path: string
}

/** Deeper parts are no longer what the object is about. */
const MOST_LEVELS = 6
/** It stands beside every page. */
const LONGEST_PATH = 200
/** So many times what stands beside it. */
const OUTWEIGHS = 2
/** A shorter text is a field like others. */
const SHORTEST_TEXT = 1_000

const known = new WeakMap<Source, MainPart | undefined>()

/** What the pages of an object are of, where most of it is one list or one text. */
export function mainPartOf(source: Source): MainPart | undefined {
  if (!known.has(source)) known.set(source, findMainPart(source.value))
  return known.get(source)
}

function findMainPart(value: JsonValue): MainPart | undefined {
  const steps: string[] = []
  let at = value
  while (isJsonObject(at)) {
    const step = heaviestOf(at)
    if (step === undefined || steps.length === MOST_LEVELS) return undefined
    steps.push(step)
    at = at[step] as JsonValue
  }
  const path = pointerOf(steps)
  const isMain = Array.isArray(at) || (typeof at === 'string' && at.length >= SHORTEST_TEXT)
  return isMain && path !== '' && path.length <= LONGEST_PATH ? { source: new Source(at), path } : undefined
}

/** The member that outweighs all others together. */
function heaviestOf(object: { [key: string]: JsonValue }): string | undefined {
  let total = 0
  let most = 0
  let heaviest: string | undefined
  const keys = Object.keys(object)
  if (keys.length > MOST_KEYS) return undefined
  for (const key of keys) {
    const length = roughLength(object[key] as JsonValue)
    total += length + key.length
    if (heaviest === undefined || length > most) {
      most = length
      heaviest = key
    }
  }
  const others = total - most - (heaviest?.length ?? 0)
  return most >= OUTWEIGHS * others ? heaviest : undefined
}

/** An object with more is a map. */
const MOST_KEYS = 200
const PROBES = 32
const LONGEST_PROBE = 50_000

/** The length of a value's JSON, of large lists and objects from some of their parts. */
function roughLength(value: JsonValue): number {
  if (typeof value === 'string') return value.length + 2
  const parts = Array.isArray(value) ? value : isJsonObject(value) ? Object.values(value) : undefined
  if (!parts) return jsonLength(value, LONGEST_PROBE)
  const probes = Math.min(PROBES, parts.length)
  let probed = 0
  for (let at = 0; at < probes; at++) {
    const part = parts[Math.floor((at * parts.length) / probes)] as JsonValue
    probed += typeof part === 'string' ? part.length : jsonLength(part, LONGEST_PROBE)
  }
  return 2 + (probes === 0 ? 0 : ((probed + probes) * parts.length) / probes)
}
