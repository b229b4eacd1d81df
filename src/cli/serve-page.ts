import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readPrivateFile } from '../stores/private-file.ts'
import { cacheFolder } from '../stores/sqlite-place.ts'
import { PageListener } from '../ui/server/listener.ts'
import type { Sight } from '../ui/server/sight.ts'
import { CommandFailed, EXIT } from './exit.ts'

const KEY_BYTES = 32

/**
 * Serves the live page to whoever has the link.
 * @throws CommandFailed where the port is taken
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
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new CommandFailed(
      EXIT.portInUse,
      'port_in_use',
      `Port ${port} is in use. End what listens there, or choose another one with ${option}.`,
    )
  }
}

/** The user's own, so that pages that are open go on after a restart. Where it cannot be kept, they need a new link. */
function cookieKey(): Uint8Array {
  const folder = cacheFolder()
  const made = randomBytes(KEY_BYTES)
  if (folder === undefined) return made
  const path = join(folder, 'ui-key')
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(path, made.toString('hex'), { flag: 'wx', mode: 0o600 })
    return made
  } catch {
    return readKey(path) ?? made
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
