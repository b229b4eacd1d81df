import { cutText } from '../../core/cut-text.ts'
import { InvalidArgument } from '../../core/errors.ts'
import type { Steps } from '../../core/steps.ts'
import { nearestFirst } from '../../core/suggest.ts'
import { shownPointer } from './edits.ts'
import { type Container, type Located, locate, type Member, search } from './json-places.ts'
import { type JsonStyle, styleOf } from './json-style.ts'
import type { Grow } from './room.ts'

/** Writes what is put into a JSON text, in its style. `indent` is that of the line; absent: all on one line. */
export type WriteJson = (style: JsonStyle, indent: string | undefined) => string

/** A JSON text after one change, and the JSON that stood and stands at the changed place. */
export interface Patched {
  readonly text: string
  readonly before?: string
  readonly after?: string
}

/** The JSON at a pointer. @throws InvalidArgument where it leads nowhere */
export function* jsonAt(text: string, path: readonly string[]): Steps<string> {
  const { start, end } = (yield* found(text, path)).place
  return text.slice(start, end)
}

/** Whether something is there, or with `asTarget` could be added there. */
export function* leadsSomewhere(text: string, path: readonly string[], asTarget: boolean): Steps<boolean> {
  const located = yield* locate(text, path)
  if (located.kind === 'found') return true
  return asTarget && located.depth === path.length - 1 && located.around !== undefined
}

/** @throws InvalidArgument where nothing is there; what `grow` throws */
export function* replaceAt(
  text: string,
  path: readonly string[],
  write: WriteJson,
  grow: Grow,
): Steps<Patched> {
  const { place } = yield* found(text, path)
  const after = write(styleOf(text), place.member ? indentOf(text, place.member) : '')
  return {
    text: spliced(text, place.start, place.end, after, grow),
    before: text.slice(place.start, place.end),
    after,
  }
}

/** @throws InvalidArgument where nothing is there, or all would go */
export function* removeAt(text: string, path: readonly string[], grow: Grow): Steps<Patched> {
  if (path.length === 0) throw new InvalidArgument('The whole value cannot be removed.')
  const { place, around } = yield* found(text, path)
  let rest = yield* withoutMember(text, around as Container, grow)
  // Of several members with one key, the ones before would show up again.
  for (let more = yield* locate(rest, path); isMember(around, more); more = yield* locate(rest, path))
    rest = yield* withoutMember(rest, more.around as Container, grow)
  return { text: rest, before: text.slice(place.start, place.end) }
}

function isMember(around: Container | undefined, more: Located): boolean {
  return around?.kind === 'object' && more.kind === 'found'
}

function* withoutMember(text: string, { start, member }: Container, grow: Grow): Steps<string> {
  const { start: from, end, previousEnd, nextStart } = member as Member
  if (nextStart !== undefined) return spliced(text, from, nextStart, '', grow)
  if (previousEnd !== undefined) return spliced(text, previousEnd, end, '', grow)
  const { close = end } = (yield* search(text, start, undefined)) ?? {}
  return spliced(text, start + 1, close, '', grow)
}

/** As JSON Patch has it: into a list before that position or at its end (`-`), into an object also over what is there. */
export function* addAt(text: string, path: readonly string[], write: WriteJson, grow: Grow): Steps<Patched> {
  if (path.length === 0) return yield* replaceAt(text, path, write, grow)
  const step = path.at(-1) as string
  const located = yield* locate(text, path)
  if (located.kind === 'found' && located.around?.kind === 'object')
    return yield* replaceAt(text, path, write, grow)
  if (located.kind === 'missing' && (located.depth < path.length - 1 || !located.around))
    throw missing(text, path, located)
  const around = located.around as Container
  if (located.kind === 'missing' && around.kind === 'list' && step !== '-' && step !== String(around.count)) {
    throw missing(text, path, located)
  }
  return insert(text, around, step, write, grow)
}

function insert(text: string, around: Container, step: string, write: WriteJson, grow: Grow): Patched {
  const style = styleOf(text)
  const { kind, start, member, last } = around
  const key = kind === 'object' ? `${JSON.stringify(step)}${style.colon}` : ''
  if (kind === 'list' && member) {
    const after = write(style, indentOf(text, member))
    const gap = member.position > 0 ? gapOf(text, member) : nextGap(text, member, style)
    return { text: spliced(text, member.start, member.start, `${after},${gap}`, grow), after }
  }
  if (last) {
    const after = write(style, indentOf(text, last))
    const gap =
      last.position > 0 || indentOf(text, last) !== undefined ? gapOf(text, last) : style.comma.slice(1)
    return { text: spliced(text, last.end, last.end, `,${gap}${key}${after}`, grow), after }
  }
  const outer = style.unit === undefined ? undefined : lineIndent(text, start)
  const inner = outer === undefined ? undefined : outer + style.unit
  const after = write(style, inner)
  const lines =
    inner === undefined ? `${key}${after}` : `${style.newline}${inner}${key}${after}${style.newline}${outer}`
  return { text: spliced(text, start + 1, around.close as number, lines, grow), after }
}

/** White space before a member. */
function gapOf(text: string, { gapStart, start }: Member): string {
  return text.slice(gapStart, start)
}

/** What will separate a first member from a new one before it. */
function nextGap(text: string, first: Member, style: JsonStyle): string {
  const { end, nextStart } = first
  if (nextStart !== undefined) return text.slice(text.indexOf(',', end) + 1, nextStart)
  return indentOf(text, first) === undefined ? style.comma.slice(1) : gapOf(text, first)
}

/** The indentation of a member that begins a line. */
function indentOf(text: string, member: Member): string | undefined {
  const gap = gapOf(text, member)
  const newline = gap.lastIndexOf('\n')
  return newline < 0 ? undefined : gap.slice(newline + 1)
}

function lineIndent(text: string, position: number): string {
  const start = text.lastIndexOf('\n', position) + 1
  return /^[ \t]*/.exec(text.slice(start, Math.min(position, start + 1_000)))?.[0] ?? ''
}

function spliced(text: string, start: number, end: number, middle: string, grow: Grow): string {
  grow(middle.length - (end - start))
  return text.slice(0, start) + middle + text.slice(end)
}

function* found(text: string, path: readonly string[]): Steps<Located & { kind: 'found' }> {
  const located = yield* locate(text, path)
  if (located.kind === 'found') return located
  throw missing(text, path, located)
}

const MOST_NAMED = 10
const LONGEST_NAME = 60
const LONGEST_TEXT = 120

/** Says where the pointer ends, and what is there. */
function missing(
  text: string,
  path: readonly string[],
  { depth, place, around }: Located & { kind: 'missing' },
) {
  const there =
    depth === 0
      ? 'The value itself'
      : `The deepest part that is there, ${shownPointer(path.slice(0, depth))},`
  const is = around
    ? described(around, path[depth] as string)
    : `is ${cutText(text.slice(place.start, place.end), LONGEST_TEXT)}`
  return new InvalidArgument(`Nothing is at ${shownPointer(path)}. ${there} ${is}.`)
}

function described({ kind, count, keys }: Container, step: string): string {
  if (kind === 'list') {
    return count === 0
      ? 'is an empty list'
      : `is a list with the positions 0 to ${count - 1}${step === '-' ? '; "-" is only for add' : ''}`
  }
  if (count === 0) return 'is an empty object'
  const named = nearestFirst(step, keys).slice(0, MOST_NAMED)
  const more = count > named.length ? `, and ${count - named.length} more` : ''
  return `has the keys ${named.map(key => cutText(key, LONGEST_NAME)).join(', ')}${more}`
}
