export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** One line an event, on stderr. Takes no environment, headers or arguments of calls: they may hold secrets. */
export interface Log {
  debug(code: string, message: string): void
  info(code: string, message: string): void
  warn(code: string, message: string): void
  error(code: string, message: string): void
}

/** Text of strangers on one line of a terminal: nothing in it may move the cursor or look like another line. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, char =>
    Array.from({ length: char.length }, (_, n) => escaped(char.charCodeAt(n))).join(''),
  )
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

export interface LogOptions {
  level: LogLevel
  /** JSON lines for machines instead of text. */
  json: boolean
  write?: (line: string) => void
}

export function createLog({ level, json, write = line => process.stderr.write(line) }: LogOptions): Log {
  const from = LOG_LEVELS.indexOf(level)
  const at = (name: Exclude<LogLevel, 'silent'>) => (code: string, message: string) => {
    if (LOG_LEVELS.indexOf(name) < from) return
    write(
      json
        ? `${printable(JSON.stringify({ time: new Date().toISOString(), level: name, code, message }))}\n`
        : `mcp-refcache ${name}: ${printable(message)} [${code}]\n`,
    )
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
