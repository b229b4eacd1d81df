import { brokenPackage, isMissing } from '../core/missing-package.ts'
import { PlaceUnusable } from './sqlite-errors.ts'

/** The slice of `node:sqlite` that the store uses; `@photostructure/sqlite` has the same. */
export interface SqliteDriver {
  readonly DatabaseSync: new (path: string, options?: { readOnly?: boolean }) => SqliteDatabase
}

/** The slice of a SQLite binding that the store needs; `node:sqlite` and `@photostructure/sqlite` have it. */
export interface SqliteDatabase {
  exec(sql: string): void
  prepare(sql: string): SqliteStatement
  close(): void
}

/** A prepared statement of that binding. */
export interface SqliteStatement {
  run(...parameters: SqliteValue[]): { readonly changes: number | bigint }
  get(...parameters: SqliteValue[]): unknown
  all(...parameters: SqliteValue[]): unknown[]
}

/** A value of a column. */
export type SqliteValue = null | number | string | Uint8Array

const MISSING =
  'The SQLite store needs Node 22.13 or newer, or the package @photostructure/sqlite beside mcp-refcache (npm install @photostructure/sqlite where mcp-refcache is installed; for the command, npm install --global mcp-refcache @photostructure/sqlite). To do without a file, use the memory store (--store memory).'

/**
 * Node's own SQLite where there is one, else the package.
 *
 * @throws PlaceUnusable when there is neither, and says what to install; or when the package does not load, and says why.
 */
export async function loadDriver(): Promise<SqliteDriver> {
  const builtin = builtinDriver()
  if (builtin) return builtin
  try {
    return await import('@photostructure/sqlite')
  } catch (cause) {
    throw new PlaceUnusable(
      isMissing('@photostructure/sqlite', cause) ? MISSING : brokenPackage('@photostructure/sqlite', cause),
      { cause },
    )
  }
}

/**
 * Node says once that SQLite is experimental; whoever chose this store has no use for it. Loading is
 * synchronous.
 */
function builtinDriver(): SqliteDriver | undefined {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule?.('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

let warned = false

/**
 * Says once a process that this SQLite can, on rare occasions, corrupt a file that several processes write.
 */
export function warnOfWalResetBug(version: string): void {
  if (warned || !hasWalResetBug(version)) return
  warned = true
  process.emitWarning(
    `SQLite ${version} has the WAL-reset bug, which can corrupt a file that several processes write at once. It is fixed in 3.51.3, 3.50.7 and 3.44.6: use a newer Node.`,
    { type: 'RefCacheWarning', code: 'REFCACHE_SQLITE_WAL_RESET' },
  )
}

const FIRST_FIXED_PATCH = new Map([
  [44, 6],
  [50, 7],
  [51, 3],
])

export function hasWalResetBug(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major !== 3) return major < 3
  return minor <= 51 && patch < (FIRST_FIXED_PATCH.get(minor) ?? Number.POSITIVE_INFINITY)
}
