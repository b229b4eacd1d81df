import type { JsonValue } from '../core/json.ts'
import type { Container } from './segments/segment-index.ts'
import type { TextBlock } from './text-blocks.ts'

export interface ReadOptions {
  /** Ends the reading with its reason. */
  readonly signal?: AbortSignal | undefined
}

/** A table of a value, without `root`, `lines` and `columns`, which every value has. */
export interface ReadableTable {
  readonly name: string
  /** JSON Pointer to the list or the map. */
  readonly path: string
  readonly kind: 'list' | 'map' | 'csv' | 'jsonl'
  /** How many rows there are, where that is known. */
  readonly rows?: number
}

/** An item of a list, or a member that is neither a list nor an object. */
export interface DocumentItem {
  /** JSON Pointer. */
  readonly path: string
  /** Its JSON; of a text that text, unless it stands in the outermost list. */
  readonly text: string
  /** The next item is more of it: it is too large to be handed out whole. */
  readonly goesOn?: true
}

/** `json-text`: a text that is JSON, of which reading it as that loses nothing. */
export type DocumentKind = 'json' | 'text' | 'json-text'

/**
 * The value of an entry as it is shown, read piece by piece: a result of a tool of MCP without its envelope. Values of any size read
 * alike; those that are small are held in memory.
 *
 * @throws NotFound, UnreadableValue while it is read
 */
export interface ValueDocument {
  readonly kind: DocumentKind
  /** UTF-16 units of `text()`. */
  readonly length: number
  /** Of JSON: where its larger lists and objects stand in `text()`, the outermost first; none: it is a single value. */
  readonly containers?: readonly Container[]
  /** The text is several texts in one, each with tables of its own. */
  readonly blocks?: readonly TextBlock[]
  /** All of it in order, in chunks that part no character: a text as it is, anything else as compact JSON. */
  text(options?: ReadOptions): AsyncGenerator<string, void>
  /** The same in UTF-8, where it is stored so: nothing has to become a text. */
  utf8?(options?: ReadOptions): AsyncGenerator<Uint8Array, void>
  slice(start: number, end: number): Promise<string>
  /** A text that is JSON is taken as that JSON. */
  tables(): Promise<readonly ReadableTable[]>
  /** The rows of one of its tables in order, in batches: the items of a list, the records of a map with their `key`. */
  rows(table: ReadableTable, options?: ReadOptions): AsyncGenerator<readonly JsonValue[], void>
  /** The same, as JSON of lists. */
  rowsJson(table: ReadableTable, options?: ReadOptions): AsyncGenerator<string, void>
  /** Of JSON: what there is in its lists, and beside them, in batches. Of a text: nothing. */
  items(options?: ReadOptions): AsyncGenerator<readonly DocumentItem[], void>
}
