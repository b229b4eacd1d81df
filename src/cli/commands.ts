import type { CommandUnknownOpts } from '@commander-js/extra-typings'

export interface CommandEntry {
  /** One line, for the list of commands. */
  readonly summary: string
  /** Loads the command's own file: a start loads the one that it needs. */
  load(): Promise<CommandUnknownOpts>
}

/** Every command, in the order of the help. Each has a file of its own. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  wrap: {
    summary: 'put references in front of any MCP server',
    load: async () => (await import('./start-wrap.ts')).wrapCommand(),
  },
  work: {
    summary: 'run tools for servers that put them in a queue',
    load: async () => (await import('./work.ts')).workCommand(),
  },
}
