import type { JsonValue } from '../core/json.ts'
import type { ValueDocument } from '../values/value-document.ts'

/** A value that is asked. */
export interface SqlSource {
  /** What it is known by: the same id is the same value. */
  readonly id: string
  /** What its tables are called after, where it stands beside others. */
  readonly name?: string | undefined
  /** Called when its tables are not loaded yet. */
  open(): Promise<SqlDocument>
}

/** A value as text: its JSON, or the text that it is. What is known of it besides makes loading faster. */
export type SqlDocument = Pick<ValueDocument, 'kind' | 'text'> &
  Partial<Pick<ValueDocument, 'length' | 'containers' | 'blocks' | 'utf8'>>

export interface SqlQuestion {
  /** Who asks: callers take turns. */
  readonly caller: string
  readonly sources: readonly SqlSource[]
  readonly sql: string
  /** The largest answer, in bytes of JSON. */
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface SqlAnswer {
  readonly rows: JsonValue[]
  readonly columns: readonly string[]
  /** What is to be said of an answer without rows. */
  readonly note?: string | undefined
}

/** Asks values in SQL: what the flow knows of it. */
export interface Sql {
  /** Why there is no SQL in this place. */
  readonly unavailable?: string | undefined
  /** Refuses at once what is no question in SQL. @throws InvalidArgument */
  check(sql: string): void
  /** @throws InvalidArgument where the question is at fault; QueryLimit; the signal's reason */
  ask(question: SqlQuestion): Promise<SqlAnswer>
  close(): Promise<void>
}
