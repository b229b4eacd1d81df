import { cutText } from '../../core/cut-text.ts'
import { InvalidArgument } from '../../core/errors.ts'

/** Where something was found, in UTF-16 units. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** What is looked for. Linear in the length of the text, whatever it is. */
export interface Pattern {
  /** The first match from a position on. */
  find(text: string, from?: number): Span | undefined
  /** Work that it takes for a character, in the unit of `Steps`. */
  readonly cost: number
}

const LONGEST = 1_000

/**
 * What a search asks for: a text, exactly, or `/expression/flags`.
 * @param inJson the text may also stand there as JSON writes it, with escapes
 * @throws InvalidArgument
 */
export async function toPattern(search: string, { inJson = false } = {}): Promise<Pattern> {
  if (typeof search !== 'string' || search === '' || search.length > LONGEST) {
    throw new InvalidArgument(`search is a text, or /expression/flags, of 1 to ${LONGEST} characters.`)
  }
  const [, expression, flags = ''] = /^\/(.+)\/([gimsuvy]*)$/s.exec(search) ?? []
  if (expression !== undefined) return regular(expression, flags)
  const find = finder(search)
  const escaped = JSON.stringify(search).slice(1, -1)
  if (!inJson || escaped === search) return { find, cost: 1 / 16 }
  const findEscaped = finder(escaped)
  return { find: (text, from) => find(text, from) ?? findEscaped(text, from), cost: 1 / 8 }
}

function finder(wanted: string) {
  return (text: string, from = 0): Span | undefined => {
    const start = text.indexOf(wanted, from)
    return start < 0 ? undefined : { start, end: start + wanted.length }
  }
}

/** Loaded where it is needed: most searches are plain. */
async function regular(expression: string, flags: string): Promise<Pattern> {
  const { RE2JS } = await import('re2js')
  const known = { i: RE2JS.CASE_INSENSITIVE, m: RE2JS.MULTILINE, s: RE2JS.DOTALL }
  let bits = 0
  for (const flag of flags) bits |= known[flag as keyof typeof known] ?? 0
  const compiled = compile()
  return {
    cost: 1,
    find(text, from = 0) {
      const matcher = compiled.matcher(text)
      return matcher.find(from) ? { start: matcher.start(), end: matcher.end() } : undefined
    },
  }

  function compile() {
    try {
      return RE2JS.compile(RE2JS.translateRegExp(expression), bits)
    } catch (error) {
      throw new InvalidArgument(
        `The expression of search cannot be read: ${cutText((error as Error).message, 200)}. It has the syntax of RE2: no look-around, no back-references.`,
      )
    }
  }
}
