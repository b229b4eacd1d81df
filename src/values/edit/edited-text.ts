import { InvalidArgument } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import type { Steps } from '../../core/steps.ts'
import { equalJson } from '../equal-json.ts'
import { shownJson } from './change.ts'
import type { ConcealedValues } from './concealed.ts'
import { isJson } from './json-check.ts'
import { locate } from './json-places.ts'
import { styleOf, writeStyled } from './json-style.ts'
import { addAt, jsonAt, leadsSomewhere, type Patched, removeAt, replaceAt, type WriteJson } from './patch.ts'
import type { Grow, Room } from './room.ts'

/** Where a text stands in what is stored. */
export interface StoredPlace {
  /** A JSON Pointer into the stored JSON, as steps. Absent: the text is what is stored. */
  readonly at: readonly string[] | undefined
  /** The text is a string of that JSON, else a part of it. */
  readonly isString: boolean
}

/** A text that says all of a value, or the part of it at `inner`. */
export interface Replica {
  readonly inner: readonly string[]
  readonly places: readonly StoredPlace[]
  text: string
  /** A change around its part of the value: it is written anew from the first replica. */
  isOutdated?: true
}

/** How a pointer into the shown value leads into an editable one: `path` in the place of `within`. */
export interface Name {
  readonly path: readonly string[]
  readonly within: readonly string[]
}

/** A part of a value that is edited as one: it may stand in several places that say the same, and change together. */
export interface Editable {
  readonly kind: 'text' | 'json'
  readonly names: readonly Name[]
  readonly replicas: readonly Replica[]
  isChanged?: true
  /** Whether a text is JSON, once that is known. */
  isJson?: boolean
}

/** The JSON that one of them starts with. */
export function primary({ replicas }: Editable): Replica {
  return replicas[0] as Replica
}

/** Whether pointers lead into it. */
export function* hasParts(of: Editable): Steps<boolean> {
  of.isJson ??= of.kind === 'json' || (yield* isJson(primary(of).text))
  return of.isJson
}

/** Whether the pointer leads to something in it, or with `asTarget` to where something can be added. */
export function* holds(of: Editable, path: readonly string[], asTarget: boolean): Steps<boolean> {
  if (path.length === 0) return true
  return (yield* hasParts(of)) && (yield* leadsSomewhere(primary(of).text, path, asTarget))
}

/** What stands at a pointer, as JSON: of a text that is no JSON, that text. @throws InvalidArgument */
export function* jsonTextAt(of: Editable, path: readonly string[]): Steps<string> {
  const { text } = primary(of)
  if (path.length === 0 && of.kind === 'text' && !(yield* hasParts(of))) return JSON.stringify(text)
  return yield* jsonAt(text, path)
}

/** @throws InvalidArgument where the value differs */
export function* test(
  of: Editable,
  path: readonly string[],
  value: JsonValue,
  concealed: ConcealedValues,
): Steps<void> {
  if (path.length === 0 && of.kind === 'text' && value === primary(of).text) return
  const json = yield* jsonTextAt(of, path)
  if (concealed.isIn(json)) {
    throw new InvalidArgument('A private value stands there: a test compares with values that you may see.')
  }
  yield json.length / 2
  if (equalJson(parseJson(json), value)) return
  throw new InvalidArgument(
    `The test failed: there is ${stringifyJson(shownJson(json) as JsonValue)}. Nothing was changed.`,
  )
}

/** What is put into a JSON text: a value in its style, or JSON in its own bytes. */
export interface Insertion {
  readonly value?: JsonValue
  /** In the place of `value` where a text stands now. */
  readonly valueForText?: string
  readonly json?: (replica: number) => string
}

