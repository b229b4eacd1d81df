import { RefCacheError, StoreFull, StoreUnavailable, ValueTooLarge } from '../core/errors.ts'

/** SQLite's primary result codes that call for different advice. */
const PERM = 3
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const PROTOCOL = 15
const TOOBIG = 18
const NOTADB = 26

const DAMAGED =
  'is damaged, or is no SQLite file. It was left as it is: move it away to begin with an empty cache, or choose another path'
const UNREACHABLE = 'cannot be opened: its path must be a file in a folder that this user may write to'
const UNWRITABLE =
  'cannot be written: make the file and its folder writable for this user, or choose another path'

/** No file can be kept at this place, or by this Node: for programs that can do without one. */
export class PlaceUnusable extends StoreUnavailable {
  override readonly name = 'StoreUnavailable'
}

const ADVICE = new Map<unknown, string>([
  [PERM, UNWRITABLE],
  [BUSY, 'stayed locked by another process: end that process, or raise busyTimeout'],
  [LOCKED, 'stayed locked by another process: end that process, or raise busyTimeout'],
  [PROTOCOL, 'stayed locked by another process: end that process, or raise busyTimeout'],
  [READONLY, UNWRITABLE],
  [CORRUPT, DAMAGED],
  [NOTADB, DAMAGED],
  [FULL, 'cannot grow because the disk is full: free some space'],
  [CANTOPEN, UNREACHABLE],
  ['ENOTDIR', UNREACHABLE],
  ['EISDIR', UNREACHABLE],
  ['ENOENT', UNREACHABLE],
  ['ENAMETOOLONG', UNREACHABLE],
  ['ELOOP', UNREACHABLE],
  ['EACCES', UNWRITABLE],
  ['EPERM', UNWRITABLE],
  ['EROFS', UNWRITABLE],
  ['ENOSPC', 'cannot grow because the disk is full: free some space'],
  ['EDQUOT', 'cannot grow because the quota is used up: free some space'],
])

/** There is no room on the disk, or in the file. */
const FULL_CODES: ReadonlySet<unknown> = new Set([FULL, 'ENOSPC', 'EDQUOT'])

/** Whether another connection was in the way, so that trying again may help. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error)
  return code === BUSY || code === LOCKED || code === PROTOCOL
}

/** Whether there was no room. */
export function isFull(error: unknown): boolean {
  return FULL_CODES.has(resultCode(error))
}

/**
 * What a failure of SQLite or of the file system means to a caller. Whatever else is thrown comes from the file, too: a
 * SyntaxError from a record that is no entry any more, and drivers do not number all errors.
 */
export function asStoreError(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error instanceof RefCacheError) return error
  const code = resultCode(error)
  if (code === TOOBIG)
    return new ValueTooLarge('The value is larger than SQLite can hold (1 GB).', { cause: error })
  const cause = error
  const damaged = error instanceof SyntaxError || (code === undefined && /malformed/.test(error.message))
  const advice = damaged ? DAMAGED : ADVICE.get(code)
  if (advice) {
    if (isFull(error)) return new StoreFull(`The cache file ${path} ${advice}. (${error.message})`, { cause })
    const kind = advice === UNREACHABLE || advice === UNWRITABLE ? PlaceUnusable : StoreUnavailable
    return new kind(`The cache file ${path} ${advice}. (${error.message})`, { cause })
  }
  return new StoreUnavailable(`The cache file ${path} failed: ${error.message}.`, { cause })
}

/** SQLite's primary result code, or the name of a failed system call's error. */
function resultCode(error: unknown): number | string | undefined {
  if (!(error instanceof Error)) return undefined
  const { errcode, code, syscall } = error as { errcode?: unknown; code?: unknown; syscall?: unknown }
  if (typeof errcode === 'number') return errcode & 0xff
  return typeof syscall === 'string' && typeof code === 'string' ? code : undefined
}
