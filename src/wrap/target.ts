import type { ConfiguredServer, Transport } from '../clients/configured-server.ts'
import type { Command } from './channels/child-process.ts'
import type { Endpoint } from './channels/http-channel.ts'
import type { Naming } from './servers/names.ts'
import type { ToolSelection } from './servers/served-server.ts'

/** One server: a command to start, or an address to talk to. */
export type ServerTarget = { command: Command } | { endpoint: Endpoint }

/** What is wrapped: one server, or those of a client's configuration. */
export type Target = ServerTarget | { servers: SeveralServersTarget }

/** What an operator says of one of several servers. */
export interface ServerSettings extends ToolSelection {
  /** What its tools' names begin with, instead of its name; '' for nothing. */
  readonly alias?: string | undefined
}

export interface SeveralServersTarget {
  /** Where they are named. */
  readonly file: string
  /** Entries that are no servers to wrap, with the reason. */
  readonly leftOut?: readonly { readonly name: string; readonly reason: string }[] | undefined
  readonly configured: readonly ConfiguredServer[]
  /** By the names of the servers. */
  readonly settings?: Readonly<Record<string, ServerSettings>> | undefined
  readonly naming?: Partial<Naming> | undefined
  /** Servers whose lists are known start when they are first called. @defaultValue false */
  readonly isLazy?: boolean | undefined
  /** Where lists of servers that do not run are kept. Absent: in this process alone. */
  readonly knownFile?: string | undefined
}

/** @returns the problem of what nobody can start */
export function targetOf(transport: Transport): ServerTarget | { problem: string } {
  switch (transport.kind) {
    case 'stdio': {
      const { command, args, env, cwd } = transport
      return { command: { command, args, env, cwd } }
    }
    case 'http':
      return { endpoint: { url: new URL(transport.url), headers: transport.headers } }
    case 'unusable':
      return transport
  }
}
