import type { Steps } from './steps.ts'

/** Lines of a text, counted from 1. A break belongs to the line that it ends, so a text that ends with one has no line after it. */

export function countLines(text: string): number {
  return countBreaks(text, 0, text.length) + (text.length > 0 && !text.endsWith('\n') ? 1 : 0)
}

/** Line breaks from one position up to another. */
export function countBreaks(text: string, start: number, end: number): number {
  let count = 0
  for (let at = text.indexOf('\n', start); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) count++
  return count
}

/** Lines as they stand in the text, without the break after the last of them. They must be there. */
export function linesOf(text: string, first: number, last: number): string {
  const start = afterBreaks(text, 0, first - 1)
  const end = text.indexOf('\n', afterBreaks(text, start, last - first))
  if (end < 0) return text.slice(start)
  return text.slice(start, end > start && text[end - 1] === '\r' ? end - 1 : end)
}

/** The position after so many line breaks from a position on. */
function afterBreaks(text: string, start: number, breaks: number): number {
  let at = start
  for (let passed = 0; passed < breaks; passed++) at = text.indexOf('\n', at) + 1
  return at
}

/** Where each line begins. */
export function* lineStarts(text: string): Steps<number[]> {
  const starts: number[] = []
  for (let at = 0; at < text.length; ) {
    starts.push(at)
    const end = text.indexOf('\n', at)
    at = end < 0 ? text.length : end + 1
    if (starts.length % 1_000 === 0) yield 5_000
  }
  return starts
}

/** Behind each line break in the text of a JSON string, from a position between two characters. */
export function escapedLineEnds(text: string, start: number): number[] {
  const ends: number[] = []
  for (let at = text.indexOf('\\', start); at >= 0; at = text.indexOf('\\', at)) {
    const isUnit = text[at + 1] === 'u'
    const isBreak = isUnit
      ? text.startsWith('000a', at + 2) || text.startsWith('000A', at + 2)
      : text[at + 1] === 'n'
    at += isUnit ? 6 : 2
    if (isBreak && at <= text.length) ends.push(at)
  }
  return ends
}
