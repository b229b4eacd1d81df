import { inspect } from 'node:util'
import { cutText } from './cut-text.ts'

const MAX_LENGTH = 2_000
const MAX_CAUSES = 4

/** Messages that say nothing without their cause: `fetch` of Node (undici) puts the reason there. */
const TELLS_NOTHING = new Set(['', 'fetch failed', 'terminated'])

/**
 * What was thrown, in words: the message of an error, with those of its causes where it says nothing by itself or has
 * several (AggregateError), or what a thrown value shows. At most about 2,000 characters, no stack. Never throws.
 */
export function errorText(thrown: unknown): string {
  return cutText(withCauses(thrown) || 'The tool failed without a message.', MAX_LENGTH)
}

/** What was thrown, or an ordinary error around it where even `instanceof` throws (a Proxy). */
export function asInspectable(thrown: unknown): unknown {
  try {
    void (thrown instanceof Error)
    return thrown
  } catch {
    return new Error('The tool threw a value that cannot be looked at.', { cause: thrown })
  }
}

function withCauses(thrown: unknown): string {
  const message = messageOf(thrown)
  const causes = causesOf(thrown, message)
  const texts = causes.slice(0, MAX_CAUSES).map(causeText).filter(Boolean)
  if (texts.length === 0) return message
  const more = causes.length > MAX_CAUSES ? `; and ${causes.length - MAX_CAUSES} more` : ''
  return `${message ? `${message}: ` : ''}${texts.join('; ')}${more}`
}

/** Its own causes too: `fetch failed` has an AggregateError as its cause, with an error for each address that was tried. */
function causeText(cause: unknown): string {
  const message = messageOf(cause)
  const [next] = causesOf(cause, message)
  const text = message || (next === undefined ? '' : messageOf(next)) || codeOf(cause)
  return cutText(text, MAX_LENGTH / MAX_CAUSES)
}

function causesOf(thrown: unknown, message: string): readonly unknown[] {
  const errors = read(thrown, 'errors')
  if (Array.isArray(errors)) return errors
  const cause = TELLS_NOTHING.has(message) ? read(thrown, 'cause') : undefined
  return cause === undefined || cause === thrown ? [] : [cause]
}

function codeOf(thrown: unknown): string {
  const code = read(thrown, 'code')
  return typeof code === 'string' ? code : ''
}

function messageOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown
  const message = read(thrown, 'message')
  if (typeof message === 'string') return message
  if (typeof message === 'number' || typeof message === 'boolean' || typeof message === 'bigint') {
    return String(message)
  }
  return isError(thrown) ? '' : `The tool threw ${shown(thrown)}.`
}

/** Only what stands at the top: what lies deeper (headers, a request) was hardly meant to be read. */
function shown(value: unknown): string {
  if (typeof value === 'function') return 'a function'
  try {
    return inspect(value, { depth: 0, maxArrayLength: 10, maxStringLength: 500, customInspect: false })
  } catch {
    return 'a value that cannot be shown'
  }
}

function isError(value: unknown): boolean {
  return asInspectable(value) === value && value instanceof Error
}

/** Reads a property that may throw. */
function read(value: unknown, name: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[name]
  } catch {
    return undefined
  }
}
