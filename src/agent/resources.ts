import type { Actor } from '../access/actor.ts'
import type { Namespace } from '../access/namespace.ts'
import type { AnswerLimits } from '../core/answer-limits.ts'
import { systemClock } from '../core/clock.ts'
import {
  AnswerTooLarge,
  InvalidArgument,
  NotFound,
  PermissionDenied,
  RefCacheError,
  TaskCancelled,
  TaskFailed,
  TaskNotReady,
  ValueTooLarge,
} from '../core/errors.ts'
import type { JsonObject, JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { RefId } from '../core/ref.ts'
import type { CallResponse } from '../core/response.ts'
import type { ResultInfo } from '../flow/operate/results.ts'
import type { RefCache } from '../ref-cache.ts'
import { ADAPTERS } from '../ref-cache-adapters.ts'
import { type CallResult, isCallResult, shownValue } from '../values/call-result.ts'
import { parsedJson } from '../values/equal-json.ts'
import { isMedia, mediaOf } from '../values/media.ts'
import { ageInWords } from './age.ts'
import { boundedError } from './error-limit.ts'
import { RESOURCE_URI_TEMPLATE, referenceIn, toResourceUri } from './resource-uri.ts'
import type { RpcError } from './tasks/errors.ts'
import { internalError, toWireError } from './wire.ts'

/** Entries of the cache as resources of MCP: `refcache:///<ref_id>`, also with a part (`#/items/3`, `#L10-L20`). */

/** As `resources/templates/list` has it. */
export const RESOURCE_TEMPLATE = {
  name: 'cached_result',
  title: 'Cached result',
  uriTemplate: RESOURCE_URI_TEMPLATE,
  description: 'The result behind a ref_id.',
} as const

/** Who asks for a resource. */
export interface ResourceReader {
  readonly actor: Actor
  /** What the client can take. */
  readonly limits: AnswerLimits
  readonly signal: AbortSignal
  readonly isStateless: boolean
}

/** Whose resources are listed. */
export interface ResourceListing {
  /** Undefined: nobody in particular, who has none. */
  readonly actor: Actor | undefined
  /** Whether the results of a tool are listed. */
  readonly lists: (toolName: string | undefined) => boolean
  /** Where they are, if that is one namespace. */
  readonly namespace?: Namespace | undefined
  readonly signal: AbortSignal
  /** By the rules of 2026-07-28 a result says how long, and for whom, it may be kept. */
  readonly isStateless: boolean
}

/** By this a cursor is known as one of ours. What a server gives that looks like it, is marked as the server's. */
const OWN_CURSOR = 'refcache:'
const SERVER_CURSOR = 'refcache:server:'

/** Whether a request for a page of `resources/list` asks for one of ours alone. */
export function asksForOwnPage(cursor: unknown): cursor is string {
  return typeof cursor === 'string' && cursor.startsWith(OWN_CURSOR) && !cursor.startsWith(SERVER_CURSOR)
}

/** A cursor as the server gave it. */
export function toServerCursor(cursor: string): string {
  return cursor.startsWith(SERVER_CURSOR) ? cursor.slice(SERVER_CURSOR.length) : cursor
}

/** A later page of `resources/list`, of ours alone. @throws InvalidArgument for what is no cursor */
export function listOwnResources(
  cache: RefCache,
  cursor: string,
  listing: ResourceListing,
): Promise<JsonObject> {
  return pageOf(cache, cursor.slice(OWN_CURSOR.length), listing)
}

/** A page of the server's own resources; the last one goes on with ours. */
export async function withOwnResources(
  page: JsonObject,
  cache: RefCache,
  listing: ResourceListing,
): Promise<JsonObject> {
  const { nextCursor, resources } = page
  if (typeof nextCursor === 'string') {
    return nextCursor.startsWith(OWN_CURSOR) ? { ...page, nextCursor: SERVER_CURSOR + nextCursor } : page
  }
  const own = await pageOf(cache, undefined, listing)
  const servers: readonly JsonValue[] = Array.isArray(resources) ? resources : []
  return { ...page, ...own, resources: [...servers, ...(own.resources as JsonValue[])] }
}

/** What the caller's own calls have made, the newest first. */
async function pageOf(
  cache: RefCache,
  cursor: string | undefined,
  { actor, lists, namespace, signal, isStateless }: ResourceListing,
): Promise<JsonObject> {
  const page = actor && (await cache[ADAPTERS].listResults({ actor, cursor, lists, namespace, signal }))
  const { results = [], nextCursor } = page ?? {}
  return {
    resources: results.map(toResource),
    ...(nextCursor === undefined ? {} : { nextCursor: OWN_CURSOR + nextCursor }),
    ...(isStateless ? NOT_TO_BE_KEPT : {}),
  }
}

/** The hints of 2026-07-28 for what is for one caller, and may be another one at any time. */
export const NOT_TO_BE_KEPT = { ttlMs: 0, cacheScope: 'private' }

function toResource({ refId, label, completedAt, valueBytes }: ResultInfo): JsonObject {
  const age = Math.max(0, systemClock.now() - completedAt.getTime())
  return {
    uri: toResourceUri(refId),
    name: `${label} (${age < 60_000 ? 'just now' : `${ageInWords(age)} ago`})`,
    size: valueBytes,
    annotations: { lastModified: completedAt.toISOString() },
  }
}

/**
 * The answer to `resources/read`.
 * @throws NotFound, PermissionDenied, InvalidArgument, AnswerTooLarge, TaskNotReady, TaskFailed, TaskCancelled
 */
export async function readResource(
  cache: RefCache,
  uri: string,
  { actor, limits, signal, isStateless }: ResourceReader,
): Promise<JsonObject> {
  const refId = referenceIn(uri)
  const response = await cache.get(refId, { actor, limits, signal, full: true })
  const value = finishedValue(response)
  const isResult = response.status === 'complete' && response.isToolResult && isCallResult(value)
  const contents = isResult ? contentsOfResult(uri, value) : [contentOf(uri, value, namesBlock(refId))]
  // Those are its texts, whichever field of the result a client reads.
  await cache[ADAPTERS].checkCeiling(contents.map(({ text = '' }) => text).join('\n'), limits)
  return { contents, ...(isStateless ? NOT_TO_BE_KEPT : {}) }
}

/** Only content blocks are media: data with fields of such names is data. */
function namesBlock(refId: RefId): boolean {
  return /#\/content\/\d+$/.test(refId)
}

function finishedValue(response: CallResponse): JsonValue {
  switch (response.status) {
    case 'complete':
      // `full` gives the whole value, or an error.
      return response.value as JsonValue
    case 'failed':
      throw new TaskFailed(response.error)
    case 'cancelled':
      throw new TaskCancelled('The task behind this resource was cancelled.')
    default:
      throw new TaskNotReady(
        'The task behind this resource is still running. Follow it with get_cached_result, then read the resource.',
      )
  }
}

function contentsOfResult(uri: string, result: CallResult): JsonObject[] {
  const { content, structuredContent } = result
  const media = content.flatMap((block, at) =>
    isMedia(block) ? [blobOf(`${uri}#/content/${at}`, block)] : [],
  )
  const isMediaAlone = media.length === content.length && structuredContent === undefined
  if (media.length > 0 && isMediaAlone)
    return media.length === 1 ? media.map(one => ({ ...one, uri })) : media
  const { value, json } = shownValue(result)
  // In the tool's own bytes, where it gave the JSON as a text.
  const isOwnText = media.length === 0 && json !== undefined
  return [isOwnText ? { uri, mimeType: JSON_TYPE, text: json } : contentOf(uri, value), ...media]
}

const JSON_TYPE = 'application/json'

function contentOf(uri: string, value: JsonValue, isBlock = false): JsonObject {
  if (isBlock && isMedia(value)) return blobOf(uri, value)
  if (typeof value !== 'string') return { uri, mimeType: JSON_TYPE, text: stringifyJson(value) }
  const parsed = parsedJson(value)
  return { uri, mimeType: typeof parsed === 'object' ? JSON_TYPE : 'text/plain', text: value }
}

function blobOf(uri: string, block: JsonObject): JsonObject {
  const { mimeType = 'application/octet-stream', base64 } = mediaOf(block)
  return { uri, mimeType, blob: base64 }
}

const RESOURCE_NOT_FOUND_2025 = -32002
const INVALID_PARAMS = -32602
const INTERNAL_ERROR = -32603

/** The caller can ask better. */
const FAULTS = [InvalidArgument, PermissionDenied, AnswerTooLarge, ValueTooLarge]

/** The error that a request about a resource is answered with. Unknown, expired, and somebody else's are one. */
export function toResourceError(error: unknown, uri: string, isStateless: boolean): RpcError {
  const { code, message } = toWireError(error instanceof RefCacheError ? error : internalError(error))
  if (error instanceof NotFound) {
    // By these two, clients of the SDK know that there is no such resource.
    const number = isStateless ? INVALID_PARAMS : RESOURCE_NOT_FOUND_2025
    return boundedError({ code: number, message, data: { uri } })
  }
  return boundedError({
    code: FAULTS.some(fault => error instanceof fault) ? INVALID_PARAMS : INTERNAL_ERROR,
    message,
    data: { uri, error_code: code },
  })
}
