import { NotFound } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'

/** Where entries stand as resources of MCP. The authority is empty: the path is the reference. */
const ROOT = 'refcache:///'

export const RESOURCE_URI_TEMPLATE = `${ROOT}{ref_id}`

/** A longer one names nothing: a part has at most 8,192 characters, and each may be written as nine. */
const LONGEST_URI = 100_000

/** Half a character, which no URI can hold. A key with one is not found by the URI. */
const LONE_SURROGATE = /\p{Surrogate}/gu

/** The URI of an entry, or of a part of one. */
export function toResourceUri(reference: RefId): string {
  const hash = reference.indexOf('#')
  if (hash < 0) return ROOT + reference
  const steps = reference
    .slice(hash + 1)
    .split('/')
    .map(step => encodeURIComponent(step.replace(LONE_SURROGATE, '\ufffd')))
  return `${ROOT}${reference.slice(0, hash)}#${steps.join('/')}`
}

export function isResourceUri(uri: unknown): uri is string {
  return typeof uri === 'string' && uri.startsWith(ROOT)
}

/**
 * Whether a URI is about a cache of that name, however it is written: what is meant for us, reference and all, is for nobody else to
 * answer.
 */
export function isResourceOf(cacheName: string, uri: unknown): uri is string {
  if (typeof uri !== 'string' || !/^refcache:/i.test(uri)) return false
  return decoded(uri.slice('refcache:'.length))
    .split('/')
    .some(step => step.startsWith(`${cacheName}:`))
}

/** The reference that a URI names. Clients that fill in the template write `:`, `#` and `/` as %3A, %23 and %2F. */
export function referenceIn(uri: string): RefId {
  if (!isResourceUri(uri) || uri.length > LONGEST_URI) throw new NotFound()
  return decoded(uri.slice(ROOT.length))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A % that stands for itself.
    return text
  }
}
