import { InvalidArgument } from '../../core/errors.ts'
import { parseJson } from '../../core/json-text.ts'
import type { Steps } from '../../core/steps.ts'
import { type Change, shownReplacement } from './change.ts'
import type { ConcealedValues } from './concealed.ts'
import { type Editable, growthOf, patch, primary } from './edited-text.ts'
import { type CheckedEdit, shownFragment } from './edits.ts'
import { absent, ambiguous, lineAt, occurrences, search } from './find-replace.ts'
import { jsonAt } from './patch.ts'
import type { Grow, Room } from './room.ts'

/** Exact find-and-replace: in a text, or in one that stands in JSON. */

type FindEdit = CheckedEdit & { readonly op: 'find' }

/** Places of one replacement that are told one by one. */
const MOST_PLACES = 3

/** What an edit works with. */
export interface Scope {
  readonly room: Room
  readonly concealed: ConcealedValues
}

/** Every place in a text: the changes of the first ones, and how many there are. */
export interface Replaced {
  readonly changes: readonly Change[]
  readonly count: number
}

/** @throws InvalidArgument where the text to find is not there, or not once; ValueTooLarge */
export function* replaceIn(of: Editable, edit: FindEdit, { room, concealed }: Scope): Steps<Replaced> {
  const replica = primary(of)
  const { text: before } = replica
  const check = (by: number) => room.check(by * replica.places.length)
  const { text, first, count } = yield* replaced(before, edit, check, concealed)
  const changes: Change[] = []
  for (const place of first) {
    const line = yield* lineAt(before, place)
    changes.push({ at: `#L${line}`, ...shownReplacement(before, place, edit.find.length, edit.replace) })
  }
  if (count > 0) of.isChanged = true
  growthOf(replica, room)(text.length - before.length)
  replica.text = text
  delete of.isJson
  return { changes, count }
}

/** The same in a text that stands in JSON. */
export function* replaceInString(
  of: Editable,
  path: readonly string[],
  edit: FindEdit,
  { room, concealed }: Scope,
): Steps<Replaced> {
  const inside: unknown = parseJson(yield* jsonAt(primary(of).text, path))
  if (typeof inside !== 'string')
    throw new InvalidArgument('There is no text: use {"op":"replace","path":…,"value":…}.')
  const { replaceInString: replace = edit.replace } = edit
  const check = (by: number) => room.check(by)
  const { text, first, count } = yield* replaced(inside, { ...edit, replace }, check, concealed)
  if (count === 0) throw yield* notFound(inside, edit.find, concealed)
  const changes = first.map(place => ({
    at: shownFragment(path),
    ...shownReplacement(inside, place, edit.find.length, replace),
  }))
  yield* patch(of, 'replace', path, room, { value: text })
  return { changes, count }
}

/** Why a text to find is not there. */
export function* notFound(text: string, find: string, concealed: ConcealedValues): Steps<InvalidArgument> {
  if (!concealed.isIn(text)) return yield* absent(text, find)
  return new InvalidArgument(
    'The text to find is not there. A private value stands there: no edit looks into it or changes a part of it.',
  )
}

interface ReplacedText {
  readonly text: string
  readonly first: readonly number[]
  readonly count: number
}

const PIECES_AT_ONCE = 4_096

/** Private values are passed over. */
function* replaced(
  text: string,
  { find, replace, all }: FindEdit,
  check: Grow,
  concealed: ConcealedValues,
): Steps<ReplacedText> {
  if (!all && (yield* occurrences(text, find, 2, concealed.marksIn(text))).length > 1)
    throw yield* ambiguous(text, find, concealed.marksIn(text))
  const first: number[] = []
  const joined: string[] = []
  let pieces: string[] = []
  let [count, end] = [0, 0]
  const isPrivate = concealed.marksIn(text)
  yield* search(text, find, at => {
    if (isPrivate(at, at + find.length)) return 'passed'
    count++
    check(count * (replace.length - find.length))
    if (first.length < MOST_PLACES) first.push(at)
    pieces.push(text.slice(end, at), replace)
    end = at + find.length
    if (pieces.length >= PIECES_AT_ONCE) {
      joined.push(pieces.join(''))
      pieces = []
    }
    return 'taken'
  })
  joined.push(...pieces, text.slice(end))
  return { text: joined.join(''), first, count }
}
