import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { mapJsonSteps } from '../core/map-json.ts'
import type { Steps } from '../core/steps.ts'

/** A content block that carries bytes, as it is described. */
export interface Media {
  readonly type: string
  readonly mimeType?: string
  readonly uri?: string
  readonly bytes: number
  readonly base64: string
}

/** Shorter texts may stand in a result for many reasons, and cost little. */
const SHORTEST_REPEAT = 8

/** Image and audio blocks carry base64 in `data`, embedded resources in `blob`. Only content blocks are media. */
export function isMedia(block: JsonValue): block is JsonObject {
  return base64Of(block) !== undefined
}

export function mediaOf(block: JsonObject): Media {
  const about = isJsonObject(block.resource) ? block.resource : block
  const { mimeType, uri } = about
  const base64 = base64Of(block) ?? ''
  return {
    type: String(block.type),
    ...(typeof mimeType === 'string' ? { mimeType } : {}),
    ...(typeof uri === 'string' ? { uri } : {}),
    bytes: bytesOf(base64),
    base64,
  }
}

/** How long the base64 of all blocks is. */
export function mediaCharacters(blocks: readonly JsonValue[]): number {
  return blocks.reduce<number>((sum, block) => sum + (base64Of(block)?.length ?? 0), 0)
}

/** The value with a note in the place of each block's base64, wherever it is repeated, and what was noted. */
export function* withNotes(
  value: JsonValue,
  blocks: readonly JsonObject[],
): Steps<{ value: JsonValue; noted: ReadonlySet<string> }> {
  const known = new Set(blocks.map(block => base64Of(block) as string))
  const noted = new Set<string>()
  const noteFor = (base64: string) => {
    noted.add(base64)
    return note(base64)
  }
  const repeatIn = (part: JsonValue): string | undefined => {
    if (typeof part !== 'string' || part.length < SHORTEST_REPEAT) return undefined
    const base64 = part.startsWith('data:') ? part.slice(part.indexOf(',') + 1) : part
    return known.has(base64) ? base64 : undefined
  }
  const own = new Set<JsonValue>(blocks)
  const top = Array.isArray(value)
    ? value.map(item => (own.has(item) ? withNote(item, noteFor) : item))
    : value
  const noteOf = (part: JsonValue) => {
    const base64 = repeatIn(part)
    return base64 === undefined ? undefined : noteFor(base64)
  }
  const shown = yield* mapJsonSteps(top, noteOf)
  return { value: noted.size > 0 ? shown : value, noted }
}

function withNote(block: JsonValue, noteFor: (base64: string) => string): JsonValue {
  const { resource, ...rest } = block as JsonObject
  const note = noteFor(base64Of(block) as string)
  return isJsonObject(resource) ? { ...rest, resource: { ...resource, blob: note } } : { ...rest, data: note }
}

function base64Of(block: JsonValue): string | undefined {
  if (!isJsonObject(block)) return undefined
  const { type, data, resource } = block
  const isBytes = type === 'image' || type === 'audio'
  const base64 = isBytes ? data : type === 'resource' && isJsonObject(resource) ? resource.blob : undefined
  return typeof base64 === 'string' ? base64 : undefined
}

function bytesOf(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return Math.floor(((base64.length - padding) * 3) / 4)
}

function note(base64: string): string {
  return `(${bytesOf(base64)} bytes; get_cached_result with full: true gives them)`
}
