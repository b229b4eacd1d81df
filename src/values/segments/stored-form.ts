import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { plainValue } from '../../core/serialize.ts'
import type { Steps } from '../../core/steps.ts'
import type { Shown } from '../projection.ts'
import { RESULT_PROJECTIONS } from '../result-projections.ts'
import { TextPieces } from '../text-pieces.ts'
import { type Envelope, envelopeOf } from './envelope.ts'

/** What a projection says besides what it shows. */
export type ShownFacts = Pick<Shown, 'about' | 'meta' | 'isToolResult' | 'blocks'>

/** How a large value that is shown through a projection is stored, so that what is shown can be read in pieces. */
export type StoredForm =
  /** As the text that is shown; the envelope stands around it. */
  | {
      readonly kind: 'text'
      readonly text: string | TextPieces
      readonly envelope: Envelope
      readonly facts: ShownFacts
    }
  /** As it is: all of it is shown, or that member. */
  | { readonly kind: 'value'; readonly member?: 'structuredContent'; readonly facts: ShownFacts }
  /** As it is, and behind it what is shown, which is put together from several places. */
  | { readonly kind: 'beside'; readonly shown: JsonValue | TextPieces; readonly facts: ShownFacts }

/** More metadata has no place beside an index. */
const LARGEST_META = 8 * 1024

/** Undefined: what is shown is known only to the program, or has no text in UTF-8. */
export function* storedForm(value: unknown, projection: string): Steps<StoredForm | undefined> {
  const stored = withPlainBlocks(value)
  const projected = RESULT_PROJECTIONS[projection]
  if (!projected) return undefined
  const shown = yield* projected.show(stored)
  if (!shown) return { kind: 'value', facts: {} }
  const facts = factsOf(shown)
  if (facts.meta && stringifyJson(facts.meta).length > LARGEST_META) return undefined
  if (shown.value === stored) return { kind: 'value', facts }
  if (!isJsonObject(stored)) return undefined
  if (shown.value === stored.structuredContent) return { kind: 'value', member: 'structuredContent', facts }
  if (typeof shown.value !== 'string') return { kind: 'beside', shown: shown.value, facts }
  const texts = shown.texts ?? new TextPieces([shown.value])
  if (!texts.isWellFormed) return undefined
  const text = shown.texts ?? shown.value
  const envelope = texts.pieces.length === 1 ? envelopeOf(stored, shown.value) : undefined
  return envelope ? { kind: 'text', text, envelope, facts } : { kind: 'beside', shown: text, facts }
}

function factsOf({ about, meta, isToolResult, blocks }: Shown): ShownFacts {
  return {
    ...(about ? { about } : {}),
    ...(meta ? { meta } : {}),
    ...(isToolResult ? { isToolResult } : {}),
    ...(blocks ? { blocks } : {}),
  }
}

/** A handler's result may hold what becomes JSON only when it is written. Its structured content, which may be large, stays as it is. */
function withPlainBlocks(value: unknown): JsonValue {
  if (typeof value !== 'object' || value === null) return value as JsonValue
  const { content, _meta } = value as JsonObject
  if (!Array.isArray(content)) return value as JsonValue
  const plain = plainValue(content) as JsonValue[]
  const meta = _meta === undefined ? undefined : (plainValue(_meta) as JsonValue)
  if (plain === content && meta === _meta) return value as JsonValue
  return { ...value, content: plain, ...(meta === undefined ? {} : { _meta: meta }) }
}
