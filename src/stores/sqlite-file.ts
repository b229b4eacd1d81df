import { existsSync } from 'node:fs'
import { StoreUnavailable } from '../core/errors.ts'
import { OLDER_FORMATS, STORE_FORMAT, unknownFormat } from './format.ts'
import { CHANGES_SCHEMA } from './sqlite-changes.ts'
import {
  type SqliteDatabase,
  type SqliteDriver,
  type SqliteStatement,
  warnOfWalResetBug,
} from './sqlite-driver.ts'
import { isBusy, isFull, PlaceUnusable } from './sqlite-errors.ts'
import { LISTING_SCHEMA } from './sqlite-listing.ts'
import { addOwners } from './sqlite-owners.ts'
import { makePrivate, prepare } from './sqlite-place.ts'
import { SEGMENTS_SCHEMA } from './sqlite-segments.ts'
import { USAGE_SCHEMA } from './sqlite-usage.ts'

/** "Refc": says in the file's header whose file it is. */
export const APPLICATION_ID = 0x52656663

const SCHEMA = `
  CREATE TABLE entries (
    ref_id TEXT NOT NULL PRIMARY KEY,
    namespace TEXT NOT NULL,
    key TEXT UNIQUE,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    expires_at INTEGER,
    record TEXT NOT NULL
  );
  CREATE INDEX entries_by_namespace ON entries (namespace, ref_id);
  CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL;
  CREATE INDEX entries_by_status ON entries (status, ref_id);
  CREATE TABLE parts (
    ref_id TEXT NOT NULL REFERENCES entries (ref_id) ON DELETE CASCADE,
    part TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (ref_id, part)
  );
  PRAGMA application_id = ${APPLICATION_ID};
`

/** What stands beside the schema, each with the name of a part of it. */
const ADDITIONS = [
  ['store_totals', USAGE_SCHEMA],
  ['entries_by_creation', LISTING_SCHEMA],
  ['change_history', CHANGES_SCHEMA],
] as const

export interface OpenOptions {
  /** Nothing is made or changed: neither the file, nor its mode, nor its format. */
  readonly readOnly: boolean
  /** How long a statement may block the process when another one holds the lock. */
  readonly blockMs: number
  /** Hears what the operator should know of the file. */
  readonly warn: (message: string) => void
}

/**
 * Opens the file, which is made if need be, private to its user. A file that is not ours, or has
 * another format, is refused before anything about it is changed. Fails with the driver's own errors.
 */
