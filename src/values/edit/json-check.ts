import { stringEnd } from '../../core/json-text.ts'
import type { Steps } from '../../core/steps.ts'
import { skipSpace } from './json-places.ts'

/** Up to so many UTF-16 units a text is read at once. */
const AT_ONCE = 64 * 1024

const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y

/** What may come next: `end` where a list or an object may close without another member. */
type Expected = 'value' | 'value-or-end' | 'key' | 'key-or-end' | 'next'

/** Whether a text is JSON, in steps: it says what `JSON.parse` says, and holds nobody up. */
export function* isJson(text: string): Steps<boolean> {
  if (text.length <= AT_ONCE) {
    yield text.length / 4
    return isParsed(text)
  }
  const open: string[] = []
  let expected: Expected = 'value'
  let pause = AT_ONCE
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    if (at >= pause) {
      yield AT_ONCE / 2
      pause = at + AT_ONCE
    }
    const character = text[at] as string
    if (expected === 'next') {
      if (character === open.at(-1)) open.pop()
      else if (character === ',' && open.length > 0) expected = open.at(-1) === '}' ? 'key' : 'value'
      else return false
      at++
    } else if (expected.endsWith('-or-end') && character === open.at(-1)) {
      open.pop()
      expected = 'next'
      at++
    } else if (expected.startsWith('key')) {
      const end = character === '"' ? goodStringEnd(text, at) : undefined
      const colon = end === undefined ? -1 : skipSpace(text, end)
      if (text[colon] !== ':') return false
      expected = 'value'
      at = colon + 1
    } else if (character === '[' || character === '{') {
      open.push(character === '[' ? ']' : '}')
      expected = character === '[' ? 'value-or-end' : 'key-or-end'
      at++
    } else {
      const end = character === '"' ? goodStringEnd(text, at) : scalarEnd(text, at)
      if (end === undefined) return false
      expected = 'next'
      at = end
    }
  }
  return expected === 'next' && open.length === 0
}

function scalarEnd(text: string, at: number): number | undefined {
  SCALAR.lastIndex = at
  return SCALAR.test(text) ? SCALAR.lastIndex : undefined
}

function goodStringEnd(text: string, at: number): number | undefined {
  const end = stringEnd(text, at)
  if (end > text.length) return undefined
  return isParsed(text.slice(at, end)) ? end : undefined
}

function isParsed(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
