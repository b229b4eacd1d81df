import { stringEnd } from './json-text.ts'

/**
 * Where the parts of a list or an object end: the positions of the commas between them, at most so many. The text begins
 * with a part, and may end anywhere.
 */
export function partEnds(text: string, start: number, most: number): number[] {
  const ends: number[] = []
  let depth = 0
  for (let at = start; at < text.length && ends.length < most; at++) {
    const character = text[at]
    if (character === '"') at = stringEnd(text, at) - 1
    else if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    else if (character === ',' && depth === 0) ends.push(at)
  }
  return ends
}
