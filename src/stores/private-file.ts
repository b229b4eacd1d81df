import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs'
import { currentUser } from '../core/current-user.ts'
import { InvalidArgument } from '../core/errors.ts'

const ACCESS_OF_OTHERS = 0o077

/**
 * The text of a file that holds secrets. It has to belong to the user of this process, and nobody else may have any access to
 * it (`chmod 600`); Windows has no such modes, and nothing of that is checked there.
 *
 * @param what how messages name it
 * @throws InvalidArgument when it cannot be read, is not for this user alone, or is too large
 */
export function readPrivateFile(path: string, what: string, maxBytes: number): string {
  const file = open(path, what)
  try {
    // What is checked is what is read: the opened file, whatever becomes of the path.
    checkPrivate(fstatSync(file), what, maxBytes)
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

function checkPrivate(stats: Stats, what: string, maxBytes: number): void {
  if (!stats.isFile()) throw new InvalidArgument(`${what} is not a file.`)
  if (stats.size > maxBytes) throw new InvalidArgument(`${what} is too large to be one.`)
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
