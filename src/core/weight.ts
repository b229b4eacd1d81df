import { stringEnd } from './json-text.ts'
import { atOnce, type Steps, WORK_PER_TURN } from './steps.ts'

const CONTAINER = 48
const MEMBER = 16

const [QUOTE, COMMA, COLON, BRACKET, BRACE] = [0x22, 0x2c, 0x3a, 0x5b, 0x7b]

/** UTF-16 units that are looked through before others have their turn: a millisecond or two. */
const SCANNED_AT_ONCE = 1024 * 1024

/**
 * About how many bytes of memory a JSON text takes once it is parsed. `[{},{}]` is short to write and large to hold, so
 * what is bounded by its characters alone is not bounded.
 */
export function weightOf(json: string): number {
  return atOnce(weightSteps(json))
}

/** The same in steps. */
export function* weightSteps(json: string): Steps<number> {
  let weight = json.length
  let pause = SCANNED_AT_ONCE
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = stringEnd(json, at) - 1
    else if (code === COMMA || code === COLON) weight += MEMBER
    else if (code === BRACE || code === BRACKET) weight += CONTAINER
    if (at < pause) continue
    pause = at + SCANNED_AT_ONCE
    yield WORK_PER_TURN
  }
  return weight
}
