import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-driver.ts'

/** The statements of one database, each prepared once. */
export class SqliteStatements {
  readonly #prepared = new Map<string, SqliteStatement>()

  constructor(private readonly database: SqliteDatabase) {}

  exec(sql: string): void {
    this.database.exec(sql)
  }

  /** Says how many rows it changed. */
  run(sql: string, ...parameters: SqliteValue[]): number {
    return Number(this.#prepare(sql).run(...parameters).changes)
  }

  /** The first row. */
  get(sql: string, ...parameters: SqliteValue[]): unknown {
    return this.#prepare(sql).get(...parameters)
  }

  all(sql: string, ...parameters: SqliteValue[]): unknown[] {
    return this.#prepare(sql).all(...parameters)
  }

  #prepare(sql: string): SqliteStatement {
    let statement = this.#prepared.get(sql)
    if (!statement) {
      statement = this.database.prepare(sql)
      this.#prepared.set(sql, statement)
    }
    return statement
  }
}
