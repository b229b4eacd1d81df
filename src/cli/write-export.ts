import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { link, lstat, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { CommandFailed, EXIT } from './exit.ts'
import { harmless } from './show-answer.ts'

type Content = AsyncIterable<string | Uint8Array>

/** Writes to a pipe as it is, or to a terminal what cannot move its cursor; no faster than that takes it. */
export async function writeOut(content: Content, to: Writable & { readonly isTTY?: boolean }): Promise<void> {
  const decoder = new StringDecoder('utf8')
  const forTerminal = (chunk: string | Uint8Array) =>
    harmless(typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk)))
  for await (const chunk of content) {
    if (!to.write(to.isTTY ? forTerminal(chunk) : chunk)) await once(to, 'drain')
  }
}

/**
 * Writes a file for this user alone (0600). It gets its name when it is whole.
 * @param replaces a file of that name; else that is an error
 * @throws CommandFailed
 */
export async function writeFileWhole(content: Content, path: string, replaces: boolean): Promise<number> {
  await checkReplaceable(path)
  const temporary = join(dirname(path), `.${randomBytes(8).toString('hex')}.tmp`)
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

/** A device, a folder or a link is not what somebody wants to lose. @throws CommandFailed */
async function checkReplaceable(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined)
  if (!there || there.isFile()) return
  throw new CommandFailed(
    EXIT.failed,
    'not_a_file',
    `${path} is there and is no file. Give another name, or '-' for stdout.`,
  )
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
  const isOfSystem = typeof code === 'string' && /^E[A-Z0-9]+$/.test(code)
  return isOfSystem
    ? new CommandFailed(EXIT.failed, 'not_written', `${path} cannot be written: ${code}.`)
    : error
}
