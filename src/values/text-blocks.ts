import { isJsonObject, type JsonObject } from '../core/json.ts'
import { foldCase, freeSqlName } from './sql-names.ts'
import { MOST_TABLES, sharesKeys, tablesOf } from './tables.ts'

/** A text among several of one result, and where it stands in the text that they are together, in UTF-16 units. */
export interface TextBlock {
  /** Its position among the blocks of the result: it is the part `#/content/N`. */
  readonly content: number
  readonly start: number
  readonly end: number
}

/** What such a text is, and how many rows, items, records or lines it has; of an object: how many tables. */
export interface DescribedBlock {
  readonly content: number
  readonly kind: 'csv' | 'jsonl' | 'list' | 'map' | 'object' | 'text'
  readonly count: number
}

/** With a blank line between them. */
export const BETWEEN_TEXTS = '\n\n'

/** Of the table whose rows are objects that each have a block of their own. */
export const RECORDS_PATH = '/content'

/** The JSON Pointer of a block in the result. */
export function pathOfBlock({ content }: Pick<TextBlock, 'content'>): string {
  return `/content/${content}`
}

/** So many records are rows of one table, whatever is in them. */
const ENOUGH_RECORDS = 8

/** Whether objects, each in a block of its own, are the rows of one table: alike, and without tables of their own. */
export function areRecords(objects: readonly JsonObject[]): boolean {
  const [first] = objects
  if (!first || objects.length < 2) return false
  if (objects.length >= ENOUGH_RECORDS) return true
  return objects.every(object => sharesKeys(first, object) && !hasRecords(object))
}

function hasRecords(object: JsonObject): boolean {
  return tablesOf(object).some(({ of }) => !Array.isArray(of) || of.some(isJsonObject))
}

interface BlockTable {
  readonly content: number
  /** As it would be called if its block were all there is. */
  readonly name: string
  /** The block is this table, and nothing else. */
  readonly isBlock: boolean
}

/**
 * The names of the tables of several texts. The first that is a table is `items`; a list within an object keeps its name. What comes
 * later and would be called the same is named after its block: `content_2`, `content_2_orders`.
 */
export function blockTableNames(tables: readonly BlockTable[]): string[] {
  const taken = new Set(['lines', 'root', 'columns'])
  return tables.slice(0, MOST_TABLES).map(({ content, name, isBlock }) => {
    const own = isBlock ? 'items' : name
    const later = isBlock ? `content_${content}` : `content_${content}_${name}`
    return freeSqlName(taken.has(foldCase(own)) ? later : own, taken)
  })
}
