import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  statSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isForeign } from '../core/current-user.ts'
import { InvalidArgument, StoreUnavailable } from '../core/errors.ts'
import { FORMAT_SUFFIX } from './format.ts'
import { PlaceUnusable } from './sqlite-errors.ts'

/** In a folder with this bit, such as /tmp, others may add files but not replace ours. */
const STICKY = 0o1000

/** What SQLite puts beside a file. */
const BESIDE = ['-wal', '-shm', '-journal']
const SUFFIXES = ['', ...BESIDE]

/**
 * `$XDG_CACHE_HOME/mcp-refcache/cache-3.db` (with the format in its name), else below `$HOME/.cache`.
 * @throws StoreUnavailable when the environment names neither
 */
export function defaultPath(name = 'cache'): string {
  const folder = cacheFolder()
  if (folder !== undefined) return join(folder, `${name}${FORMAT_SUFFIX}.db`)
  throw new PlaceUnusable(
    'There is no place for the default cache file, because neither HOME nor XDG_CACHE_HOME names a folder: set one of them, or give the path of a file',
  )
}

/** Where this user's caches are kept, if anywhere. The XDG rules say to ignore a relative `$XDG_CACHE_HOME`. */
export function cacheFolder(): string | undefined {
  const { XDG_CACHE_HOME: cacheHome = '', HOME = '' } = process.env
  if (isAbsolute(cacheHome)) return join(cacheHome, 'mcp-refcache')
  const home = process.platform === 'win32' ? homedir() : HOME
  return isAbsolute(home) ? join(home, '.cache', 'mcp-refcache') : undefined
}

/**
 * The path that a path or a `file:` URL names, made absolute. `file:cache.db` and `file:./cache.db` are relative.
 * @throws InvalidArgument when it names no file
 */
export function pathOf(place: string | URL): string {
  const text = place instanceof URL ? place.href : place
  if (typeof text !== 'string' || text === '' || text === ':memory:' || text.includes('\0')) {
    throw new InvalidArgument(
      'sqliteStore needs the path of a file. To do without a file, use memoryStore().',
    )
  }
  // One letter is a drive of Windows.
  const scheme = /^([a-z][a-z0-9+.-]+):(\/\/)?/i.exec(text)
  if (scheme?.[1]?.toLowerCase() === 'file') return resolve(pathOfUrl(text))
  if (scheme?.[2] === undefined) return resolve(text)
  throw new InvalidArgument(`sqliteStore takes a path or a file: URL; ${scheme[1]}: is something else.`)
}

