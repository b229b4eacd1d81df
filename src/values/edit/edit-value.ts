import { InvalidArgument, RefCacheError, ValueTooLarge } from '../../core/errors.ts'
import { pointerOf } from '../../core/part.ts'
import type { Steps } from '../../core/steps.ts'
import type { Change } from './change.ts'
import { ConcealedValues } from './concealed.ts'
import type { EditableResult } from './editables.ts'
import { type Editable, hasParts, holds, jsonTextAt, patch, refreshOutdated, test } from './edited-text.ts'
import { type CheckedEdit, shownFragment, shownPointer } from './edits.ts'
import { jsonAt } from './patch.ts'
import { put, putRevealed, type StoredText } from './put.ts'
import { notFound, type Replaced, replaceIn, replaceInString, type Scope } from './replace-text.ts'
import { Room } from './room.ts'

/** A stored value after its edits. */
export interface EditedValue {
  readonly stored: StoredText
  /** The same with marks in the places of values that the caller may not see. */
  readonly marked: StoredText
  /** What is shown of it: texts, and JSON. */
  readonly shown: readonly string[]
  /** The first changed places, in the order of the edits. */
  readonly changes: readonly Change[]
  /** Changed places that are not among them. */
  readonly moreChanges: number
}

export interface EditLimits {
  /** Of the whole, in UTF-16 units. */
  readonly maxLength: number
  /** Values that the caller may not see. */
  readonly concealed?: ConcealedValues
}

const MOST_CHANGES = 10

/** UTF-16 units that the edits of one call may read: each of them reads the whole text. */
const MOST_READ = 250_000_000

/**
 * Makes all edits, one after the other, or none.
 * @throws InvalidArgument with the number of the edit that cannot be made, and why; ValueTooLarge
 */
export function* editValue(
  stored: StoredText,
  { editables, itemTexts }: EditableResult,
  edits: readonly CheckedEdit[],
  limits: EditLimits,
): Steps<EditedValue> {
  const changes: Change[] = []
  const { maxLength, concealed = new ConcealedValues('') } = limits
  const room = new Room(stored.text.length, maxLength)
  let [count, read] = [0, 0]
  for (const [done, edit] of edits.entries()) {
    const length = lengthOf(editables)
    checkWork(read, edits.length - done, length)
    read += length
    try {
      const made = yield* apply(editables, edit, { room, concealed })
      changes.push(...made.changes.slice(0, MOST_CHANGES - changes.length))
      count += made.count
    } catch (error) {
      throw numbered(edit, error, concealed)
    }
  }
  for (const one of editables) if (one.isChanged) yield* refreshOutdated(one, room)
  const result = { editables, ...(itemTexts ? { itemTexts } : {}) }
  const marked = yield* put(stored, result, room)
  return {
    stored: concealed.count === 0 ? marked : yield* putRevealed(stored, result, concealed),
    marked,
    shown: editables.map(({ replicas }) => replicas[0]?.text ?? ''),
    changes: changes.map(change => concealed.hideInChange(change)),
    moreChanges: count - changes.length,
  }
}

function lengthOf(editables: readonly Editable[]): number {
  return editables.reduce(
    (sum, { replicas }) => sum + replicas.reduce((all, { text }) => all + text.length, 0),
    0,
  )
}

/** @throws ValueTooLarge; one edit alone is always made */
function checkWork(read: number, edits: number, length: number): void {
  if (read + edits * length <= MOST_READ || (read === 0 && edits === 1)) return
  throw new ValueTooLarge(
    `So many edits of a value of ${length} characters are too much for one call. Make at most ${Math.max(1, Math.floor(MOST_READ / length))}, then edit the copy.`,
  )
}

function numbered({ name }: CheckedEdit, error: unknown, concealed: ConcealedValues): unknown {
  if (!(error instanceof RefCacheError)) return error
  const message = `${name}: ${concealed.hideIn(error.message)}`
  return error instanceof ValueTooLarge ? new ValueTooLarge(message) : new InvalidArgument(message)
}

const NOTHING: Replaced = { changes: [], count: 0 }

function* apply(editables: readonly Editable[], edit: CheckedEdit, scope: Scope): Steps<Replaced> {
  const { room } = scope
  switch (edit.op) {
    case 'find':
      return yield* findAndReplace(editables, edit, scope)
    case 'test': {
      const { of, path } = yield* lead(editables, edit.path)
      yield* test(of, path, edit.value, scope.concealed)
      return NOTHING
    }
    case 'move':
    case 'copy':
      return yield* moveOrCopy(editables, edit, room)
    default:
      return yield* change(editables, edit, room)
  }
}

function* change(
  editables: readonly Editable[],
  edit: CheckedEdit & { op: 'add' | 'replace' | 'remove' },
  room: Room,
): Steps<Replaced> {
  const { op, path: asked } = edit
  const { of, path } = yield* lead(editables, asked, op === 'add')
  const shown = yield* patch(of, op, path, room, edit.op === 'remove' ? {} : edit)
  return { changes: [{ at: shownFragment(asked), ...shown }], count: 1 }
}

