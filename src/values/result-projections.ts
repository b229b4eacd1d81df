import { ENTRY_STATUSES } from '../core/entry.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts'
import { cacheNameOf, isRefOf } from '../core/ref.ts'
import type { Steps } from '../core/steps.ts'
import {
  type CallResult,
  fieldsOfResult,
  isCallResult,
  resultValue,
  shownResultValue,
} from './call-result.ts'
import { textEqualsJson } from './equal-json.ts'
import { type Media, mediaCharacters } from './media.ts'
import type { Shown, Used, Wrapping } from './projection.ts'
import { isReturnedResult } from './returned-result.ts'

/** The result of another server's tool: always a CallToolResult. */
export const PROXIED_RESULT = 'call-tool-result'

/** What a handler returned: a CallToolResult or any other value. */
export const RETURNED_RESULT = 'returned-result'

/** The same for a tool with `envelope: 'always'`: shown like any result, and passed on as a value. */
export const ENVELOPED_RESULT = 'enveloped-result'

/** Clients of the SDK close the connection at a message of 10 MB. */
const MAX_FULL_BYTES = 9 * 1024 * 1024

/**
 * What previews, pages and arguments have of a stored CallToolResult: its value, free of the protocol's envelope. Every cache
 * knows these projections, so that every process of a store shows a result alike.
 */
export const RESULT_PROJECTIONS: Readonly<Record<string, Wrapping>> = {
  [PROXIED_RESULT]: {
    *show(stored) {
      return { ...(isCallResult(stored) ? yield* showResult(stored) : { value: stored }), isToolResult: true }
    },
    *use(stored) {
      return isCallResult(stored) ? yield* useResult(stored) : { value: stored }
    },
    fullLimitBytes: MAX_FULL_BYTES,
  },
  [RETURNED_RESULT]: {
    *show(stored) {
      return isReturnedResult(stored) ? { ...(yield* showResult(stored)), isToolResult: true } : undefined
    },
    use: useReturned,
    fullLimitBytes: MAX_FULL_BYTES,
  },
  [ENVELOPED_RESULT]: {
    *show(stored) {
      return isReturnedResult(stored) ? yield* showResult(stored) : undefined
    },
    use: useReturned,
    fullLimitBytes: MAX_FULL_BYTES,
  },
}

function* showResult(stored: CallResult): Steps<Shown> {
  const { value, texts, media, uri, blocks } = yield* shownResultValue(stored)
  const mediaBytes = mediaCharacters(stored.content)
  const about = {
    ...(uri === undefined || uri.length > MAX_URI ? {} : { uri }),
    ...describeMedia(media),
  }
  return {
    value,
    ...(texts ? { texts } : {}),
    fields: fieldsOfResult(stored),
    ...(blocks ? { blocks } : {}),
    ...((yield* isReferenceAnswer(stored)) ? { wholeUpTo: ANSWER_TOKENS } : {}),
    ...(mediaBytes > 0 ? { mediaBytes } : {}),
    ...(Object.keys(about).length > 0 ? { about } : {}),
    ...(isJsonObject(stored._meta) ? { meta: stored._meta } : {}),
  }
}

function* useReturned(stored: JsonValue): Steps<Used> {
  return isReturnedResult(stored) ? yield* useResult(stored) : { value: stored }
}

function* useResult(stored: CallResult): Steps<Used> {
  const { value, json, forms } = yield* resultValue(stored)
  return { value, forms, result: stored, ...(json === undefined ? {} : { text: json }) }
}

/** The most that an answer of another wrapper may have: it has been cut to what its reader asked for. */
const ANSWER_TOKENS = 25_000

/**
 * Whether the server is a wrapper itself, and this is what it says of a reference of its own: a page, a preview, a handle. To
 * cut it again would hide what was asked for. A server that only pretends gains a longer answer.
 */
function* isReferenceAnswer({ content, structuredContent }: CallResult): Steps<boolean> {
  if (!isJsonObject(structuredContent)) return false
  const { ref_id, status, is_complete, is_async } = structuredContent
  const named = typeof ref_id === 'string' && isRefOf(cacheNameOf(ref_id), ref_id)
  if (!named || !ENTRY_STATUSES.some(one => one === status)) return false
  if (typeof is_complete !== 'boolean' || typeof is_async !== 'boolean') return false
  for (const block of content) {
    const text = isJsonObject(block) ? block.text : undefined
    if (typeof text !== 'string' || !(yield* textEqualsJson(text, structuredContent))) return false
  }
  return true
}

/** A longer address is left out: cut, it would be another one. It stands in `full`. */
const MAX_URI = 2_000
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
