import { cutText } from './cut-text.ts'
import { tell } from './listener.ts'
import { printable } from './printable.ts'

/**
 * Where a cache tells its operator of trouble: `console`, a logger of pino or winston, or anything with these two
 * methods. Each is called with one line of text. It names files and hosts, never values, inputs or credentials.
 */
export interface Logger {
  warn(message: string): unknown
  error(message: string): unknown
}

const MAX_LENGTH = 1_000

/** The same logger for callers who must not meet its errors. What it is given is one line, of a bounded length. */
export function safeLogger(logger: Logger): Logger {
  return {
    warn: message => tell(text => logger.warn(text), line(message)),
    error: message => tell(text => logger.error(text), line(message)),
  }
}

function line(message: string): string {
  return printable(cutText(message, MAX_LENGTH))
}
