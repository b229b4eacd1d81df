import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readPrivateFile } from '../stores/private-file.ts'
import { cacheFolder } from '../stores/sqlite-place.ts'
import { writePrivately } from './init/replace-file.ts'

const KEY_BYTES = 32

/**
 * What the page's cookies are signed with: the user's own key, so that pages that are open go on after a restart. Where it cannot be kept,
 * they need a new link.
 */
export function pageKey(): Uint8Array {
  const folder = cacheFolder()
  if (folder === undefined) return randomBytes(KEY_BYTES)
  try {
    return keptKey(join(folder, 'ui-key'))
  } catch {
    return randomBytes(KEY_BYTES)
  }
}

/** Where there is none, or none that is whole and this user's alone, it is made anew. @throws Error where it cannot be written */
export function keptKey(path: string): Uint8Array {
  const kept = readKey(path)
  if (kept) return kept
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const made = randomBytes(KEY_BYTES)
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`
  try {
    writePrivately(draft, made.toString('hex'))
    return firstKey(draft, path) ?? made
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Gives the draft the name of the key. Of two that start at once, the first one's is that of both: undefined, or the other one. */
function firstKey(draft: string, path: string): Uint8Array | undefined {
  try {
    // Unlike a rename it leaves alone what is there; and unlike a file that is being written it is whole at once.
    linkSync(draft, path)
    return undefined
  } catch {
    const kept = readKey(path)
    if (!kept) renameSync(draft, path)
    return kept
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
