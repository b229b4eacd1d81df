import { Command, CommanderError, Option } from '@commander-js/extra-typings'
import { LOG_LEVELS, type LogLevel } from '../wrap/log.ts'
import { type CommandFailed, EXIT, usage } from './exit.ts'
import { wrongChoice } from './option-values.ts'

/** Terminals wider than this do not make help easier to read. */
const HELP_WIDTH = 118

/**
 * A command that throws where it is used wrongly, instead of ending the process.
 *
 * @param description in pieces of a line or so; the help breaks its lines to the width of the terminal
 */
export function createCommand(name: string, ...description: readonly string[]) {
  return new Command(name)
    .description(description.join(' ').replaceAll('\n ', '\n\n'))
    .helpOption('-h, --help', 'show this help')
    .exitOverride()
    .configureOutput({
      outputError: () => {},
      getOutHelpWidth: () => Math.min(process.stdout.columns ?? HELP_WIDTH, HELP_WIDTH),
    })
}

/** How much is logged. The choices are shown in the help and offered by completion. */
export function logLevelOption() {
  return new Option('--log-level <level>', 'how much is logged to stderr (info)')
    .choices(LOG_LEVELS)
    .argParser(
      (text): LogLevel =>
        LOG_LEVELS.find(name => name === text) ?? wrongChoice('--log-level', text, LOG_LEVELS),
    )
}

/**
 * The exit code where the library ended a command by itself: after help or the version.
 *
 * @throws CommandFailed in our words where the command line is wrong; any other error as it is
 */
export function endOfParsing(error: unknown): number {
  if (!(error instanceof CommanderError)) throw error
  if (error.exitCode === 0) return EXIT.ok
  if (error.code === 'commander.help') return EXIT.usage
  throw wrongUsage(error)
}

function wrongUsage({ message }: CommanderError): CommandFailed {
  const said = message.replace(/^error: /, '').replace(/\n\((.*)\)$/s, '. $1')
  const sentence = `${said.charAt(0).toUpperCase()}${said.slice(1)}`
  return usage(`${/[.?]$/.test(sentence) ? sentence : `${sentence}.`} See --help.`)
}
