import type { Actor } from '../access/actor.ts'
import { readSentArguments } from '../agent/sent-arguments.ts'
import type { PollContext, PollingTool } from '../agent/tools/polling.ts'
import type { ToolResult } from '../agent/wire.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { RefCache } from '../ref-cache.ts'
import { isCallResult } from '../values/call-result.ts'
import { isMedia, withNotes } from '../values/media.ts'
import { withReference } from './present.ts'

/** What `full` gives of a result's text, as the cache limits it; more than that is media. */
const MAX_TEXT_BYTES = 1024 * 1024
/** Clients of the SDK close the connection at a message of 10 MB. */
const MAX_BYTES = 9 * 1024 * 1024

/** A polling tool's answer. The limit of `full` is for text; an image of several megabytes is still one image. */
export async function pollWithMedia(
  cache: RefCache,
  tool: PollingTool,
  sent: JsonValue | undefined,
  context: PollContext & { actor: Actor },
): Promise<ToolResult> {
  const args = readSentArguments(tool.inputSchema, sent) as JsonValue
  const answer = await tool.handle(args, context)
  return (await fullMedia(cache, args, answer.structuredContent, context.actor)) ?? answer
}

async function fullMedia(
  cache: RefCache,
  args: JsonValue | undefined,
  body: JsonObject | undefined,
  actor: Actor,
): Promise<ToolResult | undefined> {
  const tooLarge = isJsonObject(body?.error) && body.error.code === 'value_too_large'
  if (!tooLarge || !isJsonObject(args) || typeof args.ref_id !== 'string') return undefined
  const status = await cache.taskStatus(args.ref_id, { actor })
  if (status.status !== 'complete' || (status.valueBytes ?? 0) > MAX_BYTES) return undefined
  const result = await cache.resolve(args.ref_id, { actor })
  const media = isCallResult(result) ? result.content.filter(isMedia) : []
  if (!isJsonObject(result) || media.length === 0) return undefined
  const text = stringifyJson({ ...result, content: withNotes(result.content ?? null, media).value })
  if (text.length > MAX_TEXT_BYTES || stringifyJson(result).length > MAX_BYTES) return undefined
  return withReference(result, status)
}
