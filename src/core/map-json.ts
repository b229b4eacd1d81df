import { ExactNumber } from './exact-number.ts'
import { isJsonObject, type JsonObject, type JsonValue } from './json.ts'
import { atOnce, type Steps } from './steps.ts'

/** The value with nothing but ordinary numbers in it, for whoever computes with them. */
export function withPlainNumbers(value: JsonValue): JsonValue {
  return mapJson(value, part => (part instanceof ExactNumber ? part.valueOf() : undefined))
}

/** Where a part of a value stands: names of members and positions in lists. */
export type Path = ReadonlyArray<string | number>

/** The same, from the part upwards. Costs nothing where many parts have much of it in common. */
export interface Trail {
  readonly step: string | number
  readonly above: Trail | undefined
}

/** @param most steps; undefined where there are more */
export function pathOf(trail: Trail | undefined, most: number): Path | undefined {
  const steps: Array<string | number> = []
  for (let at = trail; at; at = at.above) {
    if (steps.length === most) return undefined
    steps.push(at.step)
  }
  return steps.reverse()
}

/**
 * A copy of the value, with something else in the place of each part for which `replace` gives it: that is not looked into.
 * Takes any depth.
 *
 * @param start where the value itself stands
 */
export function mapJson(value: JsonValue, replace: Replace, start?: Trail): JsonValue {
  return atOnce(mapJsonSteps(value, replace, start))
}

type Replace = (part: JsonValue, trail: Trail | undefined) => JsonValue | undefined

const PARTS_PER_STEP = 1_000

/** The same in steps. */
export function* mapJsonSteps(value: JsonValue, replace: Replace, start?: Trail): Steps<JsonValue> {
  const open: Array<{ copy: JsonValue[] | JsonObject; trail: Trail | undefined }> = []
  let parts = 0
  const copyOf = (part: JsonValue, trail: Trail | undefined): JsonValue => {
    parts++
    const replaced = replace(part, trail)
    if (replaced !== undefined) return replaced
    const copy = Array.isArray(part) ? [...part] : isJsonObject(part) ? { ...part } : undefined
    if (copy) open.push({ copy, trail })
    return copy ?? part
  }
  const root = copyOf(value, start)
  for (let next = open.pop(); next; next = open.pop()) {
    const { copy, trail: above } = next
    if (Array.isArray(copy))
      for (const [step, part] of copy.entries()) copy[step] = copyOf(part, { step, above })
    // A member called `__proto__` is the copy's own by now, and stays a member.
    else for (const step of Object.keys(copy)) copy[step] = copyOf(copy[step] as JsonValue, { step, above })
    if (parts < PARTS_PER_STEP) continue
    yield parts * 4
    parts = 0
  }
  return root
}
