import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { link, open, rename, rm } from 'node:fs/promises'
import type { Writable } from 'node:stream'
import { CommandFailed, EXIT } from './exit.ts'

type Content = AsyncIterable<string | Uint8Array>

/** Writes to a pipe or a terminal, no faster than that takes it. */
export async function writeOut(content: Content, to: Writable): Promise<void> {
  for await (const chunk of content) if (!to.write(chunk)) await once(to, 'drain')
}

/**
 * Writes a file for this user alone (0600). It gets its name when it is whole.
 * @param replaces a file of that name; else that is an error
 * @throws CommandFailed
 */
export async function writeFileWhole(content: Content, path: string, replaces: boolean): Promise<number> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const bytes = await writeAll(content, temporary)
    if (replaces) await rename(temporary, path)
    // A link, unlike a rename, never takes the place of a file that is there.
    else await link(temporary, path)
    return bytes
  } catch (error) {
    throw toFailure(error, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeAll(content: Content, path: string): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  let bytes = 0
  try {
    for await (const chunk of content) {
      const data = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      await file.writeFile(data)
      bytes += data.byteLength
    }
    await file.sync()
    return bytes
  } finally {
    await file.close()
  }
}

function toFailure(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EEXIST') {
    return new CommandFailed(
      EXIT.failed,
      'file_exists',
      `There is a file ${path}. Give another name, or --force.`,
    )
  }
  const isOfSystem = typeof code === 'string' && /^E[A-Z]+$/.test(code) && 'syscall' in (error as object)
  return isOfSystem
    ? new CommandFailed(EXIT.failed, 'not_written', `${path} cannot be written: ${code}.`)
    : error
}
