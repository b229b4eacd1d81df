import { InvalidArgument } from './errors.ts'
import { isForeignRef, isRefOf, type RefId, refLengthOf } from './ref.ts'

/** What of a value a reference with a fragment names: `#/json/pointer` (RFC 6901), `#L10-L20` or `#L10` (lines from 1). */
export type Part =
  | { readonly kind: 'pointer'; readonly steps: readonly string[] }
  | { readonly kind: 'lines'; readonly first: number; readonly last: number }

/** A reference as it was written: of a whole value, or of a part of it. */
export interface Reference {
  readonly refId: RefId
  readonly part?: Part
}

/** Enough for any place that a reader could have seen. Beyond it nothing is looked up. */
const LONGEST_POINTER = 8_192
const MOST_STEPS = 1_000

const LINES = /^L(\d{1,10})(?:-L(\d{1,10}))?$/

/**
 * The reference that a text is. Undefined where it is none of this cache: then it is a text like any other.
 * @throws InvalidArgument where what follows a full reference names no part
 */
export function toReference(cacheName: string, text: unknown): Reference | undefined {
  if (isRefOf(cacheName, text)) return { refId: text }
  const length = refLengthOf(cacheName)
  if (typeof text !== 'string' || text[length] !== '#') return undefined
  const refId = text.slice(0, length)
  return isRefOf(cacheName, refId) ? { refId, part: parsePart(text.slice(length + 1)) } : undefined
}

/** The reference of some other cache that a text is, or names a part of. */
export function toForeignReference(cacheName: string, text: string): RefId | undefined {
  const hash = text.indexOf('#')
  const refId = hash < 0 ? text : text.slice(0, hash)
  return isForeignRef(cacheName, refId) ? refId : undefined
}

function parsePart(fragment: string): Part {
  if (fragment === '' || fragment.startsWith('/')) return { kind: 'pointer', steps: stepsOfPointer(fragment) }
  const [, from, to = from] = (fragment.length < 30 && LINES.exec(fragment)) || []
  if (from === undefined) {
    throw new InvalidArgument(
      'After the # of a reference comes a JSON Pointer (#/items/3/name) or lines of a text (#L10-L20).',
    )
  }
  const [first, last] = [Number(from), Number(to)]
  if (first < 1 || last < first) {
    throw new InvalidArgument('Lines count from 1, the first before the last: #L10-L20, or #L10 for one.')
  }
  return { kind: 'lines', first, last }
}

/** The steps of a JSON Pointer: of '' none, else it begins with a slash. @throws InvalidArgument */
export function stepsOfPointer(pointer: string): string[] {
  if (pointer.length > LONGEST_POINTER) {
    throw new InvalidArgument(`A JSON Pointer has at most ${LONGEST_POINTER} characters.`)
  }
  const [, ...steps] = pointer.split('/')
  if (steps.length > MOST_STEPS) throw new InvalidArgument(`A JSON Pointer has at most ${MOST_STEPS} levels.`)
  if (/~(?![01])/.test(pointer)) {
    throw new InvalidArgument('In a JSON Pointer, ~ is written as ~0 and / within a key as ~1.')
  }
  return steps.map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** A part as it is written behind the `#` of a reference. */
export function fragmentOf(part: Part): string {
  return part.kind === 'lines' ? `L${part.first}-L${part.last}` : pointerOf(part.steps)
}

/** Steps as a JSON Pointer. */
export function pointerOf(steps: readonly (string | number)[]): string {
  return steps.map(step => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
