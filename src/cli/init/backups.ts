import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import type { Change } from '../../clients/change.ts'
import { editConfig } from '../../clients/edit-config.ts'
import { parseRoot } from '../../clients/parse-config.ts'
import type { Companion, Entry, FilePlan } from './file-plan.ts'
import { withSource } from './gather.ts'
import { entryAt } from './plan.ts'
import { replaceFile, writePrivately } from './replace-file.ts'

const entry = z.record(z.string(), z.unknown())

/** What one run of `init` did to one file. */
const runRecord = z.object({
  /** The same for all files of one run. */
  run: z.string(),
  path: z.string(),
  /** The file as it was, for this user alone. */
  backup: z.string(),
  /** Of the text that was written. */
  written: z.string(),
  servers: z.array(z.object({ place: z.array(z.string()).readonly(), before: entry, after: entry })),
  /** The file that servers went to: as it was, and the digest of what was written. */
  companion: z.object({ path: z.string(), before: z.string().optional(), written: z.string() }).optional(),
})

type RunRecord = z.infer<typeof runRecord>

export type Undone =
  | { readonly path: string; readonly kind: 'restored' }
  /** The file went on changing: only the entries were put back. Where some were not, `backup` is the file as it was. */
  | {
      readonly path: string
      readonly kind: 'entries-restored'
      readonly kept: readonly string[]
      readonly backup?: string
    }
  | { readonly path: string; readonly kind: 'refused'; readonly reason: string }

/** The files as they were before `init` changed them, newest last, in a folder for this user alone. */
export class Backups {
  constructor(private readonly folder: string) {}

  /** The name of a run, for all files that it changes. */
  newRun(): string {
    return randomBytes(8).toString('hex')
  }

  /** Writes a plan's new text, after its file as it is was put away. @throws Error where that cannot be done */
  apply({ path, text, newText, servers, companion }: FilePlan, run = this.newRun()): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 })
    const name = `${Date.now().toString().padStart(15, '0')}-${randomBytes(4).toString('hex')}`
    const backup = join(this.folder, `${name}-${basename(path)}`)
    const record: RunRecord = {
      run,
      path,
      backup,
      written: digest(newText),
      servers: servers.flatMap(({ place, before, after }) => (after ? [{ place, before, after }] : [])),
      ...(companion ? { companion: recordOf(companion) } : {}),
    }
    writePrivately(backup, text)
    writePrivately(join(this.folder, `${name}.json`), JSON.stringify(record))
    try {
      // First, so that no server is nowhere if this ends here.
      if (companion) putCompanion(companion)
      replaceFile(path, text, newText)
    } catch (error) {
      if (record.companion) takeBack(record.companion)
      this.#forget(join(this.folder, `${name}.json`), record)
      throw error
    }
  }

  /** Takes back what the last run did. What others changed since is left alone, and said. */
  undo(): Undone[] {
    if (!existsSync(this.folder)) return []
    const read = readdirSync(this.folder)
      .filter(name => /^\d{15}-\w+\.json$/.test(name))
      .sort()
      .map(name => this.#read(join(this.folder, name)))
    const damaged = read.flatMap(one => ('record' in one ? [] : [one]))
    const kept = read.flatMap(one => ('record' in one ? [one] : []))
    const last = kept.filter(({ record }) => record.run === kept.at(-1)?.record.run)
    return [...damaged, ...last.map(({ file, record }) => this.#undoOne(file, record))]
  }

  /** A record that cannot be read is put aside: it stands in the way of no other, and is named once. */
  #read(file: string): { file: string; record: RunRecord } | (Undone & { kind: 'refused' }) {
    try {
      return { file, record: runRecord.parse(JSON.parse(readFileSync(file, 'utf8'))) }
    } catch {
      const aside = `${file}.damaged`
      renameSync(file, aside)
      const reason = `this record of a run is damaged, and now named ${aside}. What the run changed stays; copies of files as they were are in ${this.folder}.`
      return { path: file, kind: 'refused', reason }
    }
  }

  /** What it could not put back is a matter for its user, who still has the file as it was: the next one goes back further. */
  #undoOne(file: string, record: RunRecord): Undone {
    const { path, backup } = record
    try {
      const undone = restore(record)
      const isWhole = undone.kind === 'restored' || (undone.kind === 'entries-restored' && !undone.backup)
      // Something may start from it, where an entry stays.
      if (isWhole && record.companion) takeBack(record.companion)
      rmSync(file, { force: true })
      if (isWhole) rmSync(backup, { force: true })
      return undone
    } catch (error) {
      return { path, kind: 'refused', reason: `${(error as Error).message} The file as it was is ${backup}.` }
    }
  }

  #forget(file: string, { backup }: RunRecord): void {
    rmSync(file, { force: true })
    rmSync(backup, { force: true })
  }
}

type CompanionRecord = NonNullable<RunRecord['companion']>

function recordOf({ path, before, text }: Companion): CompanionRecord {
  return { path, written: digest(text), ...(before === undefined ? {} : { before }) }
}

function putCompanion({ path, before, text }: Companion): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (before === undefined) writePrivately(path, text)
  else replaceFile(path, before, text)
}

/** Where somebody changed it since, it stays: nothing starts from it any more. */
function takeBack({ path, before, written }: CompanionRecord): void {
  if (!existsSync(path)) return
  const text = readFileSync(path, 'utf8')
  if (digest(text) !== written) return
  if (before === undefined) rmSync(path)
  else replaceFile(path, text, before)
}

/** @throws Error where the file cannot be read or written */
function restore(record: RunRecord): Undone {
  const { path, backup, written } = record
  if (!existsSync(path)) return refused(record, 'it is gone')
  const text = readFileSync(path, 'utf8')
  if (digest(text) === written) {
    replaceFile(path, text, readFileSync(backup, 'utf8'))
    return { path, kind: 'restored' }
  }
  const { changes, kept } = inverse(record, parseRoot(text, path), readFileSync(backup, 'utf8'))
  if (changes.length === 0) return refused(record, 'its servers were changed since')
  replaceFile(path, text, editConfig(text, path, changes))
  return { path, kind: 'entries-restored', kept, ...(kept.length === 0 ? {} : { backup }) }
}

function refused({ path, backup }: RunRecord, why: string): Undone {
  return {
    path,
    kind: 'refused',
    reason: `${why}. The file as it was is ${backup}: put back by hand what you want of it.`,
  }
}

/** The changes that put back every entry that is still as it was written. */
function inverse(
  { path, servers }: RunRecord,
  root: Entry,
  original: string,
): { changes: Change[]; kept: string[] } {
  const isAsWritten = ({ place, after }: RunRecord['servers'][number]) =>
    isDeepStrictEqual(asStored(entryAt(root, place)), asStored(after))
  return {
    // An entry that was not there goes away again.
    changes: servers
      .filter(isAsWritten)
      .map(({ place, before }) =>
        Object.keys(before).length === 0 ? { place } : withSource(original, path, { place, value: before }),
      ),
    kept: servers.filter(server => !isAsWritten(server)).map(({ place }) => place.at(-1) ?? ''),
  }
}

/** As it comes out of a record. */
function asStored(entry: Entry): unknown {
  return JSON.parse(JSON.stringify(entry))
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
