import {
  type AnswerLimits,
  budgetWithin,
  limitText,
  narrower,
  type ReadFields,
  type TextLimit,
} from '../../core/answer-limits.ts'
import type { PreviewSettings } from '../../core/entry.ts'
import { AnswerTooLarge } from '../../core/errors.ts'
import { countLines } from '../../core/lines.ts'
import { measure, measureText, type SizeMode, type Source, sizeWithin } from '../../preview/preview.ts'
import type { ResultFields } from '../../values/call-result.ts'
import type { Sources } from './values.ts'

/** A preview that nobody set a size for has at least so many tokens. */
const LEAST_PREVIEW = 300
/** And at most this share of the value, with what stands around it. */
const PREVIEW_SHARE = 12
/** What stands around a preview or a page, in tokens. */
const AROUND = 200
/** The limits of an answer about one entry: what its tool says goes before what holds for all tools. */
export function limitsFor(limits: AnswerLimits, preview: PreviewSettings | undefined): AnswerLimits {
  const characters = limits.honoursToolLimit ? preview?.maxResultCharacters : undefined
  if (characters !== undefined) return { ...limits, inline: { characters }, ceiling: { characters } }
  const tokens = preview?.inlineLimit ?? limits.inline.tokens
  return { ...limits, inline: narrower({ ...limits.inline, tokens }, limits.ceiling) }
}

/** A value as a client gives it to its model where it passes as it is. A text is read as it is, not as JSON. */
function fieldsOf({ whole, projected }: Sources): ResultFields {
  if (projected?.fields) return projected.fields
  const { value } = whole
  return { content: () => (typeof value === 'string' ? value : whole.json) }
}

/** What a model reads of a value, in tokens, if that is within the limit. */
export function sizeReadWithin(
  sources: Sources,
  reads: ReadFields,
  limit: TextLimit,
): Promise<number | undefined> {
  return sizeOfFields(fieldsOf(sources), reads, limit)
}

/** The one measure of a result: decides whether it passes as it is. */
export async function sizeOfFields(
  { content, structured }: ResultFields,
  reads: ReadFields,
  limit: TextLimit,
): Promise<number | undefined> {
  if (structured === undefined || reads === 'content') return sizeOfText(content(), limit)
  if (reads === 'structured') return sizeOfText(structured(), limit)
  const one = await sizeOfText(content(), limit)
  if (one === undefined) return undefined
  const other = await sizeOfText(structured(), limit)
  if (other === undefined) return undefined
  if (reads === 'unknown') return Math.max(one, other)
  const characters = content().length + structured().length
  return isWithin(one + other, characters, limit) ? one + other : undefined
}

async function sizeOfText(text: string, limit: TextLimit): Promise<number | undefined> {
  const { tokens, characters = Number.POSITIVE_INFINITY, lines } = limit
  if (text.length > characters) return undefined
  if (lines !== undefined && countLines(text) > lines) return undefined
  // Without a limit on tokens no count is needed: a text never has more of them than it has bytes.
  return tokens === undefined ? Buffer.byteLength(text) : sizeWithin(text, 'token', tokens)
}

function isWithin(tokens: number, characters: number, limit: TextLimit): boolean {
  return tokens <= (limit.tokens ?? tokens) && characters <= (limit.characters ?? characters)
}

/** The budget of a preview that nobody set a size for. */
export async function previewBudget(shown: Source, sizeMode: SizeMode, most: number): Promise<number> {
  const unit = sizeMode === 'token' ? 1 : 4
  const text = typeof shown.value === 'string' ? shown.value : shown.json
  const size = await sizeWithin(text, sizeMode, (most + AROUND * unit) * PREVIEW_SHARE)
  if (size === undefined) return most
  const share = Math.floor(size / PREVIEW_SHARE) - AROUND * unit
  return Math.min(most, Math.max(LEAST_PREVIEW * unit, share))
}

/** @throws AnswerTooLarge unless what a model reads of the whole value is within the ceiling */
export async function checkCeiling(sources: Sources, { reads, ceiling }: AnswerLimits): Promise<number> {
  const size = await sizeReadWithin(sources, reads, ceiling)
  if (size !== undefined) return size
  throw tooLarge((await measure(sources.shown, 'token')).size, ceiling)
}

/** The same for a text that is given as it is. @throws AnswerTooLarge */
export async function checkTextCeiling(text: string, { ceiling }: AnswerLimits): Promise<void> {
  if ((await sizeOfText(text, ceiling)) === undefined)
    throw tooLarge((await measureText(text, 'token')).size, ceiling)
}

function tooLarge(tokens: number, ceiling: TextLimit): AnswerTooLarge {
  return new AnswerTooLarge(
    `That would be about ${tokens} tokens, and an answer has at most ${limitText(ceiling)}. Ask for pages instead (page: 1, 2, …; max_size: ${budgetWithin(ceiling, 'token')} gives the fewest), or for a part: ref_id#/key or ref_id#L1-L200.`,
  )
}
