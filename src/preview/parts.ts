import { lastFitting, type Steps } from '../core/steps.ts'

/** The items of a list or the entries of an object, as JSON that can be shrunk. */
export interface Parts {
  readonly total: number
  /** Whether a few whole parts tell more than many shrunk ones. */
  readonly preferWhole: boolean
  /** About so many parts are shown at least, shrunk if they must be. */
  readonly atLeast: number
  /** Which parts are shown where there is room for so many, ascending; sometimes fewer. `length`: characters that one takes. */
  choose(count: number, length: number): readonly number[]
  /** Characters of the key and its colon. */
  leadLength(index: number): number
  /** Characters of a part, as `jsonLength`. */
  length(index: number, limit: number): number
  /** A part in about `room` characters. */
  text(index: number, room: number): Steps<string>
  /** What stands in the places of all that is not shown. */
  marks(shown: readonly number[]): readonly Mark[]
}

/** Says what is left out, as JSON. */
export interface Mark {
  /** How many of the shown parts stand before it. */
  readonly after: number
  readonly json: string
}

/** No part is shrunk below so many characters before others are left out. */
const LEAST_ROOM = 40
/** Whole parts are good enough if they use this much of the room. */
const GOOD_USE = 0.7
/** What the value of an entry takes that there is no room for. */
const LEAST_VALUE = 3
const PROBES = 8
const PARTS_PER_STEP = 1024
const WORK_PER_PART = 2

/**
 * As many parts as can be shown in the room, as much of each, and marks for the others, joined with commas. Undefined: there is
 * no room even for a mark.
 */
export function* fitParts(parts: Parts, room: number): Steps<string | undefined> {
  if (parts.preferWhole) {
    const whole = yield* picked(parts, room, room)
    const used = yield* roomFor(parts, whole, room, room)
    if (whole.length > 1 && used >= GOOD_USE * room)
      return joined(parts, whole, yield* texts(parts, whole, room))
  }
  const most = Math.min(Math.max(Math.floor(room / parts.atLeast), LEAST_ROOM), room)
  const indices = yield* picked(parts, room, most)
  if (indices.length === 0) {
    const marked = joined(parts, [], [])
    return marked.length <= room ? marked : undefined
  }
  return joined(parts, indices, yield* texts(parts, indices, levelFor(parts, indices, room)))
}

function joined(parts: Parts, indices: readonly number[], shown: readonly string[]): string {
  const all = [...shown]
  for (const { after, json } of parts.marks(indices).toReversed()) all.splice(after, 0, json)
  return all.join(',')
}

/** As many parts as fit if none takes more than `most`. */
function* picked(parts: Parts, room: number, most: number): Steps<readonly number[]> {
  if (parts.total === 0 || room <= 0) return []
  const length = usualLength(parts, most)
  const fits = function* (count: number) {
    // Each part takes two characters at least, with its comma.
    return 2 * count <= room + 1 && (yield* roomFor(parts, parts.choose(count, length), room, most)) <= room
  }
  const guess = Math.max(1, Math.floor(room / (length + 1)))
  const count = yield* lastFitting(parts.total, guess, fits)
  return count === 0 ? [] : parts.choose(count, length)
}

/** What a part takes if none takes more than `most`, from a few of them. */
function usualLength(parts: Parts, most: number): number {
  const probes = Math.min(PROBES, parts.total)
  let probed = 0
  for (let at = 0; at < probes; at++) {
    probed += cappedLength(parts, Math.floor((at * (parts.total - 1)) / Math.max(1, probes - 1)), most)
  }
  return Math.ceil(probed / probes)
}

/** What the parts and the marks take with commas between, if no part takes more than `most`; stops soon after `room`. */
function* roomFor(parts: Parts, indices: readonly number[], room: number, most: number): Steps<number> {
  let total = -1 + markRoom(parts, indices)
  for (let at = 0; at < indices.length && total <= room; at++) {
    total += 1 + cappedLength(parts, indices[at]!, most)
    if (at % PARTS_PER_STEP === 0) yield PARTS_PER_STEP * WORK_PER_PART
  }
  return total
}

function markRoom(parts: Parts, indices: readonly number[]): number {
  return parts.marks(indices).reduce((sum, { json }) => sum + json.length + 1, 0)
}

function cappedLength(parts: Parts, index: number, most: number): number {
  const length = parts.length(index, most)
  return length <= most ? length : Math.max(most, parts.leadLength(index) + LEAST_VALUE)
}

/** The level at which the room is full when every part above it is shrunk to it. */
function levelFor(parts: Parts, indices: readonly number[], room: number): number {
  const lengths = indices.map(index => parts.length(index, room)).sort((a, b) => a - b)
  let left = room - (indices.length - 1) - markRoom(parts, indices)
  for (const [at, length] of lengths.entries()) {
    const share = Math.floor(left / (lengths.length - at))
    if (length > share) return share
    left -= length
  }
  return room
}

/** The parts, those above the level shrunk to it; what one leaves of its share is given to the next. */
function* texts(parts: Parts, indices: readonly number[], level: number): Steps<string[]> {
  const shown: string[] = []
  let spare = 0
  for (const index of indices) {
    const share = level + spare
    const text = yield* parts.text(index, share)
    if (parts.length(index, level) > level) spare = share - text.length
    shown.push(text)
    yield text.length / 4
  }
  return shown
}
