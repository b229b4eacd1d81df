import { statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Backoff } from '../core/backoff.ts'
import type { SqliteDatabase } from './sqlite-driver.ts'
import { transaction } from './sqlite-file.ts'

/** Beyond this the -wal file is emptied. */
const MAX_WAL_BYTES = 16 * 1024 * 1024
const TRUNCATION_PAUSE_MS = 100
const TRUNCATION_TRIES = { firstMs: 200, maxMs: 800 }

/** So many pages may lie free, or that part of the file: what is written next takes them. */
const FREE_PAGES = { least: 64, part: 1 / 8 }
/** A step of the vacuum moves so many pages at first, and as many later as fit into the time. */
const VACUUM_STEP = { firstPages: 64, leastPages: 16, mostPages: 2048, maxMs: 8 }
/** Others have their turn in between. */
const VACUUM_PAUSE_MS = 20

/** Keeps the files of a store small: empties the -wal file, and gives back the room that deleted values leave. */
export class SqliteSpace {
  readonly #walPath: string
  readonly #truncations = new Backoff(TRUNCATION_TRIES)
  #nextTruncation = 0
  /** The file has become shorter; that is seen on the disk when the -wal file is emptied. */
  #hasShrunk = false
  #isShrinking = false
  #ended = false

  constructor(path: string) {
    this.#walPath = `${path}-wal`
  }

  /** Where others are in the way, a try may block for a moment and be for nothing; so after each it waits longer. */
  limitWal(database: SqliteDatabase): void {
    if (performance.now() < this.#nextTruncation) return
    if (sizeOf(this.#walPath) < (this.#hasShrunk ? 1 : MAX_WAL_BYTES)) return
    const done = truncateWal(database)
    if (done) {
      this.#hasShrunk = false
      this.#truncations.reset()
    }
    this.#nextTruncation = performance.now() + (done ? TRUNCATION_PAUSE_MS : this.#truncations.next())
  }

  /**
   * Gives free pages back to the disk, in small steps beside the work, until few are left. Where somebody is in the way, or the
   * file fails, the next call goes on. Files without incremental vacuum keep their pages.
   */
  async shrink(database: SqliteDatabase): Promise<void> {
    if (this.#isShrinking) return
    this.#isShrinking = true
    try {
      let pages = VACUUM_STEP.firstPages
      for (let excess = excessPages(database); excess > 0 && !this.#ended; excess = excessPages(database)) {
        const took = vacuum(database, Math.min(pages, excess))
        pages = pagesOfNextStep(pages, took)
        this.#hasShrunk = true
        this.limitWal(database)
        await sleep(VACUUM_PAUSE_MS, undefined, { ref: false })
      }
      if (this.#hasShrunk && !this.#ended) this.limitWal(database)
    } catch {
      // Another process writes, or the file was replaced.
    } finally {
      this.#isShrinking = false
    }
  }

  end(): void {
    this.#ended = true
  }
}

/**
 * Empties the -wal file into the main one, as far as no other connection is in the way; what stays is not lost.
 * SQLite itself never begins it anew as long as some process reads and another one writes. True when it is empty.
 */
export function truncateWal(database: SqliteDatabase): boolean {
  try {
    const { busy } = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: unknown }
    return busy === 0
  } catch {
    return false
  }
}

/** How many free pages are more than need be. */
function excessPages(database: SqliteDatabase): number {
  if (numberOf(database, 'auto_vacuum') !== INCREMENTAL) return 0
  const kept = Math.max(FREE_PAGES.least, numberOf(database, 'page_count') * FREE_PAGES.part)
  return Math.floor(numberOf(database, 'freelist_count') - kept)
}

const INCREMENTAL = 2

/** Says how many milliseconds it took. */
function vacuum(database: SqliteDatabase, pages: number): number {
  const begun = performance.now()
  transaction(database, () => database.exec(`PRAGMA incremental_vacuum(${pages})`))
  return performance.now() - begun
}

function pagesOfNextStep(pages: number, tookMs: number): number {
  const { leastPages, mostPages, maxMs } = VACUUM_STEP
  if (tookMs > maxMs) return Math.max(leastPages, Math.floor(pages / 2))
  return tookMs < maxMs / 2 ? Math.min(mostPages, pages * 2) : pages
}

function numberOf(database: SqliteDatabase, pragma: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() as object)[0])
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
