import { wholeCharacters } from './page-units.ts'
import type { Manner } from './parts.ts'
import { beginning, ELLIPSIS, missingCharacters } from './truncate.ts'

/** Characters of JSON that an excerpt of a text has at least, before there are more of them. */
const EXCERPT = 300
const MOST_EXCERPTS = 5

/**
 * Some of everything: evenly spaced items or entries, the first and the last among them; of lists within, the
 * first items and the last; of a text, evenly spaced excerpts.
 */
export const sample: Manner = {
  outside: evenly,
  inside: (position, count, total) => (position > 0 && position === count - 1 ? total - 1 : position),
  text: excerpts,
}

function evenly(position: number, count: number, total: number): number {
  return count === 1 ? 0 : Math.round((position * (total - 1)) / (count - 1))
}

/** Excerpts of a text, between them how much is missing: `…(+1234 chars)…`. */
function excerpts(text: string, room: number, length: number): string {
  const count = Math.max(2, Math.min(MOST_EXCERPTS, Math.floor(room / EXCERPT)))
  const gap = missingCharacters(text.length).length + ELLIPSIS.length
  const share = (room - 2 - gap * (count - 1)) / count
  // Escapes make JSON longer than its text; they are taken to be spread evenly.
  const size = Math.floor((share * text.length) / length)
  if (size < gap) return beginning(text, room)
  let shown = ''
  let end = 0
  for (let at = 0; at < count; at++) {
    const start = wholeCharacters(text, evenly(at, count, text.length - size + 1))
    if (at > 0) shown += missingCharacters(start - end) + ELLIPSIS
    end = at === count - 1 ? text.length : wholeCharacters(text, start + size)
    shown += text.slice(start, end)
  }
  return JSON.stringify(shown)
}
