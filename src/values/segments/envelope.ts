import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { plainValue } from '../../core/serialize.ts'
import type { Shown } from '../projection.ts'
import { RESULT_PROJECTIONS } from '../result-projections.ts'

/** What stands around the one text that a tool's result is. The text itself is stored as it is. */
export interface Envelope {
  /** The JSON of the result, with empty texts where that text stands. */
  readonly json: string
  /** Where that is. */
  readonly holes: ReadonlyArray<readonly string[]>
}

/** Which container of a stored value is shown, and what its projection says besides. */
export interface ShownContainer extends Pick<Shown, 'about' | 'meta' | 'isToolResult'> {
  readonly container: number
}

/** A text in its envelope. */
export interface EnvelopedText {
  readonly text: string
  readonly envelope: Envelope
  readonly shown: ShownContainer
}

/** A larger envelope, or more metadata, has no place beside an index. */
const LARGEST_ENVELOPE = 64 * 1024
const LARGEST_META = 8 * 1024

/** A result that is one text, taken apart. Undefined: it is something else, or its text is shorter than so many characters. */
export function takeText(value: unknown, projection: string, shortest: number): EnvelopedText | undefined {
  const stored = value as JsonValue
  if (!isJsonObject(stored) || !Array.isArray(stored.content) || !hasText(stored.content, shortest)) return
  const result = plainValue(stored) as JsonObject
  const shown = shownOf(result, projection)
  const text = shown?.value
  if (!shown || typeof text !== 'string' || text.length < shortest) return undefined
  const { emptied, holes } = emptyTexts(result, text)
  if (holes.length === 0) return undefined
  const json = stringifyJson(emptied)
  if (json.length > LARGEST_ENVELOPE) return undefined
  return { text, envelope: { json, holes }, shown: { container: 0, ...besides(shown) } }
}

/** The result again. */
export function fillEnvelope({ json, holes }: Envelope, text: string): JsonValue {
  const result = parseJson(json)
  for (const hole of holes) {
    let at = result as Record<string, JsonValue>
    for (const step of hole.slice(0, -1)) at = at[step] as Record<string, JsonValue>
    at[hole.at(-1) as string] = text
  }
  return result
}

/** What of a stored value is shown: all of it, or its structured content. Undefined: something that has to be put together. */
export function shownMember(
  stored: unknown,
  projection: string,
): { member?: 'structuredContent'; facts: Omit<ShownContainer, 'container'> } | undefined {
  const value = stored as JsonValue
  const projected = RESULT_PROJECTIONS[projection]
  if (!projected) return undefined
  const shown = projected.show(value)
  if (!shown || shown.value === value) return { facts: shown ? besides(shown) : {} }
  if (!isShownAsIs(shown) || !isJsonObject(value) || shown.value !== value.structuredContent) return undefined
  return { member: 'structuredContent', facts: besides(shown) }
}

function shownOf(result: JsonObject, projection: string): Shown | undefined {
  const shown = RESULT_PROJECTIONS[projection]?.show(result)
  return shown && isShownAsIs(shown) ? shown : undefined
}

/** Media are noted in what is shown, and may pass whole where a text of their size may not. */
function isShownAsIs({ mediaBytes, meta }: Shown): boolean {
  return !mediaBytes && (meta === undefined || stringifyJson(meta).length <= LARGEST_META)
}

function besides({ about, meta, isToolResult }: Shown): Omit<ShownContainer, 'container'> {
  return { ...(about ? { about } : {}), ...(meta ? { meta } : {}), ...(isToolResult ? { isToolResult } : {}) }
}

function hasText(content: readonly unknown[], shortest: number): boolean {
  return content.some(block => {
    if (typeof block !== 'object' || block === null) return false
    const { text, resource } = block as { text?: unknown; resource?: { text?: unknown } }
    return [text, resource?.text].some(one => typeof one === 'string' && one.length >= shortest)
  })
}

/** A copy with an empty text wherever this one stands. */
function emptyTexts(result: JsonObject, text: string): { emptied: JsonValue; holes: string[][] } {
  const holes: string[][] = []
  const walk = (value: JsonValue, steps: string[]): JsonValue => {
    if (value === text) {
      holes.push(steps)
      return ''
    }
    if (steps.length === DEEPEST_HOLE) return value
    if (Array.isArray(value)) return value.map((item, at) => walk(item, [...steps, String(at)]))
    if (!isJsonObject(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, walk(member, [...steps, key])]),
    )
  }
  return { emptied: walk(result, []), holes }
}

/** `content/0/resource/text` */
const DEEPEST_HOLE = 4
