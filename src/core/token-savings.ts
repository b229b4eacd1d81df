/** What answers to agents kept out and cost, in tokens. Estimates: what was not counted anyway goes by its length. */
export interface TokenCounts {
  /** Of results that became previews: what the client would have taken of them. */
  readonly keptOut: number
  /** Asked for afterwards: pages, parts, and values that were given whole after all. */
  readonly pagedIn: number
  /** That nobody would have read without references: previews, what stands around them, handles, tools and instructions. */
  readonly added: number
}

/** These counts, and what is left of the savings. */
export interface TokenSavings extends TokenCounts {
  /** Kept out, less all the rest. Below zero where references cost more than they saved. */
  readonly net: number
}

export function withNet({ keptOut, pagedIn, added }: TokenCounts): TokenSavings {
  return { keptOut, pagedIn, added, net: keptOut - pagedIn - added }
}

export function sumOfTokens(all: Iterable<TokenCounts>): TokenCounts {
  const sum = { keptOut: 0, pagedIn: 0, added: 0 }
  for (const { keptOut, pagedIn, added } of all) {
    sum.keptOut += keptOut
    sum.pagedIn += pagedIn
    sum.added += added
  }
  return sum
}
