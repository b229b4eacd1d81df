import { lastFitting, type Steps } from '../core/steps.ts'

/** Which of `total` parts to show, when there is room for `count`: the index of each, ascending. */
export type Pick = (position: number, count: number, total: number) => number

/** The items of a list or the entries of an object, as JSON that can be shrunk. */
export interface Parts {
  readonly total: number
  /** Whether a few whole parts tell more than many shrunk ones. */
  readonly preferWhole: boolean
  /** About so many parts are shown at least, shrunk if they must be. */
  readonly atLeast: number
  /** Characters of the key and its colon. */
  leadLength(index: number): number
  /** Characters of a part, as `jsonLength`. */
  length(index: number, limit: number): number
  /** A part in about `room` characters. */
  text(index: number, room: number): Steps<string>
  /** What is said in the place of parts that are missing. */
  mark(missing: number): string
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

/** As many parts as can be shown in the room, and as much of each. */
export function* fitParts(parts: Parts, pick: Pick, room: number): Steps<string[]> {
  if (room <= 0 || parts.total === 0) return []
  if (parts.preferWhole) {
    const whole = yield* picked(parts, pick, room, room)
    const used = yield* roomFor(parts, whole, room, room)
    if (whole.length > 1 && used >= GOOD_USE * room) return yield* texts(parts, whole, room)
  }
  const most = Math.min(Math.max(Math.floor(room / parts.atLeast), LEAST_ROOM), room)
  const indices = yield* picked(parts, pick, room, most)
  return yield* texts(parts, indices, levelFor(parts, indices, room))
}

/** As many parts as fit if none takes more than `most`. */
function* picked(parts: Parts, pick: Pick, room: number, most: number): Steps<number[]> {
  const indicesOf = (count: number) => Array.from({ length: count }, (_, at) => pick(at, count, parts.total))
  const fits = function* (count: number) {
    // Each part takes two characters at least, with its comma.
    return 2 * count <= room + 1 && (yield* roomFor(parts, indicesOf(count), room, most)) <= room
  }
  return indicesOf(yield* lastFitting(parts.total, guessCount(parts, pick, room, most), fits))
}

/** From a few parts, then from a few of those that would be shown if that were right. */
function guessCount(parts: Parts, pick: Pick, room: number, most: number): number {
  let count = parts.total
  for (let round = 0; round < 2; round++) {
    const probes = Math.min(PROBES, count)
    let probed = 0
    for (let at = 0; at < probes; at++) {
      const index = pick(Math.floor((at * count) / probes), count, parts.total)
      probed += cappedLength(parts, index, most) + 1
    }
    count = Math.max(1, Math.min(parts.total, Math.floor((room * probes) / probed)))
  }
  return count
}

/** What the parts take with commas between, if none takes more than `most`; stops soon after `room`. */
function* roomFor(parts: Parts, indices: readonly number[], room: number, most: number): Steps<number> {
  let total = -1
  for (let at = 0; at < indices.length && total <= room; at++) {
    total += 1 + cappedLength(parts, indices[at]!, most)
    if (at % PARTS_PER_STEP === 0) yield PARTS_PER_STEP * WORK_PER_PART
  }
  return total
}

function cappedLength(parts: Parts, index: number, most: number): number {
  const length = parts.length(index, most)
  return length <= most ? length : Math.max(most, parts.leadLength(index) + LEAST_VALUE)
}

/** The level at which the room is full when every part above it is shrunk to it. */
function levelFor(parts: Parts, indices: readonly number[], room: number): number {
  const lengths = indices.map(index => parts.length(index, room)).sort((a, b) => a - b)
  let left = room - (indices.length - 1)
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

/** Puts the mark where parts are missing. */
export function insertMark(shown: string[], parts: Parts, pick: Pick): void {
  const missing = parts.total - shown.length
  if (missing === 0) return
  let gap = 0
  while (gap < shown.length && pick(gap, shown.length, parts.total) === gap) gap++
  shown.splice(gap, 0, parts.mark(missing))
}

/** How a strategy chooses what to show. */
export interface Manner {
  /** Of the value's own items or entries. */
  readonly outside: Pick
  /** Of lists within it. Objects within show their first entries, which tell most. */
  readonly inside: Pick
  /** Of a value that is a text: at most `room` characters of JSON, where the whole text takes `length`. */
  text(text: string, room: number, length: number): string
}
