import type { JsonValue } from '../core/json.ts'
import type { CountedTable } from '../values/counted-tables.ts'
import type { DescribedBlock } from '../values/text-blocks.ts'
import type { Shrink } from './budget.ts'
import type { Items } from './items.ts'
import type { Size, SizeMode } from './measure.ts'
import type { Memo } from './memo.ts'
import type { Manner } from './shrink.ts'
import type { TextOutline } from './text-outline.ts'

/**
 * A value as previews and pages show it, in memory or in segments. Make one per value and keep it as long as the value is looked
 * at: it remembers what was found out about it.
 */
export interface Content extends Memo {
  /** What its pages are made of. */
  readonly items: Items
  /** JSON Pointer to these, where they are not all of the value; else empty. */
  readonly path: string
  /** The value is a text, and what is shown is the JSON that it is, in another form. */
  readonly isReformatted: boolean
  /** What is shown, where all of it is in memory. */
  readonly whole: Whole | undefined
  /** Its tables, counted once. */
  tables(): Promise<readonly CountedTable[]>
  /** Of a text that is several texts in one: what each of them is. */
  blocks(): Promise<readonly DescribedBlock[]>
  /** What a preview can be made of. */
  excerpt(wish: ExcerptWish): Promise<Excerpt>
  /** What all of the value would cost. */
  size(sizeMode: SizeMode): Promise<Size>
}

export interface Whole {
  readonly value: JsonValue
  /** Its compact JSON. */
  readonly json: string
}

export interface ExcerptWish {
  readonly manner: Manner
  /** About so many characters of JSON are needed to choose from. */
  readonly characters: number
}

export interface Excerpt {
  /** The value, or a sample of it. */
  readonly value: JsonValue
  /** About the most characters that could be shown of it. */
  readonly length: number
  readonly shrink: Shrink
  /** Where the value is a text. */
  readonly outline?: TextOutline
}
