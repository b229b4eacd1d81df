import { printable } from '../core/printable.ts'
import { endOfParsing } from './command.ts'
import { CommandFailed, EXIT } from './exit.ts'
import { createProgram } from './program.ts'

/** Runs the command that the words name, and reports what goes wrong. Resolves with the exit code. */
export async function runCommand(argv: readonly string[]): Promise<number> {
  try {
    return await parsed(argv)
  } catch (error) {
    const end = argv.indexOf('--')
    return report(error, argv.slice(0, end === -1 ? argv.length : end).includes('--json'))
  }
}

/** A command leaves its exit code in `process.exitCode`. */
async function parsed(argv: readonly string[]): Promise<number> {
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
