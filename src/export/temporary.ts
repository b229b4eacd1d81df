import { createHash, randomBytes } from 'node:crypto'
import { lstat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/** `.mcp-refcache-<host>-<process>-<random>` */
const TEMPORARY = /^\.mcp-refcache-([0-9a-f]{8})-(\d{1,10})-[0-9a-f]{16}$/

const HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/** A file that somebody writes to is younger, whatever the process ids say that another container sees. */
const YOUNGEST_MS = 60_000
/** One of another machine, or of a process whose id somebody else has by now. */
const OLDEST_MS = 24 * 60 * 60_000

/** A name for a file that is not whole yet. It says which process writes it. */
export function temporaryName(): string {
  return `.mcp-refcache-${HOST}-${process.pid}-${randomBytes(8).toString('hex')}`
}

/** Whether a file of that name is written by this process. */
export function isOwnTemporary(name: string): boolean {
  const [, host, pid] = TEMPORARY.exec(name) ?? []
  return host === HOST && Number(pid) === process.pid
}

/**
 * Removes what a killed process has left of an export. Files of other names, of other users, and what a living process writes stay.
 * @returns whether it was removed
 */
export async function removeLeftover(path: string, name: string): Promise<boolean> {
  const [, host, pid] = TEMPORARY.exec(name) ?? []
  if (pid === undefined || isOwnTemporary(name)) return false
  const file = await lstat(path).catch(() => undefined)
  if (!file?.isFile() || file.uid !== (process.getuid?.() ?? file.uid)) return false
  const age = Date.now() - file.mtimeMs
  const isGone = host === HOST && !isAlive(Number(pid))
  if (age < (isGone ? YOUNGEST_MS : OLDEST_MS)) return false
  return unlink(path).then(
    () => true,
    () => false,
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
