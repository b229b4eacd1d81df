import type { CommandUnknownOpts } from '@commander-js/extra-typings'

export interface CommandEntry {
  /** One line, for the list of commands. */
  readonly summary: string
  /** Loads the command's own file: a start loads the one that it needs. */
  load(): Promise<CommandUnknownOpts>
}

/** Every command, in the order of the help. Each has a file of its own. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  init: {
    summary: 'put the servers of your clients behind mcp-refcache',
    load: async () => (await import('./init/command.ts')).initCommand(),
  },
  doctor: {
    summary: 'look for what keeps it from working well, and say what to do',
    load: async () => (await import('./doctor/command.ts')).doctorCommand(),
  },
  wrap: {
    summary: 'put references in front of any MCP server',
    load: async () => (await import('./start-wrap.ts')).wrapCommand(),
  },
  new: {
    summary: 'make a new MCP server in TypeScript, with tests, as a project to change',
    load: async () => (await import('./new.ts')).newCommand(),
  },
  work: {
    summary: 'run tools for servers that put them in a queue',
    load: async () => (await import('./work.ts')).workCommand(),
  },
  ls: {
    summary: 'list what a store has, without values',
    load: async () => (await import('./ls.ts')).lsCommand(),
  },
  show: {
    summary: 'show what is known of one reference, without its value',
    load: async () => (await import('./show.ts')).showCommand(),
  },
  watch: {
    summary: 'watch the tasks that run now, in any process',
    load: async () => (await import('./watch.ts')).watchCommand(),
  },
  ui: {
    summary: 'show all of it in your browser, live: look, ask, cancel, retry, delete',
    load: async () => (await import('./ui.ts')).uiCommand(),
  },
  stats: {
    summary: 'count what a store has, by cache, status and tool',
    load: async () => (await import('./stats.ts')).statsCommand(),
  },
  get: {
    summary: 'show a value: a preview, a page, a part, or all of it',
    load: async () => (await import('./get.ts')).getCommand(),
  },
  query: {
    summary: 'ask a value in SQL, or search it',
    load: async () => (await import('./query.ts')).queryCommand(),
  },
  export: {
    summary: 'write a value to a file',
    load: async () => (await import('./export.ts')).exportCommand(),
  },
  cancel: {
    summary: 'cancel a task, in whichever process it runs',
    load: async () => (await import('./steer.ts')).cancelCommand(),
  },
  retry: {
    summary: 'try a failed or cancelled task again',
    load: async () => (await import('./steer.ts')).retryCommand(),
  },
  rm: {
    summary: 'delete references for good',
    load: async () => (await import('./remove.ts')).rmCommand(),
  },
  clear: {
    summary: 'delete all references of a cache for good',
    load: async () => (await import('./remove.ts')).clearCommand(),
  },
}
