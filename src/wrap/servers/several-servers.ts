import type { Channel } from '../channels/channel.ts'
import { EitherRevision } from '../channels/either-revision.ts'
import { openChannel } from '../channels/open-channel.ts'
import type { Log } from '../log.ts'
import { scopeOfTarget } from '../scope.ts'
import { type StatelessConnections, StatelessServers } from '../stateless/servers.ts'
import { type SeveralServersTarget, targetOf } from '../target.ts'
import { Composite } from './composite.ts'
import { KnownFile } from './known-file.ts'
import { KnownInMemory, type KnownServers } from './known-servers.ts'
import { DEFAULT_NAMING, keysOf, type Naming } from './names.ts'
import type { ServedServer } from './served-server.ts'

/** The servers of a client's configuration, and how clients of each kind reach all of them as one. */
export class SeveralServers {
  readonly #servers: readonly Served[]
  readonly #known: KnownServers
  readonly #naming: Naming

  constructor(
    private readonly target: SeveralServersTarget,
    private readonly log: Log,
  ) {
    const { knownFile, naming, leftOut = [] } = target
    this.#servers = servedIn(target)
    this.#known = knownFile === undefined ? new KnownInMemory() : new KnownFile(knownFile, log)
    this.#naming = { ...DEFAULT_NAMING, ...naming }
    for (const { name, reason } of leftOut)
      log.info('server_left_out', `'${name}' is not wrapped: ${reason}.`)
    for (const { name, problem } of this.#servers)
      if (problem !== undefined) log.error('server_unusable', `'${name}' cannot be started: ${problem}.`)
  }

  /** For the client on stdio, at whatever revision. */
  local(): Channel {
    return this.#composite(this.#known, server => {
      const adaptation = { isNeeded: false }
      return async () => new EitherRevision(server.open, adaptation)
    })
  }

  /** For one session of 2025 over HTTP. */
  session(): Channel {
    return this.#composite(withoutResources(this.#known), ({ open }) => open)
  }

  /** For callers without sessions. Each server is one process for all of them where it can be. */
  stateless(): StatelessConnections {
    const known = withoutResources(this.#known)
    const ways = new Map(this.#servers.map(server => [server, new StatelessServers(server.open)]))
    return {
      connect: async (strangers, owner) =>
        this.#composite(known, server => async () => {
          const way = ways.get(server) as StatelessServers
          return way.connect(strangers, owner)
        }),
      // Some of them may not be.
      isShared: async () => false,
    }
  }

  #composite(known: KnownServers, connect: (server: Served) => ServedServer['connect']): Composite {
    return new Composite({
      servers: this.#servers.map(server => ({ ...server, connect: connect(server) })),
      naming: this.#naming,
      known,
      isLazy: this.target.isLazy ?? false,
      log: this.log,
    })
  }
}

interface Served extends Omit<ServedServer, 'connect'> {
  readonly open: () => Promise<Channel>
}

function servedIn({ configured, settings = {} }: SeveralServersTarget): Served[] {
  const keys = keysOf(configured.map(({ name }) => settings[name]?.alias || name))
  return configured.map(({ name, transport, onlyTools, withoutTools = [] }, at) => {
    const { alias, include, exclude = [], ...shown } = settings[name] ?? {}
    const target = targetOf(transport)
    return {
      name,
      key: alias === '' ? '' : (keys[at] as string),
      scope: 'problem' in target ? '' : scopeOfTarget(target),
      isPipe: 'command' in target,
      open: async () => {
        if ('problem' in target) throw new Error(target.problem)
        return openChannel(target)
      },
      ...('problem' in target ? { problem: target.problem } : {}),
      tools: { ...shown, include: include ?? onlyTools, exclude: [...exclude, ...withoutTools] },
    }
  })
}

/** What a server lists of resources may be of one session: no other one is shown it. */
function withoutResources(known: KnownServers): KnownServers {
  return {
    of: scope => {
      const server = known.of(scope)
      const { resources: _, ...lists } = server?.lists ?? {}
      return server && { ...server, lists }
    },
    keep: (scope, { lists: { resources: _, ...lists }, ...server }) =>
      known.keep(scope, { ...server, lists }),
  }
}