function* moveOrCopy(
  editables: readonly Editable[],
  edit: CheckedEdit & { op: 'move' | 'copy' },
  room: Room,
): Steps<Replaced> {
  const { op, from: source, path: asked } = edit
  const from = yield* lead(editables, source)
  const isInside = source.every((step, at) => asked[at] === step)
  if (op === 'move' && isInside) {
    if (source.length === asked.length) return NOTHING
    throw new InvalidArgument('A value cannot be moved into itself.')
  }
  const jsons: string[] = []
  for (const replica of from.of.replicas) {
    const { inner } = replica
    const isThere = inner.every((step, at) => from.path[at] === step)
    jsons.push(
      isThere && from.path.length > 0
        ? yield* jsonAt(replica.text, from.path.slice(inner.length))
        : (jsons[0] ?? (yield* jsonTextAt(from.of, from.path))),
    )
  }
  if (op === 'move') yield* patch(from.of, 'remove', from.path, room)
  const to = yield* lead(editables, asked, true)
  const json = (replica: number) => (to.of === from.of ? jsons[replica] : undefined) ?? (jsons[0] as string)
  const shown = yield* patch(to.of, 'add', to.path, room, { json })
  return { changes: [{ at: shownFragment(asked), from: shownFragment(source), ...shown }], count: 1 }
}

type FindEdit = CheckedEdit & { op: 'find' }

function* findAndReplace(editables: readonly Editable[], edit: FindEdit, scope: Scope): Steps<Replaced> {
  if (edit.path !== undefined) {
    const { of, path } = yield* lead(editables, edit.path)
    if (path.length > 0) return yield* replaceInString(of, path, edit, scope)
    if (of.kind === 'text') return yield* replaceInTexts([of], edit, scope)
    throw new InvalidArgument('There is no text: give the path of one.')
  }
  const texts = editables.filter(({ kind }) => kind === 'text')
  if (texts.length > 0) return yield* replaceInTexts(texts, edit, scope)
  throw new InvalidArgument(
    'The value is JSON, not a text: use {"op":"replace","path":"/…","value":…}, or add the "path" of the text in it.',
  )
}

function* replaceInTexts(texts: readonly Editable[], edit: FindEdit, scope: Scope): Steps<Replaced> {
  const changes: Change[] = []
  let count = 0
  for (const text of texts) {
    const replaced = yield* replaceIn(text, edit, scope)
    count += replaced.count
    const named =
      texts.length > 1
        ? replaced.changes.map(change => ({ ...change, at: `${blockOf(text)} ${change.at}` }))
        : replaced.changes
    changes.push(...named)
  }
  if (count === 0) {
    const closest = texts.find(({ replicas }) => scope.concealed.isIn(replicas[0]?.text ?? '')) ?? texts[0]
    throw yield* notFound(closest?.replicas[0]?.text ?? '', edit.find, scope.concealed)
  }
  if (count > 1 && !edit.all) {
    throw new InvalidArgument(
      'The text occurs in several blocks of the result. Add the "path" of the one you mean (/content/0), or "all": true.',
    )
  }
  return { changes, count }
}

function blockOf({ names }: Editable): string {
  return `#${pointerOf(names.at(-1)?.path ?? [])}`
}

interface Lead {
  readonly of: Editable
  readonly path: readonly string[]
}

const POSITION = /^(-|0|[1-9]\d{0,15})$/

/** Where the pointer is that of a new item of a list. */
function* listIn(of: Editable, path: readonly string[]): Steps<readonly string[] | undefined> {
  for (const { path: name, within } of of.names) {
    if (name.length >= path.length || !name.every((step, at) => path[at] === step)) continue
    const inside = [...within, ...path.slice(name.length)]
    const around = inside.slice(0, -1)
    if ((yield* holds(of, around, false)) && (yield* jsonTextAt(of, around)).startsWith('[')) return inside
  }
  return undefined
}

/** The part of the value that a pointer leads into. @throws InvalidArgument where it leads nowhere */
function* lead(editables: readonly Editable[], path: readonly string[], asTarget = false): Steps<Lead> {
  let nearest: Lead | undefined
  const isPosition = asTarget && POSITION.test(path.at(-1) ?? '')
  for (const of of editables) {
    // An object takes any key: a position is first one of the list that it wraps.
    const list = isPosition ? yield* listIn(of, path) : undefined
    if (list) return { of, path: list }
    for (const name of of.names) {
      if (!name.path.every((step, at) => path[at] === step)) continue
      const inside = [...name.within, ...path.slice(name.path.length)]
      if (yield* holds(of, inside, asTarget)) return { of, path: inside }
      nearest ??= { of, path: inside }
    }
  }
  if (!nearest) {
    const blocks = editables.map(blockOf).join(', ')
    throw new InvalidArgument(
      `Nothing is at ${shownPointer(path)}. The result has several texts: begin with one of ${blocks}.`,
    )
  }
  if (!(yield* hasParts(nearest.of))) {
    throw new InvalidArgument('The value is a text that is no JSON: use {"find":"…","replace":"…"}.')
  }
  // Says what is there instead.
  if (!asTarget) yield* jsonTextAt(nearest.of, nearest.path)
  return nearest
}
