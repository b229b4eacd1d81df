import { readFileSync } from 'node:fs'
import type { CommandUnknownOpts } from '@commander-js/extra-typings'
import type { Command } from 'commander'
import { createCommand } from './command.ts'
import { COMMANDS } from './commands.ts'

const EXAMPLES = `
Examples:
  mcp-refcache wrap -- npx -y @modelcontextprotocol/server-everything
  mcp-refcache wrap --url https://example.com/mcp
  source <(mcp-refcache completion bash)

mcp-refcache COMMAND --help says more about one command, with its exit codes.`

const COMPLETION = 'completion'

/** The whole command line. The command that the first word names is loaded; of the others only the summary is known. */
export async function createProgram([first, second]: readonly string[]): Promise<CommandUnknownOpts> {
  const program: CommandUnknownOpts = createCommand(
    'mcp-refcache',
    'References for MCP tool results: large results become previews that page, slow tools become handles that poll.',
  )
  program
    .version(version(), '-v, --version', 'show the version')
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLES)
  const completes = first === COMPLETION || first === 'complete'
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const isMeant = name === first || (first === 'help' && name === second)
    const command = completes || isMeant ? await load() : createCommand(name, summary)
    // Completion shows the description, and has room for one line.
    program.addCommand(completes ? command.description(summary) : command.summary(summary))
  }
  if (completes) await addCompletion(program)
  else program.addCommand(createCommand(COMPLETION, 'print a completion script for bash, zsh or fish'))
  return program
}

/** `completion SHELL` prints a script; the script then asks the hidden `complete`. */
async function addCompletion(program: CommandUnknownOpts): Promise<void> {
  const { default: addCommands } = await import('@bomb.sh/tab/commander')
  // The same class, under plainer types.
  addCommands(program as unknown as Command, { completionCommandName: COMPLETION })
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  // A copy of the command without its manifest has none.
  return (JSON.parse(manifest) as { version?: string }).version ?? 'unknown'
}
