import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { currentUser } from '../core/current-user.ts'
import { InvalidArgument } from '../core/errors.ts'
import { type KeySource, parseKeys } from './encrypted-keys.ts'

/** More than any number of keys takes. */
const MAX_BYTES = 64 * 1024
const ACCESS_OF_OTHERS = 0o077

/**
 * Keys from a file: `id:base64` of 32 bytes, a line each, the current one first. They are read at once. The file has to
 * belong to the user of this process, and nobody else may have any access to it (`chmod 600`); Windows has no such
 * modes, and nothing of that is checked there. Nothing that the file says gets into a message.
 *
 * @throws InvalidArgument when it cannot be read, is not for this user alone, or holds a malformed key
 */
export function keysFromFile(path: string): KeySource {
  const what = `The key file ${path}`
  const text = readPrivately(path, what).trim()
  if (text === '') {
    throw new InvalidArgument(
      `${what} is empty. It holds the keys to encrypt with: id:base64 of 32 random bytes (openssl rand -base64 32), a line each, the current one first.`,
    )
  }
  return parseKeys(text, /[\n,]/, `the key file ${path}`)
}

function readPrivately(path: string, what: string): string {
  const file = open(path, what)
  try {
    // What is checked is what is read: the opened file, whatever becomes of the path.
    checkPrivate(fstatSync(file), what)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function open(path: string, what: string): number {
  try {
    // A pipe is not waited for.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new InvalidArgument(`${what} cannot be read (${code}).`, { cause })
  }
}

function checkPrivate(stats: Stats, what: string): void {
  if (!stats.isFile()) throw new InvalidArgument(`${what} is not a file.`)
  if (stats.size > MAX_BYTES) throw new InvalidArgument(`${what} is too large to be one.`)
  const user = currentUser()
  if (user === undefined) return
  if (stats.uid !== user) {
    throw new InvalidArgument(`${what} belongs to another user (uid ${stats.uid}; this process has ${user}).`)
  }
  if ((stats.mode & ACCESS_OF_OTHERS) !== 0) {
    const mode = (stats.mode & 0o777).toString(8)
    throw new InvalidArgument(`${what} is open to others (mode ${mode}): chmod 600 makes it private.`)
  }
}
