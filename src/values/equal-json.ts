import { ExactNumber } from '../core/exact-number.ts'
import type { JsonValue } from '../core/json.ts'
import { parseJson } from '../core/json-text.ts'
import { isJsonNumber, JsonTokens, textOfString } from '../core/json-tokens.ts'
import { hasToJson, plainValue } from '../core/serialize.ts'
import type { Steps } from '../core/steps.ts'
import { wholeToken } from '../core/text-cuts.ts'

/** The JSON that a text is, if it is one: a file, an answer of an API, a number. */
export function parsedJson(text: string): JsonValue | undefined {
  if (!/^\s*["[{\-\dtfn]/.test(text)) return undefined
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** Whether two values are the same JSON; the order of members does not count. Takes any depth. */
export function equalJson(one: JsonValue, other: JsonValue): boolean {
  const pairs: [unknown, unknown][] = [[one, other]]
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const [a, b] = pair
    if (a === b) continue
    if (isNumber(a) || isNumber(b)) {
      if (isNumber(a) && isNumber(b) && digitsOf(String(a)) === digitsOf(String(b))) continue
      return false
    }
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
    if (Array.isArray(a) !== Array.isArray(b)) return false
    const names = Object.keys(a)
    if (names.length !== Object.keys(b).length) return false
    for (const name of names) {
      if (!Object.hasOwn(b, name)) return false
      pairs.push([(a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]])
    }
  }
  return true
}

/**
 * The same for a text and a value, in steps and without parsing the text: false where it is no JSON, or has a key twice. Takes any
 * depth.
 *
 * @param value what will be JSON: what converts itself (`toJSON`) is taken as what it becomes
 * @param names the keys of objects, for who compares many texts with one value: to list those of a large object takes long
 */
export function* textEqualsJson(
  text: string,
  value: unknown,
  names: Map<object, readonly string[]> = new Map(),
): Steps<boolean> {
  const tokens = new JsonTokens(text)
  const open: Compared[] = []
  let wanted: unknown = value
  let reported = 0
  for (;;) {
    const container = opened(tokens.next(), wanted, open.length < FEW_LEVELS ? names : undefined)
    if (container) {
      open.push(container)
    } else if (tokens.kind === 'string') {
      if (!(yield* isSameString(tokens, wanted))) return false
      if (tokens.end - tokens.start > STRING_PIECE) reported = tokens.end
    } else if (tokens.kind !== 'word' || !isSameWord(tokens.source, wanted)) return false
    if (tokens.end - reported > CHARACTERS_PER_STEP) {
      yield (tokens.end - reported) / 2
      reported = tokens.end
    }
    let inner = open.at(-1)
    while (inner && inner.seen === inner.count) {
      if (tokens.next() !== inner.closing) return false
      open.pop()
      inner = open.at(-1)
    }
    if (!inner) return tokens.next() === 'end'
    // The first member of what has just been opened has no comma before it.
    if (inner.seen > 0 && tokens.next() !== ',') return false
    const member = nextMember(inner, tokens)
    if (!member) return false
    wanted = member.value
  }
}

const CHARACTERS_PER_STEP = 16 * 1024
/** A longer string is compared in pieces of so many characters. */
const STRING_PIECE = 64 * 1024

/** A list or an object that is being compared. */
interface Compared {
  readonly of: Readonly<Record<string | number, unknown>>
  readonly closing: ']' | '}'
  /** Of an object. */
  readonly names: readonly string[] | undefined
  readonly count: number
  seen: number
  /** Names that were seen, once they come in another order. */
  seenNames: Set<string> | undefined
}

function opened(
  kind: string,
  wanted: unknown,
  known: Map<object, readonly string[]> | undefined,
): Compared | undefined {
  if ((kind !== '[' && kind !== '{') || typeof wanted !== 'object' || wanted === null) return undefined
  const plain: unknown = hasToJson(wanted) && !(wanted instanceof ExactNumber) ? plainValue(wanted) : wanted
  if (typeof plain !== 'object' || plain === null || plain instanceof ExactNumber) return undefined
  const isList = kind === '['
  if (Array.isArray(plain) !== isList) return undefined
  const of = plain as Record<string, unknown>
  const names = isList
    ? undefined
    : (known?.get(of) ?? Object.keys(of).filter(name => of[name] !== undefined))
  if (names) known?.set(of, names)
  const { length: count } = names ?? (plain as unknown[])
  return { of, closing: isList ? ']' : '}', names, count, seen: 0, seenNames: undefined }
}

/** The names of deeper objects are not kept. */
const FEW_LEVELS = 2

/** What the next member has to be. Undefined: it is none that the value has, or has been there before. */
function nextMember(container: Compared, tokens: JsonTokens): { readonly value: unknown } | undefined {
  const { of, names } = container
  const at = container.seen++
  if (!names) return { value: of[at] }
  if (tokens.next() !== 'string') return undefined
  const name = textOfString(tokens.source)
  if (name === undefined || tokens.next() !== ':') return undefined
  if (name !== names[at] || container.seenNames) {
    container.seenNames ??= new Set(names.slice(0, at))
    if (container.seenNames.has(name) || !Object.hasOwn(of, name) || of[name] === undefined) return undefined
    container.seenNames.add(name)
  }
  return { value: of[name] }
}

function* isSameString({ text, start, end, source }: JsonTokens, wanted: unknown): Steps<boolean> {
  const plain =
    typeof wanted === 'object' && wanted !== null && hasToJson(wanted) ? plainValue(wanted) : wanted
  if (typeof plain !== 'string' || end > text.length) return false
  if (source.length <= STRING_PIECE) return textOfString(source) === plain
  let compared = 0
  for (let at = start + 1; at < end - 1; ) {
    const piece = text.slice(at, Math.min(at + STRING_PIECE, end - 1))
    const length = at + piece.length === end - 1 ? piece.length : wholeToken(piece, piece.length)
    const characters = textOfString(`"${piece.slice(0, length)}"`)
    if (characters === undefined || plain.slice(compared, compared + characters.length) !== characters)
      return false
    compared += characters.length
    at += length
    yield length / 2
  }
  return compared === plain.length
}

function isSameWord(word: string, wanted: unknown): boolean {
  if (wanted === null || typeof wanted === 'boolean') return word === String(wanted)
  if (!isNumber(wanted) || !isJsonNumber(word)) return false
  return word === String(wanted) || digitsOf(word) === digitsOf(String(wanted))
}

function isNumber(value: unknown): value is number | ExactNumber {
  return typeof value === 'number' || value instanceof ExactNumber
}

/** The digits and the place of the point, however it is written: `1.50` is `1.5`, and `1e+21` is `1e21`. */
function digitsOf(number: string): string {
  const [, sign, whole = '', fraction = '', exponent] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([-+]?\d+))?$/.exec(number) ?? []
  const digits = whole + fraction
  let first = 0
  while (digits[first] === '0') first++
  let end = digits.length
  while (end > first && digits[end - 1] === '0') end--
  if (first === end) return '0'
  return `${sign}${digits.slice(first, end)}e${Number(exponent ?? 0) + whole.length - end}`
}
