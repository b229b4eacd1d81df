import { createHash } from 'node:crypto'
import type { Attributes } from '@opentelemetry/api'
import { RefCacheError } from '../../core/errors.ts'
import { sessionDigest } from '../../core/hidden-session.ts'
import type { RefId } from '../../core/ref.ts'
import { valuePieces } from '../../core/serialize-pieces.ts'
import { ATTRIBUTES, VALUES } from './names.ts'

/** What a span may hold beyond names and numbers. Each may be private. */
export type Captured = (typeof CAPTURED)[number]

export const CAPTURED = ['arguments', 'results', 'errors', 'references'] as const

const SYSTEM_CODE = /^(?:E[A-Z0-9]{2,20}|ERR_[A-Z0-9_]{1,40})$/

/** Names that come from a client, and a code that comes from a server, are cut here. */
const LONGEST_NAME = 100
/** As much of arguments and results goes into an attribute, in characters of JSON. */
const LONGEST_JSON = 16_384

/** Decides what of a message leaves the process. All that is not captured stays out, or goes as a digest. */
export class Disclosure {
  constructor(private readonly captured: ReadonlySet<Captured>) {}

  reference(refId: RefId | undefined): Attributes {
    if (refId === undefined) return {}
    const id = this.captured.has('references') ? { [ATTRIBUTES.referenceId]: refId } : {}
    return { [ATTRIBUTES.reference]: digestOf(refId), ...id }
  }

  /** As operators are shown sessions everywhere. */
  session(sessionId: string | undefined): Attributes {
    return sessionId === undefined ? {} : { [ATTRIBUTES.session]: sessionDigest(sessionId) }
  }

  arguments(given: unknown): Attributes {
    return this.captured.has('arguments') ? json(ATTRIBUTES.arguments, given) : {}
  }

  result(given: unknown): Attributes {
    return this.captured.has('results') ? json(ATTRIBUTES.result, given) : {}
  }

  /** The text of an error, where it may be told. */
  messageOf(error: unknown): string | undefined {
    if (!this.captured.has('errors')) return undefined
    return String(error instanceof Error ? error.message : error).slice(0, LONGEST_JSON)
  }
}

function digestOf(refId: RefId): string {
  return createHash('sha256').update(refId).digest('hex').slice(0, 16)
}

function json(name: string, given: unknown): Attributes {
  if (given === undefined) return {}
  try {
    return { [name]: beginningOf(given) }
  } catch {
    return {}
  }
}

/** Of a large value no more is written than fits. */
function beginningOf(given: unknown): string {
  let text = ''
  for (const piece of valuePieces(given, true)) {
    text += piece
    if (text.length >= LONGEST_JSON) break
  }
  return text.slice(0, LONGEST_JSON)
}

/** A name that somebody else has chosen, as a span may hold it. */
export function nameOf(given: string): string {
  return given.slice(0, LONGEST_NAME)
}

/** A revision of MCP, which a client says of itself. */
export function revisionOf(given: string | undefined): Attributes {
  const isDate = given !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(given)
  return isDate ? { [ATTRIBUTES.revision]: given } : {}
}

/** A class of errors, never its words: a code of this package, or of the system; else the name of the class in the program. */
export function errorTypeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return VALUES.other
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && (error instanceof RefCacheError || SYSTEM_CODE.test(code))) return code
  const { name } = error.constructor ?? {}
  return typeof name === 'string' && /^\w{1,60}$/.test(name) && name !== 'Error' ? name : VALUES.other
}
