import { cutText } from '../../core/cut-text.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { pointerOf, stepsOfPointer } from '../../core/part.ts'
import { hint } from '../../core/suggest.ts'

/** An operation of JSON Patch (RFC 6902). Paths are JSON Pointers into the value as it is shown. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace' | 'test'; readonly path: string; readonly value: JsonValue }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'move' | 'copy'; readonly from: string; readonly path: string }

/** Puts a text in the place of another one. */
export interface FindReplace {
  /** Exact, to the last character. It must occur once, unless `all` is set. */
  readonly find: string
  readonly replace: string
  /** Replaces every occurrence. @defaultValue false */
  readonly all?: boolean | undefined
  /** The text in which to look, where that stands in a JSON value. @defaultValue the value, which must be a text */
  readonly path?: string | undefined
}

/** One change of a value. */
export type Edit = PatchOperation | FindReplace

/** The same, checked, with pointers as steps. `number` counts from 1. */
export type CheckedEdit = { readonly number: number; readonly name: string } & (
  | { readonly op: 'test'; readonly path: readonly string[]; readonly value: JsonValue }
  | {
      readonly op: 'add' | 'replace'
      readonly path: readonly string[]
      readonly value: JsonValue
      /** The text that `value` came as: for where a text stands. */
      readonly valueForText?: string
    }
  | { readonly op: 'remove'; readonly path: readonly string[] }
  | { readonly op: 'move' | 'copy'; readonly from: readonly string[]; readonly path: readonly string[] }
  | {
      readonly op: 'find'
      readonly find: string
      readonly replace: string
      /** The same within a string of JSON, where that differs. */
      readonly replaceInString?: string
      readonly all: boolean
      readonly path: readonly string[] | undefined
    }
)

export const MAX_EDITS = 1_000

const LONGEST_FIND = 1_000_000

const OPERATIONS = {
  add: ['value'],
  replace: ['value'],
  test: ['value'],
  remove: [],
  move: ['from'],
  copy: ['from'],
} as const

const LONGEST_SHOWN = 200

/** @throws InvalidArgument for what is no list of edits */
export function checkEdits(edits: unknown): CheckedEdit[] {
  if (!Array.isArray(edits) || edits.length === 0 || edits.length > MAX_EDITS) {
    throw new InvalidArgument(
      `Edits are a list of 1 to ${MAX_EDITS}: operations of JSON Patch ({"op":"replace","path":"/a/0","value":…}), or {"find":"…","replace":"…"} on a text.`,
    )
  }
  return edits.map((edit, at) => checkEdit(edit as JsonValue, at + 1))
}

function checkEdit(edit: JsonValue, number: number): CheckedEdit {
  const refuse = (message: string) => new InvalidArgument(`Edit ${number}: ${message}`)
  if (!isJsonObject(edit))
    throw refuse('An edit is an object with "op" and "path", or with "find" and "replace".')
  return 'find' in edit && !('op' in edit)
    ? checkFind(edit, number, refuse)
    : checkOperation(edit, number, refuse)
}

type Refuse = (message: string) => InvalidArgument

function checkFind(
  { find, replace, all = false, path, ...rest }: JsonObject,
  number: number,
  refuse: Refuse,
): CheckedEdit {
  checkMembers(rest, ['find', 'replace', 'all', 'path'], refuse)
  if (typeof find !== 'string' || find === '')
    throw refuse('"find" is the text to look for, of one character or more.')
  if (find.length > LONGEST_FIND)
    throw refuse(`"find" has more than ${LONGEST_FIND} characters. Give the part of it that is to change.`)
  if (typeof replace !== 'string') throw refuse('"replace" is the text that takes its place; "" removes it.')
  if (typeof all !== 'boolean') throw refuse('"all" is true or false.')
  const steps = path === undefined ? undefined : pathOf(path, 'path', refuse)
  return { number, name: `Edit ${number} (find)`, op: 'find', find, replace, all, path: steps }
}

function checkOperation(edit: JsonObject, number: number, refuse: Refuse): CheckedEdit {
  const { op, path, from, value } = edit
  if (typeof op !== 'string' || !Object.hasOwn(OPERATIONS, op)) {
    const known = Object.keys(OPERATIONS)
    throw refuse(`"op" is one of ${known.join(', ')}; on a text, use {"find":"…","replace":"…"}.`)
  }
  const needed = OPERATIONS[op as keyof typeof OPERATIONS]
  // RFC 6902: what an operation has besides is ignored.
  for (const name of needed) if (edit[name] === undefined) throw refuse(`"${op}" needs "${name}".`)
  const steps = pathOf(path, 'path', refuse)
  const about = { number, name: `Edit ${number} (${op} ${shownPointer(steps)})`, path: steps }
  if (op === 'move' || op === 'copy') return { ...about, op, from: pathOf(from, 'from', refuse) }
  if (op === 'remove') return { ...about, op }
  return { ...about, op: op as 'add' | 'replace' | 'test', value: value as JsonValue }
}

function checkMembers(edit: JsonObject, known: readonly string[], refuse: Refuse): void {
  for (const name of Object.keys(edit)) {
    if (!known.includes(name))
      throw refuse(`There is no "${cutText(name, 50)}". ${hint(name.slice(0, 50), known)}`)
  }
}

function pathOf(path: JsonValue | undefined, name: string, refuse: Refuse): string[] {
  // As answers write it, and as a fragment of a reference.
  const pointer = typeof path === 'string' && path.startsWith('#') ? path.slice(1) : path
  if (typeof pointer !== 'string' || (pointer !== '' && !pointer.startsWith('/'))) {
    throw refuse(`"${name}" is a JSON Pointer, such as "/rows/17/2"; "" is the whole value.`)
  }
  try {
    return stepsOfPointer(pointer)
  } catch (error) {
    throw refuse((error as Error).message)
  }
}

/** A pointer in an answer, as a fragment of a reference. */
export function shownFragment(steps: readonly string[]): string {
  return cutText(`#${pointerOf(steps)}`, LONGEST_SHOWN)
}

/** A pointer in a message. */
export function shownPointer(steps: readonly string[]): string {
  return cutText(steps.length === 0 ? '""' : pointerOf(steps), LONGEST_SHOWN)
}
