import type { Actor } from '../access/actor.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { RefId } from '../core/ref.ts'
import { readSentArguments } from '../mcp/sent-arguments.ts'
import type { PollContext, PollingTool } from '../mcp/tools.ts'
import type { ToolResult } from '../mcp/wire.ts'
import type { RefCache } from '../ref-cache.ts'
import { type CallResult, hasBlocksBesideText, isCallResult } from './call-result.ts'
import { mediaIn, replaceMedia } from './media.ts'
import { wholeResult } from './whole-result.ts'

/** What `full` gives of a result's text, as the cache limits it; more than that is media. */
const MAX_TEXT_BYTES = 1024 * 1024
/** Clients of the SDK close the connection at a message of 10 MB. */
const MAX_BYTES = 9 * 1024 * 1024

/** A polling tool's answer about a tool's result, so that clients can show the images in it. */
export async function poll(
  cache: RefCache,
  tool: PollingTool,
  sent: JsonValue | undefined,
  context: PollContext & { actor: Actor },
): Promise<ToolResult> {
  const args = readSentArguments(tool.inputSchema, sent) as JsonValue
  const answer = await tool.handle(args, context)
  const body = answer.structuredContent ?? {}
  if (isCallResult(body.value)) return withBlocks(answer, body.value)
  const value =
    (await fullMedia(cache, args, body, context.actor)) ??
    (await shownWhole(cache, args, body, context.actor))
  return value ? wholeAnswer(value.refId, value.result) : answer
}

interface Whole {
  refId: RefId
  result: CallResult
}

function wholeAnswer(refId: RefId, value: CallResult): ToolResult {
  const body = { ref_id: refId, status: 'complete', is_complete: true, is_async: false, value }
  const content: ToolResult['content'] = [{ type: 'text', text: stringifyJson(body) }]
  return withBlocks({ content, structuredContent: body }, value)
}

/** An answer that shows all there is to read is no preview, unless a part was asked for. */
async function shownWhole(
  cache: RefCache,
  args: JsonValue | undefined,
  { ref_id, preview, original_size }: JsonObject,
  actor: Actor,
): Promise<Whole | undefined> {
  if (!isJsonObject(args) || args.page !== undefined || args.page_size !== undefined) return undefined
  const part = { refId: String(ref_id), preview, originalSize: Number(original_size ?? 0) }
  const result = await wholeResult(cache, part, actor)
  return isCallResult(result) ? { refId: part.refId, result } : undefined
}

/** Blocks that only the result itself can carry stand beside the answer as they are; their bytes are given once. */
function withBlocks(answer: ToolResult, value: CallResult): ToolResult {
  if (!hasBlocksBesideText(value)) return answer
  const { value: _, ...about } = answer.structuredContent ?? {}
  const text = { type: 'text' as const, text: stringifyJson(about) }
  const given = new Set(mediaIn(value.content))
  return {
    ...answer,
    content: [text, ...value.content] as ToolResult['content'],
    structuredContent: {
      ...answer.structuredContent,
      value: replaceMedia(value, base64 => (given.has(base64) ? GIVEN : base64)),
    },
  }
}

const GIVEN = '(in the content of this answer)'

/** The limit of `full` is for text; an image of several megabytes is still one image. */
async function fullMedia(
  cache: RefCache,
  args: JsonValue | undefined,
  { error }: JsonObject,
  actor: Actor,
): Promise<Whole | undefined> {
  const tooLarge = isJsonObject(error) && error.code === 'value_too_large'
  if (!tooLarge || !isJsonObject(args) || typeof args.ref_id !== 'string') return undefined
  const status = await cache.taskStatus(args.ref_id, { actor })
  if (status.status !== 'complete' || (status.valueBytes ?? 0) > MAX_BYTES) return undefined
  const result = await cache.resolve(args.ref_id, { actor })
  if (!isCallResult(result) || !hasBlocksBesideText(result)) return undefined
  const text = stringifyJson(replaceMedia(result, () => ''))
  if (text.length > MAX_TEXT_BYTES || stringifyJson(result).length > MAX_BYTES) return undefined
  return { refId: args.ref_id, result }
}
