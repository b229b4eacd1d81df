/** How much text there may be. All hold that are given. */
export interface TextLimit {
  readonly tokens?: number | undefined
  readonly characters?: number | undefined
  readonly lines?: number | undefined
}

/**
 * What a client gives its model of a result: its content, its structured content where there is some, both, or nobody knows which one
 * of them.
 */
export type ReadFields = 'content' | 'structured' | 'both' | 'unknown'

/** What the reader of an answer can take. */
export interface AnswerLimits {
  /** A value of at most so much text passes as it is. */
  readonly inline: TextLimit
  /** No answer has more. */
  readonly ceiling: TextLimit
  readonly reads: ReadFields
  /** The reader honours what a tool says of the size of its own results. */
  readonly honoursToolLimit?: true | undefined
  /** The reader follows links to resources, and there are some: a preview has one to its value. */
  readonly followsLinks?: true | undefined
  /** How long the reader waits for an answer at most, in milliseconds. */
  readonly patience?: number | undefined
}

/** How long an answer may take: no longer than its reader waits. Undefined: for ever. */
export function waitWithin(
  wait: number | undefined,
  limits: Pick<AnswerLimits, 'patience'> | undefined,
): number | undefined {
  return least(wait, limits?.patience)
}

/** The smaller one, in each measure. */
export function narrower(one: TextLimit, other: TextLimit): TextLimit {
  const tokens = least(one.tokens, other.tokens)
  const characters = least(one.characters, other.characters)
  const lines = least(one.lines, other.lines)
  return {
    ...(tokens === undefined ? {} : { tokens }),
    ...(characters === undefined ? {} : { characters }),
    ...(lines === undefined ? {} : { lines }),
  }
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Math.min(one, other)
}

/** What an answer may have around a page: shapes, addresses, media. In tokens. */
const MOST_AROUND = 1_500
/** Ordinary texts have fewer. */
const CHARACTERS_PER_TOKEN = 5

/** The largest budget of a page whose answer stays within the limit. */
export function budgetWithin({ tokens, characters }: TextLimit, unit: 'token' | 'character'): number {
  const perToken = unit === 'token' ? 1 : 2
  const byTokens = (tokens ?? Number.POSITIVE_INFINITY) * perToken
  const byCharacters =
    (characters ?? Number.POSITIVE_INFINITY) / (unit === 'token' ? CHARACTERS_PER_TOKEN : 1)
  const room = Math.min(byTokens, byCharacters)
  return Math.max(1, Math.floor(Math.max((room * 3) / 4, room - MOST_AROUND * perToken)))
}

/** The limit in words. */
export function limitText({ tokens, characters, lines }: TextLimit): string {
  const parts = [
    ...(tokens === undefined ? [] : [`${tokens} tokens`]),
    ...(characters === undefined ? [] : [`${characters} characters`]),
    ...(lines === undefined ? [] : [`${lines} lines`]),
  ]
  return parts.join(' and ')
}
