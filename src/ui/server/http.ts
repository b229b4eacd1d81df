import { publicMessageOf, RefCacheError, StoreUnavailable } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import type { Problem } from '../api.ts'

/** What answers of the page's server have in common, whoever looks. */

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Nothing of it runs, is shown or is kept elsewhere. */
export const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
}

/** A request that is refused, with the words for it. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: Problem['code'],
    message: string,
  ) {
    super(message)
  }
}

export function invalid(message: string): Refused {
  return new Refused(400, 'invalid_request', message)
}

export function json(body: unknown, status = 200): Response {
  return new Response(stringifyJson(body as JsonValue), {
    status,
    headers: { ...SAFE_HEADERS, 'content-type': 'application/json; charset=utf-8' },
  })
}

export function plain(text: string, status: number): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { ...SAFE_HEADERS, 'content-type': 'text/plain; charset=utf-8' },
  })
}

const STATUS: Readonly<Record<string, number>> = {
  not_found: 404,
  permission_denied: 403,
  invalid_argument: 400,
  task_not_ready: 409,
  value_too_large: 413,
  answer_too_large: 413,
  query_limit: 422,
  queue_full: 429,
  store_unavailable: 503,
  store_full: 507,
}

/**
 * What is told of an error. What nobody planned for could hold anything, and says nothing.
 * @param ownsStore whoever owns a store is told its own words, which name files and hosts
 */
export function problemOf(error: unknown, ownsStore = false): Problem {
  if (error instanceof StoreUnavailable)
    return { code: error.code, message: ownsStore ? error.message : publicMessageOf(error) }
  if (error instanceof Refused || error instanceof RefCacheError)
    return { code: error.code, message: error.message }
  return { code: 'internal', message: 'Something went wrong inside of the server. Try again.' }
}

/** The answer to a request that failed. */
export function problem(error: unknown, ownsStore = false): Response {
  return json(problemOf(error, ownsStore), statusOf(error))
}

function statusOf(error: unknown): number {
  if (error instanceof Refused) return error.status
  return error instanceof RefCacheError ? (STATUS[error.code] ?? 422) : 500
}

/**
 * Refuses what another web page asks for with the cookies of this one. A browser says where a request comes from; what says nothing
 * may look, but do nothing.
 * @throws Refused
 */
export function checkOrigin(request: Request): void {
  const { headers, method } = request
  const site = headers.get('sec-fetch-site')
  const isReading = method === 'GET' || method === 'HEAD'
  // `none`: somebody typed the address.
  if (site !== null && (site === 'same-origin' || (isReading && site === 'none'))) return
  const origin = headers.get('origin')
  if (site === null && (origin === null ? isReading : isOwn(origin, request))) return
  throw new Refused(403, 'forbidden', 'This was asked for by another web page. Open the page itself.')
}

/** Behind a proxy the server may see another scheme than the browser does. */
function isOwn(origin: string, { headers, url }: Request): boolean {
  const host = headers.get('host') ?? new URL(url).host
  return URL.canParse(origin) && new URL(origin).host === host
}

const MOST_BYTES = 1024 * 1024

/** @throws Refused for what is no JSON, or too much of it */
export async function bodyOf(request: Request): Promise<JsonValue> {
  const type = request.headers.get('content-type') ?? ''
  if (!/^application\/json\s*(?:;|$)/i.test(type)) {
    throw new Refused(415, 'invalid_request', 'The body has to be JSON: content-type: application/json.')
  }
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > MOST_BYTES)
      throw new Refused(413, 'invalid_request', `The body may have ${MOST_BYTES} bytes.`)
    text += decoder.decode(chunk, { stream: true })
  }
  try {
    return parseJson(text + decoder.decode())
  } catch {
    throw invalid('The body is no JSON.')
  }
}