export function openDatabase(
  driver: SqliteDriver,
  path: string,
  { blockMs, warn, readOnly }: OpenOptions,
): SqliteDatabase {
  if (readOnly) return openForReading(driver, path, blockMs)
  prepare(path, warn)
  refuseForeign(driver, path)
  const database = new driver.DatabaseSync(path)
  try {
    // First of all, because the statements that follow can meet a lock already.
    database.exec(`PRAGMA busy_timeout = ${blockMs}`)
    warnOfWalResetBug(String(value(database, 'SELECT sqlite_version()')))
    checkOurs(database, path)
    makePrivate(path)
    // NORMAL: a commit is in the system's hands when it returns, so it outlives kill -9. A power cut may take
    // the latest commits, but cannot tear one. The size limit gives back the room that a large value took.
    // Before the first table, or never. Where there are tables it would wait for a lock, for nothing.
    if (isEmpty(database)) database.exec('PRAGMA auto_vacuum = INCREMENTAL')
    database.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA foreign_keys = ON;
      PRAGMA journal_size_limit = ${64 * 1024 * 1024};
    `)
    makeSchema(database, path)
    for (const [what, schema] of ADDITIONS) addSchema(database, what, schema)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function openForReading(driver: SqliteDriver, path: string, blockMs: number): SqliteDatabase {
  if (!existsSync(path))
    throw new PlaceUnusable(`There is no cache file ${path}: nothing was kept there yet.`)
  const database = new driver.DatabaseSync(path, { readOnly: true })
  try {
    database.exec(`PRAGMA busy_timeout = ${blockMs}`)
    checkOurs(database, path)
    if (isEmpty(database))
      throw new PlaceUnusable(`The cache file ${path} is empty: nothing was kept there yet.`)
    checkFormat(database)
    if (ADDITIONS.every(([what]) => has(database, what))) return database
    throw new StoreUnavailable(
      `The cache file ${path} was written by an older mcp-refcache. Open it once to write, as a server on it does, then look at it.`,
    )
  } catch (error) {
    database.close()
    throw error
  }
}

/**
 * The pattern of every write: all of it or nothing, with the write lock taken at the start. Whoever had the lock before
 * may have converted the file.
 */
export function transaction<T>(database: SqliteDatabase, work: () => T): T {
  return locked(database, () => {
    checkFormat(database)
    return work()
  })
}

function locked<T>(database: SqliteDatabase, work: () => T): T {
  begin(database)
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(database)
    throw error
  }
}

function begin(database: SqliteDatabase): void {
  try {
    database.exec('BEGIN IMMEDIATE')
  } catch (error) {
    // One that could not be rolled back, because the disk failed, must not stand in the way for ever.
    if (!/within a transaction/.test((error as Error).message)) throw error
    database.exec('ROLLBACK')
    database.exec('BEGIN IMMEDIATE')
  }
}

/** A full disk or a failing one ends the transaction by itself; the first error is the one to report. */
function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {}
}

/**
 * Looks at what others are at work on, or left behind, without a way to write. Whoever closes a file last moves what its
 * program left in the -wal file into the main one.
 */
function refuseForeign(driver: SqliteDriver, path: string): void {
  if (!existsSync(`${path}-wal`)) return
  let database: SqliteDatabase | undefined
  try {
    database = new driver.DatabaseSync(path, { readOnly: true })
    checkOurs(database, path)
  } catch (error) {
    // What cannot be read in this way is looked at again before anything is written.
    if (error instanceof StoreUnavailable) throw error
  } finally {
    database?.close()
  }
}

/** An empty file is ours to fill. */
function checkOurs(database: SqliteDatabase, path: string): void {
  // Looked at first: another process may be about to fill it, in one step with its id.
  const isNew = isEmpty(database)
  const owner = value(database, 'PRAGMA application_id')
  if (owner === APPLICATION_ID) checkFormat(database, [STORE_FORMAT, ...OLDER_FORMATS])
  else if (owner !== 0 || !isNew) {
    throw new StoreUnavailable(`The file ${path} is a database of another program: choose another path.`)
  }
}

const formatStatements = new WeakMap<SqliteDatabase, SqliteStatement>()

/** @throws UnknownStoreFormat also where another version converted the file while it is open here */
export function checkFormat(database: SqliteDatabase, known: readonly number[] = [STORE_FORMAT]): void {
  let statement = formatStatements.get(database)
  if (!statement) {
    statement = database.prepare('PRAGMA user_version')
    formatStatements.set(database, statement)
  }
  const { user_version: format } = statement.get() as { user_version: number }
  if (known.includes(format)) return
  const { file } = database.prepare('PRAGMA database_list').get() as { file: string }
  throw unknownFormat(format, `The cache file ${file}`, 'path')
}

function makeSchema(database: SqliteDatabase, path: string): void {
  const before = value(database, 'PRAGMA user_version')
  if (before === STORE_FORMAT) return
  if (before !== 0) backUp(database, `${path}.format-${before}`)
  locked(database, () => {
    // Another process may have been quicker.
    checkOurs(database, path)
    const format = value(database, 'PRAGMA user_version')
    if (format === STORE_FORMAT) return
    if (format === 0) database.exec(SCHEMA)
    if (Number(format) < 2) database.exec(SEGMENTS_SCHEMA)
    addOwners(database)
    database.exec(`PRAGMA user_version = ${STORE_FORMAT}`)
  })
  if (before !== 0) makeShrinkable(database)
}

/** A converted file is written anew once, because only then it can shrink later. Where others are at work on it, it stays as it is. */
function makeShrinkable(database: SqliteDatabase): void {
  try {
    database.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM')
  } catch (error) {
    if (!isBusy(error) && !isFull(error)) throw error
  }
}

/** A file that was made without it gets it once. */
function addSchema(database: SqliteDatabase, what: string, schema: string): void {
  if (has(database, what)) return
  locked(database, () => {
    if (!has(database, what)) database.exec(schema)
  })
}

function has(database: SqliteDatabase, what: string): boolean {
  return value(database, `SELECT count(*) FROM sqlite_schema WHERE name = '${what}'`) === 1
}

/** Before a file is converted: its older version can go on from there. */
function backUp(database: SqliteDatabase, copy: string): void {
  if (existsSync(copy)) return
  database.prepare('VACUUM INTO ?').run(copy)
  makePrivate(copy)
}

function isEmpty(database: SqliteDatabase): boolean {
  return value(database, 'SELECT count(*) FROM sqlite_schema') === 0
}

/** The first column of the first row. */
function value(database: SqliteDatabase, sql: string): unknown {
  return Object.values(database.prepare(sql).get() as object)[0]
}
