import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'

/**
 * Puts a new text in the place of the one that was read before, in one step, with the file's mode and owner.
 *
 * @throws Error where the file has another text by now: somebody else wrote it
 */
export function replaceFile(path: string, before: string, after: string): void {
  const { mode, uid, gid } = statSync(path)
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writePrivately(temporary, after)
    const own = statSync(temporary)
    // Before the mode: what has another group must not be opened to this one.
    if (own.uid !== uid || own.gid !== gid) chownSync(temporary, uid, gid)
    chmodSync(temporary, mode & 0o7777)
    if (readFileSync(path, 'utf8') !== before) {
      throw new Error(`${path} was changed by somebody else meanwhile. Nothing was written: start again.`)
    }
    renameSync(temporary, path)
  } finally {
    rmSync(temporary, { force: true })
  }
}

/** A new file for this user alone, whose bytes have reached the disk. */
export function writePrivately(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
