/** What the exit code says. Documented in `--help`. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  upstream: 3,
  portInUse: 4,
  store: 5,
  /** No such reference. */
  notFound: 6,
  /** The task has not come to its end. */
  notReady: 7,
} as const

/** An end of the command that is not its success: a line for people, a code for machines. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'

  constructor(
    readonly exitCode: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

export function usage(message: string): CommandFailed {
  return new CommandFailed(EXIT.usage, 'usage', message)
}
