#!/usr/bin/env node
import { printable } from '../core/printable.ts'
import { endOfParsing } from './command.ts'
import { CommandFailed, EXIT } from './exit.ts'
import { createProgram } from './program.ts'

/** Runs the command that the words name. Resolves with the exit code, which a command leaves in `process.exitCode`. */
async function main(argv: readonly string[]): Promise<number> {
  const program = await createProgram(argv)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    return endOfParsing(error)
  }
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
