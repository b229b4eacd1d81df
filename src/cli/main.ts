#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { printable } from '../core/printable.ts'
import { suggest } from '../core/suggest.ts'
import { CommandFailed, EXIT, usage } from './exit.ts'
import { MAIN_HELP } from './help.ts'

const COMMANDS = ['wrap', 'work'] as const

/** Resolves with the exit code. */
async function main([command, ...rest]: string[]): Promise<number> {
  switch (command) {
    case 'wrap':
      return (await import('./start-wrap.ts')).startWrap(rest)
    case 'work':
      return (await import('./work.ts')).work(rest)
    case '--version':
    case '-v':
      process.stdout.write(`${version()}\n`)
      return EXIT.ok
    case undefined:
      process.stderr.write(MAIN_HELP)
      return EXIT.usage
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(MAIN_HELP)
      return EXIT.ok
    case '--':
      throw usage('Say what to do first: mcp-refcache wrap command args…')
    default: {
      const meant = suggest(command, COMMANDS)
      throw usage(`There is no command '${command}'.${meant ? ` Did you mean ${meant}?` : ''} See --help.`)
    }
  }
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

function report(error: unknown, json: boolean): number {
  const known = error instanceof CommandFailed
  const code = known ? error.code : 'internal'
  const message = known ? error.message : `Unexpected: ${error instanceof Error ? error.message : error}`
  process.stderr.write(
    json
      ? `${JSON.stringify({ time: new Date().toISOString(), level: 'error', code, message })}\n`
      : `mcp-refcache error: ${printable(message)} [${code}]\n`,
  )
  return known ? error.exitCode : EXIT.failed
}

const argv = process.argv.slice(2)
let exitCode: number
try {
  exitCode = await main(argv)
} catch (error) {
  const end = argv.indexOf('--')
  exitCode = report(error, argv.slice(0, end === -1 ? argv.length : end).includes('--json'))
}
// An open handle must not hold up the end: all that matters was closed.
process.exit(exitCode)
