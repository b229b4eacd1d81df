import { ENTRY_STATUSES } from '../core/entry.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { cacheNameOf, isRefOf } from '../core/ref.ts'
import { type CallResult, isCallResult, shownValue, textsOf, valueOfResult } from '../values/call-result.ts'
import type { Media } from '../values/media.ts'
import type { Shown, Used, Wrapping } from '../values/projection.ts'
import { parsedJson, sameJson } from '../values/same-json.ts'

/** The name of the projection that shows a stored CallToolResult by what a reader is after. */
export const CALL_RESULT_PROJECTION = 'call-tool-result'

/** What previews, pages and arguments have of a stored CallToolResult: its value, free of the protocol's envelope. */
export const CALL_RESULT: Wrapping = {
  show(stored: JsonValue): Shown {
    if (!isCallResult(stored)) return { value: stored }
    const { value, media, uri } = shownValue(stored)
    const list = listWithin(value)
    const reads = textsOf(stored)
    const about = {
      ...(uri === undefined || uri.length > MAX_URI ? {} : { uri }),
      ...describeMedia(media),
    }
    return {
      value,
      ...(list ? { list } : {}),
      ...(reads === value ? {} : { reads }),
      ...(isReferenceAnswer(stored) ? { wholeUpTo: ANSWER_TOKENS } : {}),
      ...(Object.keys(about).length > 0 ? { about } : {}),
      ...(isJsonObject(stored._meta) ? { meta: stored._meta } : {}),
    }
  },
  use(stored: JsonValue): Used {
    if (!isCallResult(stored)) return { value: stored }
    const { value, json, forms } = valueOfResult(stored)
    return { value, forms, ...(json === undefined ? {} : { text: json }) }
  },
}

/** The most that an answer of another wrapper may have: it has been cut to what its reader asked for. */
const ANSWER_TOKENS = 25_000

/**
 * Whether the server is a wrapper itself, and this is what it says of a reference of its own: a page, a preview, a handle. To
 * cut it again would hide what was asked for. A server that only pretends gains a longer answer.
 */
function isReferenceAnswer({ content, structuredContent }: CallResult): boolean {
  if (!isJsonObject(structuredContent)) return false
  const { ref_id, status, is_complete, is_async } = structuredContent
  const named = typeof ref_id === 'string' && isRefOf(cacheNameOf(ref_id), ref_id)
  if (!named || !ENTRY_STATUSES.some(one => one === status)) return false
  if (typeof is_complete !== 'boolean' || typeof is_async !== 'boolean') return false
  return content.every(block => {
    const parsed = isJsonObject(block) && typeof block.text === 'string' ? parsedJson(block.text) : undefined
    return parsed !== undefined && sameJson(parsed, structuredContent)
  })
}

/** A longer address is left out: cut, it would be another one. It stands in `full`. */
const MAX_URI = 2_000
/** It stands beside every page. Beyond it the object pages as such. */
const MAX_PATH = 200

/** The list that an object is about: its only member, or the only member of that. */
function listWithin(value: JsonValue): Shown['list'] {
  let path = ''
  for (let at = value; isJsonObject(at); ) {
    const [member, ...more] = Object.entries(at)
    if (!member || more.length > 0) return undefined
    path += `/${member[0].replaceAll('~', '~0').replaceAll('/', '~1')}`
    if (path.length > MAX_PATH) return undefined
    at = member[1]
    if (Array.isArray(at)) return { items: at, path }
  }
  return undefined
}

const MAX_MEDIA = 20
/** Of a name that somebody else gave. */
const MAX_NAME = 200

/** Media beside a preview: what they are, never their bytes. */
function describeMedia(media: readonly Media[]): JsonObject {
  if (media.length === 0) return {}
  const described = media.slice(0, MAX_MEDIA).map(({ type, mimeType, uri, bytes }) => ({
    type,
    ...(mimeType === undefined ? {} : { mime_type: mimeType.slice(0, MAX_NAME) }),
    ...(uri === undefined ? {} : { uri: uri.slice(0, MAX_NAME) }),
    bytes,
  }))
  return { media: described, ...(media.length > MAX_MEDIA ? { more_media: media.length - MAX_MEDIA } : {}) }
}
