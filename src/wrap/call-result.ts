import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import type { ViewPurpose } from '../flow/engine.ts'
import { mediaIn, replaceMedia } from './media.ts'

/** The name of the view that shows a stored CallToolResult by what a reader is after. */
export const CALL_RESULT_VIEW = 'call-tool-result'

/**
 * What previews and pages of a tool's result show: its structured content or else its text, free of the protocol's
 * envelope, so that the pages of a text are the text. Binary data is replaced by a note; it comes back with `full`. Where
 * the result stands in another call's input, nothing is replaced.
 */
export function payloadOf(result: JsonValue, purpose: ViewPurpose = 'show'): JsonValue {
  if (!isCallResult(result)) return result
  const { content, structuredContent } = result
  const shown = purpose === 'show' ? withoutMedia : (value: JsonValue) => value
  const blocks = content.map(shown)
  if (!isJsonObject(structuredContent)) return payloadOfContent(blocks)
  const structured = soleContent(shown(structuredContent) as JsonObject)
  // Media beside structured content is worth mentioning, unless that already holds it.
  const others = blocks.filter(block => isJsonObject(block) && block.type !== 'text')
  if (others.length === 0 || mediaIn(structuredContent).length > 0) return structured
  return { structured_content: structured, content: others }
}

function payloadOfContent(blocks: JsonValue[]): JsonValue {
  const texts = blocks.filter(isPlainText).map(({ text }) => text as JsonValue)
  if (texts.length !== blocks.length) return blocks
  return texts.length === 1 ? (texts[0] as JsonValue) : texts
}

function isPlainText(block: JsonValue): block is JsonObject {
  return isJsonObject(block) && block.type === 'text' && typeof block.text === 'string'
}

/** Servers wrap a list or a text into an object of one member because the protocol wants an object. */
function soleContent(structured: JsonObject): JsonValue {
  const members = Object.values(structured)
  const [sole] = members
  return members.length === 1 && (Array.isArray(sole) || typeof sole === 'string') ? sole : structured
}

export interface CallResult extends JsonObject {
  content: JsonValue[]
}

export function isCallResult(value: JsonValue | undefined): value is CallResult {
  return isJsonObject(value) && Array.isArray(value.content)
}

/** Whether a result holds what only its own content blocks can carry: images, audio, resources. */
export function hasBlocksBesideText({ content }: CallResult): boolean {
  return content.some(block => !isJsonObject(block) || block.type !== 'text')
}

/** The value with a note in the place of each piece of base64. */
function withoutMedia(value: JsonValue): JsonValue {
  return replaceMedia(value, note)
}

function note(base64: string): string {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  const bytes = Math.floor(((base64.length - padding) * 3) / 4)
  return `(${bytes} bytes; get_cached_result with full: true gives them)`
}
