import type { ContentResult } from 'fastmcp'
import type { ToolResult } from '../agent/wire.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'

/**
 * A result as fastmcp takes it. It refuses a whole result for what its own schema lacks: metadata of single blocks, which is left
 * out here, and structured content that is no object, which becomes a text.
 */
export function toContentResult({ content, structuredContent, isError, _meta }: ToolResult): ContentResult {
  const structured = structuredContent as JsonValue | undefined
  const rest = structured === undefined || isJsonObject(structured) ? [] : [asText(structured)]
  return {
    content: [...content.map(withoutMetadata), ...rest],
    ...(isJsonObject(structured) ? { structuredContent: structured } : {}),
    ...(isError ? { isError } : {}),
    ...(_meta ? { _meta } : {}),
  } as ContentResult
}

function withoutMetadata({ annotations, _meta, ...block }: JsonObject): JsonObject {
  return block
}

function asText(value: JsonValue): JsonObject {
  return { type: 'text', text: stringifyJson(value) }
}
