import type { AnswerLimits } from '../../core/answer-limits.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { NewestSet } from '../../core/newest-set.ts'
import type { CacheResponse, CallResponse } from '../../core/response.ts'
import { sumOfTokens, type TokenCounts, type TokenSavings, withNet } from '../../core/token-savings.ts'
import { channels } from '../../telemetry/channels.ts'

/** How an answer came about, as far as its account goes. */
interface Answered {
  readonly action: string
  readonly limits: AnswerLimits
  readonly page?: number | undefined
  readonly part?: unknown
}

/** An ordinary token has so many characters. */
const CHARACTERS_PER_TOKEN = 4
/** References whose results were shown in part; who asks for more of them does so soon. */
const MOST_REFERENCES = 1_000

const NOTHING: TokenCounts = { keptOut: 0, pagedIn: 0, added: 0 }

/** The account of what agents were answered. It costs an answer next to nothing. */
export class Savings {
  #keptOut = 0
  #pagedIn = 0
  #added = 0
  /** What of these was taken to be stored. */
  #taken: TokenCounts = NOTHING
  readonly #shown = new NewestSet<string>(MOST_REFERENCES)

  constructor(
    private readonly unit: 'token' | 'character',
    private readonly cache: string,
  ) {}

  get isEmpty(): boolean {
    return this.#keptOut + this.#pagedIn + this.#added === 0
  }

  get totals(): TokenSavings {
    return withNet(this.#counts)
  }

  /** What was counted since it was last taken; undefined where nothing was. */
  takeGrown(): TokenCounts | undefined {
    const { keptOut, pagedIn, added } = this.#counts
    const grown = {
      keptOut: keptOut - this.#taken.keptOut,
      pagedIn: pagedIn - this.#taken.pagedIn,
      added: added - this.#taken.added,
    }
    if (grown.keptOut + grown.pagedIn + grown.added === 0) return undefined
    this.#taken = sumOfTokens([this.#taken, grown])
    return grown
  }

  /** It could not be stored, and is taken again the next time. */
  giveBack({ keptOut, pagedIn, added }: TokenCounts): void {
    this.#taken = sumOfTokens([this.#taken, { keptOut: -keptOut, pagedIn: -pagedIn, added: -added }])
  }

  get #counts(): TokenCounts {
    return {
      keptOut: Math.round(this.#keptOut),
      pagedIn: Math.round(this.#pagedIn),
      added: Math.round(this.#added),
    }
  }

  /** Something that stands beside the answers, such as a list of tools. */
  addText(characters: number): void {
    this.#added += characters / CHARACTERS_PER_TOKEN
  }

  /** An answer leaves. Those that pass as they are cost and save nothing. */
  answered(answer: CallResponse, asked: Answered): void {
    const keptOut = this.#keptOut
    const pagedIn = this.#pagedIn
    const added = this.#added
    this.#count(answer, asked)
    if (!channels.savings.hasSubscribers) return
    channels.savings.publish({
      cache: this.cache,
      keptOut: this.#keptOut - keptOut,
      pagedIn: this.#pagedIn - pagedIn,
      added: this.#added - added,
    })
  }

  #count(answer: CallResponse, asked: Answered): void {
    if (answer.isAsync) this.addText(lengthAround(answer))
    if (answer.status !== 'complete') return
    if (answer.isComplete) this.#whole(answer, asked)
    else if (answer.previewSize !== undefined) this.#part(answer, asked)
  }

  #whole(answer: CacheResponse, asked: Answered): void {
    const isAsked = asked.action !== 'call' && (asked.part !== undefined || this.#shown.has(answer.refId))
    if (isAsked) this.#pagedIn += stringifyJson(answer.value ?? null).length / CHARACTERS_PER_TOKEN
    if (answer.isReference) this.addText(lengthAround(answer))
  }

  #part(answer: CacheResponse, { action, limits, page, part }: Answered): void {
    const { refId, previewSize = 0, originalSize = 0 } = answer
    const isFirst = action === 'call' || !this.#shown.has(refId)
    this.#shown.add(refId)
    this.addText(lengthAround(answer))
    if (isFirst && page === undefined && part === undefined) {
      // More than that no client would have taken.
      this.#keptOut += Math.min(this.#tokens(originalSize), limits.ceiling.tokens ?? Number.POSITIVE_INFINITY)
      this.#added += this.#tokens(previewSize)
    } else this.#pagedIn += this.#tokens(previewSize)
  }

  #tokens(size: number): number {
    return this.unit === 'token' ? size : size / CHARACTERS_PER_TOKEN
  }
}

/** What stands around what is shown, in characters. */
function lengthAround(answer: CallResponse): number {
  const { preview: _, rows: __, value: ___, ...around } = { value: undefined, ...answer }
  return stringifyJson(around).length
}
