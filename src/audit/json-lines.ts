import {
  close as closeFile,
  constants,
  fchmodSync,
  fstatSync,
  fsync,
  mkdirSync,
  openSync,
  readSync,
  write as writeFile,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import type { AuditEvent, AuditSink } from '../access/audit.ts'
import { permissionText } from '../access/permission.ts'
import { isForeign } from '../core/current-user.ts'
import { InvalidArgument } from '../core/errors.ts'
import { hideSession, sessionDigest } from '../core/hidden-session.ts'

/** Options of `auditFile`. */
export interface AuditFileOptions {
  /**
   * Hears of a file that cannot be written: once, and again only when it could be written in between.
   * @defaultValue a line on stderr
   */
  onError?: ((error: Error) => void) | undefined
}

/** What may wait for a file that takes lines, only slowly, in UTF-16 units. */
const MAX_BACKLOG = 64 * 1024 * 1024
/** The same for a file that cannot be written. What comes after that is counted, and lost. */
const MAX_WAITING = 8 * 1024 * 1024

const files = {
  write: promisify(writeFile),
  sync: promisify(fsync),
  close: promisify(closeFile),
}

/**
 * An audit sink that appends one JSON object a line to a file. The file is its user's alone: made with mode 0600 in a
 * folder that is made with 0700, and an existing one with a wider mode is tightened. Sessions are named by digests.
 *
 * Lines are written soon after their event; `close` waits for the last one. A file that cannot be written never harms the
 * cache: lines wait for it, and where they become too many, a line says how many were lost.
 *
 * @throws InvalidArgument when the file cannot be opened, or is no plain file
 */
export function auditFile(path: string, options: AuditFileOptions = {}): Required<AuditSink> {
  const { onError = error => void process.stderr.write(`mcp-refcache: ${error.message}\n`) } = options
  return new AuditFile(path, onError)
}

class AuditFile implements Required<AuditSink> {
  readonly #file: number
  #lines: string[] = []
  #waiting = 0
  /** Bytes that are on their way; a line that was written in part is completed before anything else. */
  #rest: Uint8Array
  #lost = { count: 0, at: '' }
  #failing = false
  #writing: Promise<void> | undefined
  #closed: Promise<void> | undefined

  constructor(
    private readonly path: string,
    private readonly onError: (error: Error) => void,
  ) {
    this.#file = openPrivately(path)
    this.#rest = endsLine(this.#file) ? new Uint8Array() : Buffer.from('\n')
  }

  write(event: AuditEvent): void {
    try {
      if (this.#closed) throw new Error('it was closed')
      this.#add(lineOf(event), event.at)
      this.#writing ??= this.#drain()
    } catch (error) {
      this.#report(error)
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end()
    return this.#closed
  }

  #add(line: string, at: Date): void {
    if (this.#waiting + line.length > (this.#failing ? MAX_WAITING : MAX_BACKLOG)) {
      this.#lost = { count: this.#lost.count + 1, at: at.toISOString() }
      return
    }
    this.#lines.push(line)
    this.#waiting += line.length
  }

  async #drain(): Promise<void> {
    // What comes in one turn is written at once; and so this never ends before `#writing` is set.
    await undefined
    try {
      while (this.#rest.length > 0 || this.#lines.length > 0 || this.#lost.count > 0) {
        if (this.#rest.length === 0) this.#rest = this.#take()
        const { bytesWritten } = await files.write(this.#file, this.#rest)
        this.#rest = this.#rest.subarray(bytesWritten)
      }
      this.#failing = false
    } catch (error) {
      // It stays where it is: the next event tries again, and so does the end.
      this.#report(error)
    } finally {
      this.#writing = undefined
    }
  }

  #take(): Uint8Array {
    const { count, at } = this.#lost
    if (count > 0) this.#lines.push(`${JSON.stringify({ at, lost: count })}\n`)
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    this.#waiting = 0
    this.#lost = { count: 0, at: '' }
    return bytes
  }

  async #end(): Promise<void> {
    await this.#writing
    await this.#drain()
    try {
      await files.sync(this.#file)
    } catch (error) {
      this.#report(error)
    }
    await files.close(this.#file).catch(() => {})
  }

  #report(error: unknown): void {
    if (this.#failing) return
    this.#failing = true
    const { message } = error as Error
    try {
      this.onError(new Error(`The audit file ${this.path} cannot be written: ${message}.`, { cause: error }))
    } catch {
      // The listener's own affair.
    }
  }
}

/** Not through a link and not into a pipe: the place could be another one than the operator meant. */
const FLAGS =
  constants.O_RDWR |
  constants.O_APPEND |
  constants.O_CREAT |
  // Windows has neither.
  (constants.O_NOFOLLOW ?? 0) |
  (constants.O_NONBLOCK ?? 0)

function openPrivately(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const file = openSync(path, FLAGS, 0o600)
    const { mode, uid, nlink } = fstatSync(file)
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new Error('it is no plain file')
    if (process.platform === 'win32') return file
    const foreign = isForeign(uid)
    if (foreign) warn(`${path} belongs to another user`)
    if (nlink > 1) warn(`${path} has another name, too (a hard link)`)
    if (!foreign && mode & 0o177) fchmodSync(file, 0o600)
    return file
  } catch (cause) {
    throw new InvalidArgument(
      `The audit file ${path} cannot be opened: ${(cause as Error).message}. Name a plain file in a folder that this user may write to.`,
      { cause },
    )
  }
}

/** Whoever named the file may have meant it; who else reads or changes it is for them to know. */
function warn(doubt: string): void {
  process.stderr.write(`mcp-refcache: The audit file may be open to others: ${doubt}.\n`)
}

/** A process that was killed may have left half a line: the next one must not be taken for its end. */
function endsLine(file: number): boolean {
  const { size } = fstatSync(file)
  const last = Buffer.alloc(1)
  return size === 0 || readSync(file, last, 0, 1, size - 1) === 0 || last[0] === 0x0a
}

/** Field by field, so that nothing but these gets into the file. */
function lineOf({ at, actor, refId, namespace, toolName, permission, ...event }: AuditEvent): string {
  const { type, id, sessionId, orgs } = actor
  const text = JSON.stringify({
    at: at.toISOString(),
    actor: { type, id, session: sessionId === undefined ? undefined : sessionDigest(sessionId), orgs },
    action: event.action,
    refId,
    namespace: namespace === undefined ? undefined : hideSession(namespace),
    toolName,
    permission: permissionText(permission),
    verdict: event.verdict,
    rule: event.rule,
  })
  return `${escaped(text)}\n`
}

/** What JSON leaves as it is and a terminal or a reader of lines might not: control characters, and other ends of lines. */
function escaped(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, character =>
    Array.from({ length: character.length }, (_, i) => `\\u${hex(character.charCodeAt(i))}`).join(''),
  )
}

function hex(unit: number): string {
  return unit.toString(16).padStart(4, '0')
}
