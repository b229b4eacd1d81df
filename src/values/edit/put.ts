import { InvalidArgument } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { pointerOf } from '../../core/part.ts'
import type { Steps } from '../../core/steps.ts'
import { wholeCharacter } from '../../core/text-cuts.ts'
import type { ConcealedValues } from './concealed.ts'
import type { EditableResult } from './editables.ts'
import type { StoredPlace } from './edited-text.ts'
import { locate } from './json-places.ts'
import { styleOf, writeStyled } from './json-style.ts'
import { jsonAt } from './patch.ts'
import { Room } from './room.ts'

/** A stored value as text: a string itself, anything else as its JSON. */
export interface StoredText {
  readonly kind: 'text' | 'json'
  readonly text: string
}

/** The stored value with all changes. */
export function* put(
  stored: StoredText,
  { editables, itemTexts }: EditableResult,
  room: Room,
): Steps<StoredText> {
  let { text } = stored
  const replaced: Array<{ start: number; end: number; text: string }> = []
  for (const { kind, replicas, isChanged } of editables) {
    if (!isChanged) continue
    for (const replica of replicas) {
      const { text: changed } = replica
      for (const place of replica.places) {
        if (!place.at) return { kind, text: changed }
        replaced.push({
          ...(yield* placeOf(text, place)),
          text: place.isString ? yield* quoted(changed) : changed,
        })
      }
    }
  }
  replaced.sort((a, b) => b.start - a.start)
  for (const { start, end, text: changed } of replaced)
    text = text.slice(0, start) + changed + text.slice(end)
  return { kind: 'json', text: itemTexts ? yield* withItemTexts(stored.text, text, itemTexts, room) : text }
}

/** The same with the values that the caller may not see. @throws where they take too many places */
export function* putRevealed(
  stored: StoredText,
  result: EditableResult,
  concealed: ConcealedValues,
): Steps<StoredText> {
  return yield* put(stored, reveal(result, concealed), UNBOUND)
}

/** What private values take must not decide whether they fit. */
const UNBOUND = new Room(0, Number.POSITIVE_INFINITY)

/** The result with all values in it. */
function reveal({ editables, ...result }: EditableResult, concealed: ConcealedValues): EditableResult {
  const changed = editables.filter(({ isChanged }) => isChanged)
  concealed.check(
    changed.flatMap(({ replicas }) => replicas.flatMap(({ places, text }) => places.map(() => text))),
  )
  const revealed = changed.map(({ replicas, ...editable }) => ({
    ...editable,
    replicas: replicas.map(replica => ({ ...replica, text: concealed.reveal(editable.kind, replica.text) })),
  }))
  return { ...result, editables: revealed }
}

function* placeOf(text: string, { at = [] }: StoredPlace): Steps<{ start: number; end: number }> {
  const located = yield* locate(text, at)
  return located.place
}

const QUOTED_AT_ONCE = 256 * 1024

/** As `JSON.stringify`, in steps. */
function* quoted(text: string): Steps<string> {
  let json = '"'
  for (let start = 0, end = 0; start < text.length; start = end) {
    end = Math.min(wholeCharacter(text, start + QUOTED_AT_ONCE), text.length)
    json += JSON.stringify(text.slice(start, end)).slice(1, -1)
    yield (end - start) / 8
  }
  return `${json}"`
}

/** The result with a text for each item of the list: an item that did not change keeps its text. */
function* withItemTexts(
  before: string,
  after: string,
  { list, blocks }: NonNullable<EditableResult['itemTexts']>,
  room: Room,
): Steps<string> {
  if (before === after) return after
  const itemsOf = (json: string) => (parseJson(json) as JsonValue[]).map(item => stringifyJson(item))
  const known = new Map<string, string>()
  for (const [at, json] of itemsOf(yield* jsonAt(before, list)).entries())
    known.set(json, blocks[at]?.text ?? json)
  const located = yield* locate(after, list)
  if (located.kind !== 'found' || after[located.place.start] !== '[') {
    throw new InvalidArgument(
      `The result has a text for each item of a list, so a list has to stay at "${pointerOf(list.slice(1))}". Edit that.`,
    )
  }
  const style = styleOf([...known.values()].find(text => text.includes('\n')) ?? '')
  const now = itemsOf(yield* jsonAt(after, list))
  const texts = now.map(json => {
    const value = parseJson(json)
    return {
      type: 'text',
      text: known.get(json) ?? (typeof value === 'string' ? value : writeStyled(value, style, room, '')),
    }
  })
  const content = parseJson(yield* jsonAt(after, ['content'])) as JsonValue[]
  const taken = new Set(blocks.map(({ position }) => position))
  const rest = content.filter((_, position) => !taken.has(position))
  const { start, end } = yield* placeOf(after, { at: ['content'], isString: false })
  return after.slice(0, start) + stringifyJson([...texts, ...rest]) + after.slice(end)
}
