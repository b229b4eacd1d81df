const CONTAINER = 48
const MEMBER = 16

const [QUOTE, COMMA, COLON, BRACKET, BACKSLASH, BRACE] = [0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x7b]

/**
 * About how many bytes of memory a JSON text takes once it is parsed. `[{},{}]` is short to write and large to hold, so
 * what is bounded by its characters alone is not bounded.
 */
export function weightOf(json: string): number {
  let weight = json.length
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === QUOTE) at = endOfString(json, at)
    else if (code === COMMA || code === COLON) weight += MEMBER
    else if (code === BRACE || code === BRACKET) weight += CONTAINER
  }
  return weight
}

/** Where the string that begins at `from` has its closing quote. */
function endOfString(json: string, from: number): number {
  for (let at = from + 1; at < json.length; at++) {
    const code = json.charCodeAt(at)
    if (code === BACKSLASH) at++
    else if (code === QUOTE) return at
  }
  return json.length
}
