import type { JsonObject, JsonValue } from '../core/json.ts'
import type { Steps } from '../core/steps.ts'
import type { ResultFields } from './call-result.ts'
import type { TextBlock } from './text-blocks.ts'
import type { TextPieces } from './text-pieces.ts'

/** What previews and pages show of a stored value. */
export interface Shown {
  readonly value: JsonValue
  /** What `value` is, where it is several texts. */
  readonly texts?: TextPieces
  /** What a reader of the stored value is given, where that is a result of a tool: has to fit, too, for that to pass whole. */
  readonly fields?: ResultFields
  /** The stored value passes whole up to so many tokens, where nobody asked for fewer. */
  readonly wholeUpTo?: number
  /** How much of the stored value is no text, in bytes: `full` gives that beside its limit. */
  readonly mediaBytes?: number
  /** The stored value is a CallToolResult of MCP, which is passed on as it is. */
  readonly isToolResult?: true
  /** The value is several texts in one. */
  readonly blocks?: readonly TextBlock[]
  /** Short facts that stand beside a preview. */
  readonly about?: JsonObject
  /** Metadata of the value, for whoever handles its preview. */
  readonly meta?: JsonObject
}

/** What stands in another call's input for a stored value. */
export interface Used {
  readonly value: JsonValue
  /** What a text argument gets, where `value` is no text. @defaultValue its compact JSON */
  readonly text?: string
  /** Other forms of the same value: an argument of another type may want one of them. */
  readonly forms?: readonly JsonValue[]
  /** The tool's result that the value came in: a part may be named in that, too. */
  readonly result?: { readonly content: readonly JsonValue[]; readonly structuredContent?: JsonValue }
}

/** A stored value that wraps what its reader is after, and passes whole where that fits. */
export interface Wrapping {
  /** Undefined: this value wraps nothing, and is shown as it is. */
  show(stored: JsonValue): Steps<Shown | undefined>
  use(stored: JsonValue): Steps<Used>
  /** Most bytes of JSON that `full` gives, where what is more than the cache's own limit is media. */
  readonly fullLimitBytes?: number
}

/** What a projection is made for: to be shown in previews and pages, or to stand in another call's input. */
export type ProjectionPurpose = 'show' | 'use'

/** What of a value is shown or used, by name: for values that wrap what the reader is after. */
export type Projections = Readonly<
  Record<string, ((value: JsonValue, purpose: ProjectionPurpose) => JsonValue) | Wrapping>
>
