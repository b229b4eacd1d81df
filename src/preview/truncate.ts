import { wholeCharacters } from './page-units.ts'
import type { Manner } from './parts.ts'

/** Stands for what there was no room for. */
export const ELLIPSIS = '…'

/** Says how much of a text is missing where it stands. */
export function missingCharacters(count: number): string {
  return `${ELLIPSIS}(+${count} chars)`
}

/** The beginning of everything. */
export const truncate: Manner = {
  outside: fromStart,
  inside: fromStart,
  text: beginning,
}

export function fromStart(position: number): number {
  return position
}

/** The JSON of a text, cut to `room` characters: its beginning and how much is missing. At least `"…"`. */
export function beginning(text: string, room: number): string {
  if (text.length + 2 <= room) {
    const json = JSON.stringify(text)
    if (json.length <= room) return json
  }
  let length = Math.min(text.length, room - 2 - missingCharacters(text.length).length)
  while (length >= 0) {
    length = wholeCharacters(text, length)
    const json = JSON.stringify(text.slice(0, length) + missingCharacters(text.length - length))
    if (json.length <= room) return json
    length = Math.min(length - 1, Math.floor((length * room) / json.length))
  }
  return JSON.stringify(ELLIPSIS)
}
