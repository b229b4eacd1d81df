import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readPrivateFile } from '../stores/private-file.ts'
import { cacheFolder } from '../stores/sqlite-place.ts'
import { PageListener } from '../ui/server/listener.ts'
import type { Sight } from '../ui/server/sight.ts'
import { CommandFailed, EXIT } from './exit.ts'

const KEY_BYTES = 32

/**
 * Serves the live page to whoever has the link.
 * @throws CommandFailed where the port is taken, or not for this user
 */
export async function servePage(
  port: number,
  option: string,
  sight: () => Sight,
  onLink: (url: string) => void,
): Promise<PageListener> {
  const page = new URL('../ui/page/', import.meta.url)
  const listener = new PageListener({ port, sight, page, key: cookieKey(), onLink })
  try {
    await listener.start()
    return listener
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES') {
      const advice = `Port ${port} is not for this user. Choose one from 1024 on with ${option}.`
      throw new CommandFailed(EXIT.failed, 'port_not_allowed', advice)
    }
    if (code !== 'EADDRINUSE') throw error
    throw new CommandFailed(
      EXIT.portInUse,
      'port_in_use',
      `Port ${port} is in use. End what listens there, or choose another one with ${option}.`,
    )
  }
}

/**
 * The user's own, so that pages that are open go on after a restart. Where there is none, or none that is whole and this user's alone, it
 * is made anew. Where it cannot be kept, pages need a new link.
 */
function cookieKey(): Uint8Array {
  const folder = cacheFolder()
  const path = folder === undefined ? undefined : join(folder, 'ui-key')
  const made = randomBytes(KEY_BYTES)
  if (path === undefined) return made
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    // Of two that start at once the first one's is that of both.
    if (keepKey(path, made)) return made
    const kept = readKey(path)
    if (kept) return kept
    rmSync(path, { force: true })
    keepKey(path, made)
  } catch {
    // It is good for this run.
  }
  return made
}

/** False: there is one. */
function keepKey(path: string, key: Uint8Array): boolean {
  try {
    writeFileSync(path, Buffer.from(key).toString('hex'), { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function readKey(path: string): Uint8Array | undefined {
  try {
    const key = Buffer.from(readPrivateFile(path, 'The key of the page', 1_000), 'hex')
    return key.length === KEY_BYTES ? key : undefined
  } catch {
    return undefined
  }
}
