import { countLines } from '../core/lines.ts'
import type { TextLength } from '../values/segments/sample.ts'

/** Stands for what there was no room for. */
export const ELLIPSIS = '…'

/** Says how much of a text is missing where it stands. */
export function missingCharacters(count: number): string {
  return `${ELLIPSIS}(+${count} chars)`
}

/** Says which parts are missing where they would stand, from one position up to another, both from 1. */
export function missingFrom(what: 'item' | 'line', first: number, last: number): string {
  return first === last ? `${ELLIPSIS}(${what} ${first})` : `${ELLIPSIS}(${what}s ${first} to ${last})`
}

/**
 * The JSON of a text, cut to `room` characters: its beginning, if possible whole lines, and what is missing. At least `"…"`.
 * @param whole of the text, where only its beginning is at hand
 */
export function beginning(text: string, room: number, whole?: TextLength): string {
  const characters = whole?.characters ?? text.length
  if (characters === text.length && text.length + 2 <= room) {
    const json = JSON.stringify(text)
    if (json.length <= room) return json
  }
  const isCounted = whole === undefined || whole.lines !== undefined
  return (
    (isCounted ? firstLines(text, room, whole?.lines) : undefined) ?? firstCharacters(text, room, characters)
  )
}

/** Whole lines say more than half of one, but not if they leave much of the room. */
const GOOD_USE = 0.5

function firstLines(text: string, room: number, total: number | undefined): string | undefined {
  let end = 0
  let lines = 0
  let length = 2 + '\\n…(lines 100000 to 100000)'.length
  for (let next = text.indexOf('\n') + 1; next > 0; next = text.indexOf('\n', end) + 1) {
    if (length + next - end > room) break
    length += JSON.stringify(text.slice(end, next)).length - 2
    if (length > room) break
    end = next
    lines++
  }
  if (lines === 0 || length - 2 < GOOD_USE * room) return undefined
  const json = JSON.stringify(text.slice(0, end) + missingFrom('line', lines + 1, total ?? countLines(text)))
  return json.length <= room ? json : undefined
}

function firstCharacters(text: string, room: number, total: number): string {
  let length = Math.min(text.length, room - 2 - missingCharacters(total).length)
  while (length >= 0) {
    length = wholeCharacters(text, length)
    const json = JSON.stringify(text.slice(0, length) + missingCharacters(total - length))
    if (json.length <= room) return json
    length = Math.min(length - 1, Math.floor((length * room) / json.length))
  }
  return JSON.stringify(ELLIPSIS)
}

/** The position itself, or the one before if it would part a surrogate pair. */
export function wholeCharacters(text: string, position: number): number {
  const code = position > 0 ? text.codePointAt(position - 1) : undefined
  return position < text.length && code !== undefined && code > 0xffff ? position - 1 : position
}
