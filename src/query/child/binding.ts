/** The slice of a SQLite binding that questions need: `node:sqlite`, and `@photostructure/sqlite` where Node has none. */
export interface Binding {
  readonly DatabaseSync: new (path: string, options?: object) => Database
}

export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  function(name: string, options: object, call: (...values: Cell[]) => Cell): void
  close(): void
  /** Absent in some versions. */
  setAuthorizer?(decide: (action: number, first: string | null, second: string | null) => number): void
  enableDefensive?(on: boolean): void
}

export interface Statement {
  run(...cells: Cell[]): unknown
  iterate(): IterableIterator<unknown>
  setReadBigInts(on: boolean): void
  /** Absent in some versions. */
  setReturnArrays?(on: boolean): void
  columns?(): { name: string }[]
}

export type Cell = null | string | number | bigint | Uint8Array

/** Node's own SQLite where there is one, else the package. */
export async function loadBinding(): Promise<Binding> {
  // Its types know more than is needed here.
  return (process.getBuiltinModule?.('node:sqlite') ??
    (await import('@photostructure/sqlite'))) as unknown as Binding
}
