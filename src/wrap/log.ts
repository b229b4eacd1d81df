import { printable } from '../core/printable.ts'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** One line an event, on stderr. Takes no environment, headers or arguments of calls: they may hold secrets. */
export interface Log {
  debug(code: string, message: string): void
  info(code: string, message: string): void
  warn(code: string, message: string): void
  error(code: string, message: string): void
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