/** Changes what is at a pointer, in all replicas. */
export function* patch(
  of: Editable,
  op: 'add' | 'replace' | 'remove',
  path: readonly string[],
  room: Room,
  insertion: Insertion = {},
): Steps<Sides> {
  of.isChanged = true
  if (path.length === 0 && of.kind === 'text') return yield* replaceText(of, op, room, insertion)
  let shown: Patched | undefined
  for (const [number, replica] of of.replicas.entries()) {
    const inside = pathIn(replica, op, path)
    if (!inside) continue
    const write = yield* writerFor(replica, inside, insertion, number, room)
    const grow = growthOf(replica, room)
    const patched =
      op === 'remove'
        ? yield* removeAt(replica.text, inside, grow)
        : yield* (op === 'add' ? addAt : replaceAt)(replica.text, inside, write, grow)
    replica.text = patched.text
    shown ??= patched
  }
  return sidesOf(shown?.before, shown?.after)
}

/** A text grows in each place that it stands in. */
export function growthOf({ places }: Replica, room: Room): Grow {
  return by => room.grow(by * places.length)
}

/** The same pointer in a replica. Undefined: it does not stand there, or is outdated by the change. */
function pathIn(replica: Replica, op: string, path: readonly string[]): readonly string[] | undefined {
  const { inner } = replica
  const isInside = inner.every((step, at) => path[at] === step)
  if (isInside && !(op === 'remove' && inner.length > 0 && path.length === inner.length)) {
    return path.slice(inner.length)
  }
  replica.isOutdated = true
  return undefined
}

function* writerFor(
  { text }: Replica,
  path: readonly string[],
  { value, valueForText, json }: Insertion,
  number: number,
  room: Room,
): Steps<WriteJson> {
  if (json) {
    const own = json(number)
    return () => own
  }
  const located = valueForText === undefined ? undefined : yield* locate(text, path)
  const isText = located?.kind === 'found' && text[located.place.start] === '"'
  const put = isText && valueForText !== undefined ? valueForText : (value as JsonValue)
  return (style, indent) => writeStyled(put, style, room, indent)
}

/** A text as a whole. */
function* replaceText(
  of: Editable,
  op: 'add' | 'replace' | 'remove',
  room: Room,
  { value, valueForText, json }: Insertion,
): Steps<Sides> {
  const replica = primary(of)
  const { text } = replica
  if (op === 'remove') throw new InvalidArgument('The whole value cannot be removed.')
  const given = json ? parseJson(json(0)) : value
  const put = valueForText ?? given
  if (typeof put !== 'string' && !(yield* hasParts(of)))
    throw new InvalidArgument('There is a text: a text has to take its place.')
  const now = typeof put === 'string' ? put : writeStyled(put as JsonValue, styleOf(text), room, '')
  growthOf(replica, room)(now.length - text.length)
  replica.text = now
  delete of.isJson
  return sidesOf(JSON.stringify(text.slice(0, 500)), JSON.stringify(replica.text.slice(0, 500)))
}

/** Writes replicas anew that a change around their part has outdated. */
export function* refreshOutdated(of: Editable, room: Room): Steps<void> {
  const whole = primary(of).text
  for (const replica of of.replicas) {
    if (!replica.isOutdated) continue
    const { inner } = replica
    const [key = ''] = inner
    const object = parseJson(whole)
    const isWrapper = typeof object === 'object' && object !== null && Object.keys(object).join() === key
    yield whole.length / 2
    const part = isWrapper ? parseJson(yield* jsonAt(whole, inner)) : object
    const text = writeStyled(part, styleOf(replica.text), room, '')
    growthOf(replica, room)(text.length - replica.text.length)
    replica.text = text
  }
}

interface Sides {
  readonly before?: JsonValue
  readonly after?: JsonValue
}

function sidesOf(before: string | undefined, after: string | undefined): Sides {
  const [shownBefore, shownAfter] = [shownJson(before), shownJson(after)]
  return {
    ...(shownBefore === undefined ? {} : { before: shownBefore }),
    ...(shownAfter === undefined ? {} : { after: shownAfter }),
  }
}
