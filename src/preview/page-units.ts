import { isJsonObject } from '../core/json.ts'
import { partEnds } from '../core/json-parts.ts'
import { parseJson } from '../core/json-text.ts'
import type { PageUnit, PageUnitName } from './layout.ts'
import type { Source } from './source.ts'

/** The ways to cut a value, the best first; a later one is for a value whose parts are too large for an earlier. */
export function pageUnits(source: Source): PageUnit[] {
  const { value, json } = source
  const slices = textUnit('json', json, characterEnds)
  if (typeof value === 'string') {
    const cut = textUnit('characters', value, characterEnds)
    return value.includes('\n') ? [textUnit('lines', value, lineEnds), cut, slices] : [cut, slices]
  }
  if (Array.isArray(value)) return [partsUnit('items', json, '[', ']'), slices]
  if (isJsonObject(value)) return [partsUnit('entries', json, '{', '}'), slices]
  return [slices]
}

/** Items of a list or entries of an object, cut between each other in the JSON text. */
function partsUnit(name: PageUnitName, text: string, open: string, close: string): PageUnit {
  const last = text.length - 1
  return {
    name,
    text,
    start: 1,
    end: last,
    close,
    counted: true,
    window(start, end, mostEnds) {
      const json = open + text.slice(start, end)
      const ends = partEnds(json, 1, mostEnds)
      if (end === last && ends.length < mostEnds) ends.push(json.length)
      return { json, ends }
    },
    pageEnd: (start, json) => start + json.length - 1,
    nextStart: end => Math.min(end + 1, last),
    page: (start, end) => parseJson(open + text.slice(start, end) + close),
  }
}

/** Slices of a text, each a JSON string. */
function textUnit(
  name: PageUnitName,
  text: string,
  endsIn: (json: string, complete: boolean, most: number) => number[],
): PageUnit {
  return {
    name,
    text,
    start: 0,
    end: text.length,
    close: '"',
    counted: name === 'lines',
    window(start, end, mostEnds) {
      const json = JSON.stringify(text.slice(start, wholeCharacters(text, end))).slice(0, -1)
      return { json, ends: endsIn(json, end === text.length, mostEnds) }
    },
    pageEnd: (start, json) => start + (JSON.parse(`${json}"`) as string).length,
    nextStart: end => end,
    page: (start, end) => text.slice(start, end),
  }
}

/** After each character: behind an escape and behind a surrogate pair, never within. */
function characterEnds(json: string): number[] {
  const ends: number[] = []
  for (let at = 1; at < json.length; ) {
    if (json[at] === '\\') at += json[at + 1] === 'u' ? 6 : 2
    else at += json.codePointAt(at)! > 0xffff ? 2 : 1
    ends.push(at)
  }
  return ends
}

/** After each line break, and after the last line. */
function lineEnds(json: string, complete: boolean, most: number): number[] {
  const ends: number[] = []
  for (let at = json.indexOf('\\'); at > 0 && ends.length < most; at = json.indexOf('\\', at + 2)) {
    if (json[at + 1] === 'n') ends.push(at + 2)
  }
  if (complete && ends.length < most && ends.at(-1) !== json.length) ends.push(json.length)
  return ends
}

/** The position itself, or the one before if it would part a surrogate pair. */
export function wholeCharacters(text: string, position: number): number {
  const code = position > 0 ? text.codePointAt(position - 1) : undefined
  return position < text.length && code !== undefined && code > 0xffff ? position - 1 : position
}