function pathOfUrl(text: string): string {
  const rest = text.slice('file:'.length)
  if (/[?#]/.test(rest)) {
    throw new InvalidArgument(
      'The file: URL of sqliteStore takes no parameters: write ? as %3F, and # as %23.',
    )
  }
  try {
    const path = rest.startsWith('/') ? fileURLToPath(`file:${rest}`) : decodeURIComponent(rest)
    if (path !== '' && path !== ':memory:' && !/\0|\/$/.test(path)) return path
  } catch (cause) {
    throw new InvalidArgument(`sqliteStore cannot use this file: URL: ${(cause as Error).message}.`, {
      cause,
    })
  }
  throw new InvalidArgument('The file: URL of sqliteStore names no file.')
}

/**
 * Sees to it that a file is there, private to its user. What another user could have put there, to read what is
 * written or to be read, is refused in the default folder, where nobody chose it; at a path that was given, `warn` hears of it.
 *
 * A file that is there must not be opened and closed here: that would drop the locks that other connections of this
 * process hold on it (a POSIX rule).
 */
export function prepare(path: string, warn: (message: string) => void): void {
  const folder = dirname(path)
  const isDefault = folder === cacheFolder()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const doubts =
    process.platform === 'win32' ? [] : [...doubtsOfFolder(folder, isDefault), ...doubtsOfFiles(path)]
  const [doubt] = doubts
  if (doubt !== undefined && isDefault) {
    throw new StoreUnavailable(
      `The cache file ${path} is not used, because ${doubt}. Find out who put it there, then remove it; or give a path with --store, or to sqliteStore().`,
    )
  }
  for (const each of doubts) warn(`The cache file ${path} may be open to others: ${each}.`)
  if (isDefault) tighten(folder, 0o700)
  const found = filesAt(path)
  if (found.main === undefined) removeLeftovers(found)
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  // A link that was given may lead to where nothing is yet.
  if (existsSync(path)) requireWritable(path)
  requireWritable(folder)
}

/** Whether this user may write to a file that is there. */
export function isWritable(path: string): boolean {
  try {
    requireWritable(path)
    requireWritable(dirname(path))
    return true
  } catch {
    return false
  }
}

/** Deno refuses the question itself without `--allow-sys`; then the first write tells. */
function requireWritable(path: string): void {
  try {
    accessSync(path, constants.W_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error
  }
}

/** SQLite gives -wal and -shm the mode of the main file when it makes them; these may be there from before. */
export function makePrivate(path: string): void {
  for (const suffix of SUFFIXES) tighten(path + suffix, 0o600)
}

/** Which files are open. No two have one identity as long as the first is open. */
export interface OpenFiles {
  readonly main: string | undefined
  readonly beside: ReadonlyArray<readonly [path: string, identity: string | undefined]>
}

/**
 * What stands at the path now. What is beside is looked at first: where the main file is missing after that, it was left over. What comes
 * later may be of a process that makes the file at this moment.
 */
export function filesAt(path: string): OpenFiles {
  const beside = BESIDE.map(suffix => [path + suffix, identityOf(path + suffix)] as const)
  return { main: identityOf(path), beside }
}

/**
 * Whether the open file is no longer the one at its path: a cleaner, or a user, took it away. What is written to it then
 * is seen by nobody else. On Windows an open file cannot be taken away.
 */
export function isReplaced(path: string, open: OpenFiles): boolean {
  return process.platform !== 'win32' && identityOf(path) !== open.main
}

/** SQLite would take what was beside the old file for a part of the one that is at the path now. */
export function removeLeftovers({ beside }: OpenFiles): void {
  for (const [path, identity] of beside) {
    if (identity !== undefined && identityOf(path) === identity) rmSync(path, { force: true })
  }
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true })
  return stats && `${stats.dev}:${stats.ino}`
}

function doubtsOfFolder(folder: string, isDefault: boolean): string[] {
  if (isDefault && lstatSync(folder).isSymbolicLink()) return [`its folder ${folder} is a symbolic link`]
  const { uid, mode } = statSync(folder)
  if (isForeign(uid) && (isDefault || uid !== 0)) return [`its folder ${folder} belongs to another user`]
  const othersReplaceFiles = mode & 0o002 && !(mode & STICKY)
  return othersReplaceFiles && !isDefault ? [`others may write to its folder ${folder}`] : []
}

function doubtsOfFiles(path: string): string[] {
  return SUFFIXES.flatMap(suffix => {
    const file = path + suffix
    const own = lstatSync(file, { throwIfNoEntry: false })
    if (!own) return []
    const target = own.isSymbolicLink() ? statSync(file, { throwIfNoEntry: false }) : own
    if (target && !target.isFile()) throw notPlain(file)
    return [
      ...(own.isSymbolicLink() ? [`${file} is a symbolic link`] : []),
      ...(target ? doubtsOfFile(file, target) : []),
    ]
  })
}

function doubtsOfFile(file: string, { uid, nlink }: Stats): string[] {
  return [
    ...(isForeign(uid) ? [`${file} belongs to another user`] : []),
    ...(nlink > 1 ? [`${file} has another name, too (a hard link)`] : []),
  ]
}

/** A pipe would be waited for, and a device is nobody's file. */
function notPlain(file: string): StoreUnavailable {
  const cause = new Error(`${file} is no plain file`)
  return new StoreUnavailable(
    `The cache file ${file} cannot be opened: its path must be a file in a folder that this user may write to.`,
    { cause },
  )
}

/** What belongs to somebody else is theirs to open and to close. */
function tighten(path: string, mode: number): void {
  const stats = process.platform === 'win32' ? undefined : statSync(path, { throwIfNoEntry: false })
  if (stats && !isForeign(stats.uid) && stats.mode & 0o777 & ~mode) chmodSync(path, mode)
}
