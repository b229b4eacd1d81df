/** A server as a client's configuration has it, with its placeholders as they are written. */
export interface ConfiguredServer {
  readonly name: string
  /** The keys that lead to the entry in its file. */
  readonly place: readonly string[]
  readonly transport: Transport
  /** The client does not start it either. */
  readonly disabled: boolean
  /** The tools that the client shows, by name. Absent: all. */
  readonly onlyTools?: readonly string[]
  /** The tools that the client hides, by name. */
  readonly withoutTools?: readonly string[]
}

export type Transport =
  | StdioTransport
  | HttpTransport
  /** What an entry says that nobody could start. `problem` says what to do about it. */
  | { readonly kind: 'unusable'; readonly problem: string }

export interface StdioTransport {
  readonly kind: 'stdio'
  readonly command: string
  readonly args: readonly string[]
  /** Beside the environment of this process. */
  readonly env: Readonly<Record<string, string>>
  /** A file of further variables; those of `env` win. */
  readonly envFile?: string
  readonly cwd?: string
}

export interface HttpTransport {
  readonly kind: 'http'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Headers whose value stands in a variable of the environment, behind the prefix. */
  readonly headersFromEnv?: Readonly<Record<string, { readonly variable: string; readonly prefix: string }>>
}
