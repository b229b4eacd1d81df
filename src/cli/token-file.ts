import { createHash, timingSafeEqual } from 'node:crypto'
import { statSync } from 'node:fs'
import { type Clock, systemClock } from '../core/clock.ts'
import { InvalidArgument } from '../core/errors.ts'
import { readPrivateFile } from '../stores/private-file.ts'
import type { Tokens } from '../wrap/callers.ts'
import type { Log } from '../wrap/log.ts'

const MAX_BYTES = 4 * 1024 * 1024

interface Known {
  /** Of the token, which itself is not kept. */
  readonly digest: Buffer
  readonly subject: string
}

/**
 * The tokens of a file, which is read again when it changes. A change that cannot be read leaves the tokens as they were; a file
 * that is gone leaves none.
 */
export class TokenFile implements Tokens {
  #known: readonly Known[]
  #version: string
  /** What the file says, as a digest. */
  #content: string
  /** The file changed a moment ago: another change may look like the same one. */
  #isFresh: boolean

  /** @throws InvalidArgument when the file cannot be read, is not for this user alone, or is malformed */
  constructor(
    private readonly path: string,
    private readonly log: Pick<Log, 'info' | 'error'>,
    private readonly clock: Pick<Clock, 'now'> = systemClock,
  ) {
    const { version, changedAt } = stateOf(path)
    this.#version = version
    this.#isFresh = this.#isRecent(changedAt)
    const { known, content } = readTokens(path)
    this.#known = known
    this.#content = content
  }

  subjectOf(token: string): string | undefined {
    this.#readAgain()
    const digest = digestOf(token)
    let subject: string | undefined
    // All are compared, so that the time says nothing of which is right.
    for (const known of this.#known) if (timingSafeEqual(known.digest, digest)) subject = known.subject
    return subject
  }

  #isRecent(changedAt: number): boolean {
    return this.clock.now() - changedAt < TICK_MS
  }

  #readAgain(): void {
    const { version, changedAt } = stateOf(this.path)
    if (version === this.#version && !this.#isFresh) return
    const isSame = version === this.#version
    this.#version = version
    this.#isFresh = this.#isRecent(changedAt)
    if (version === GONE) {
      this.#known = []
      this.#content = ''
      if (!isSame) this.log.error('tokens_gone', `The token file ${this.path} is gone: nobody is admitted.`)
      return
    }
    try {
      const { known, content } = readTokens(this.path)
      if (isSame && content === this.#content) return
      this.#known = known
      this.#content = content
      this.log.info('tokens_read', `The token file ${this.path} has changed and was read again.`)
    } catch (error) {
      if (!isSame)
        this.log.error('tokens_unusable', `${(error as Error).message} The tokens from before hold on.`)
    }
  }
}

const GONE = 'gone'

/** File systems tell times that lie closer together as one. */
const TICK_MS = 2_000

/** The version differs when the file has another content, or other modes; but for changes within one tick. */
function stateOf(path: string): { version: string; changedAt: number } {
  try {
    const { mtimeNs, ctimeNs, ctimeMs, size, ino } = statSync(path, { bigint: true })
    return { version: `${mtimeNs}:${ctimeNs}:${size}:${ino}`, changedAt: Number(ctimeMs) }
  } catch {
    return { version: GONE, changedAt: Number.NEGATIVE_INFINITY }
  }
}

function readTokens(path: string): { known: Known[]; content: string } {
  const what = `The token file ${path}`
  const text = readPrivateFile(path, what, MAX_BYTES)
  const known = text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim()
    return trimmed === '' || trimmed.startsWith('#') ? [] : [toKnown(trimmed, `${what}, line ${index + 1},`)]
  })
  const subjects = new Map<string, string>()
  for (const { digest, subject } of known) {
    const key = digest.toString('hex')
    if ((subjects.get(key) ?? subject) !== subject)
      throw new InvalidArgument(`${what} gives one token to two subjects. Make a token for each.`)
    subjects.set(key, subject)
  }
  if (known.length > 0) return { known, content: digestOf(text).toString('hex') }
  throw new InvalidArgument(
    `${what} is empty. Write a line for each caller, a token and a name: ${EXAMPLE}. A token is made with: openssl rand -hex 32`,
  )
}

const EXAMPLE = "'2f6c…9a alice'"

function toKnown(line: string, where: string): Known {
  const [, token, subject] = /^([A-Za-z0-9\-._~+/]+=*)\s+(\S.{0,199})$/.exec(line) ?? []
  // What the line says may be a secret.
  if (token === undefined || subject === undefined) {
    throw new InvalidArgument(`${where} is no token and the name of its subject, such as ${EXAMPLE}.`)
  }
  return { digest: digestOf(token), subject }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
