import { InvalidArgument } from '../core/errors.ts'
import { type KeySource, parseKeys } from './encrypted-keys.ts'
import { readPrivateFile } from './private-file.ts'

/** More than any number of keys takes. */
const MAX_BYTES = 64 * 1024

/**
 * Keys from a file: `id:base64` of 32 bytes, a line each, the current one first. They are read at once. The file has to
 * belong to the user of this process, and nobody else may have any access to it (`chmod 600`); Windows has no such
 * modes, and nothing of that is checked there. Nothing that the file says gets into a message.
 *
 * @throws InvalidArgument when it cannot be read, is not for this user alone, or holds a malformed key
 */
export function keysFromFile(path: string): KeySource {
  const what = `The key file ${path}`
  const text = readPrivateFile(path, what, MAX_BYTES).trim()
  if (text === '') {
    throw new InvalidArgument(
      `${what} is empty. It holds the keys to encrypt with: id:base64 of 32 random bytes (openssl rand -base64 32), a line each, the current one first.`,
    )
  }
  return parseKeys(text, /[\n,]/, `the key file ${path}`)
}
