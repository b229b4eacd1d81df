import { actor } from '../access/actor.ts'
import type { AuditSink } from '../access/audit.ts'
import type { Caller } from '../agent/identity.ts'
import { ClientLimits } from '../agent/limits.ts'
import { savingsText } from '../agent/savings-text.ts'
import { adminTools } from '../agent/tools/admin.ts'
import { ownTools } from '../agent/tools/own-tools.ts'
import type { OwnTool } from '../agent/tools/tool.ts'
import { type Duration, toMilliseconds } from '../core/duration.ts'
import { ExportFolder } from '../export/folder.ts'
import { RefCache } from '../ref-cache.ts'
import { ADAPTERS } from '../ref-cache-adapters.ts'
import type { Store } from '../stores/store.ts'
import { callerOfSubject } from './callers.ts'
import type { Channel } from './channels/channel.ts'
import type { ServerProcess } from './channels/child-process.ts'
import { EitherRevision } from './channels/either-revision.ts'
import { openChannel } from './channels/open-channel.ts'
import type { Log } from './log.ts'
import { DEFAULT_QUOTA, type Quota, Quotas } from './quotas.ts'
import { nameOfTarget, scopeOfTarget } from './scope.ts'
import type { SeveralServers } from './servers/several-servers.ts'
import { Session } from './session.ts'
import type { CallSettings } from './settings.ts'
import { type StatelessConnections, StatelessServers } from './stateless/servers.ts'
import type { Target } from './target.ts'
import { type ProxiedClient, ToolCalls } from './tools/calls.ts'
import { nameAtServer } from './tools/names.ts'
import { UpstreamTasks } from './upstream/tasks.ts'
import { Upstream } from './upstream/upstream.ts'

export interface WrapOptions {
  target: Target
  /** The first server, where it was started already. */
  server?: ServerProcess | undefined
  store: Store
  /** What references begin with. @defaultValue made from the command or the address */
  name?: string | undefined
  /** How long results are kept. @defaultValue '1h' */
  ttl?: Duration | null | undefined
  /** The longest that a client can have a value kept. @defaultValue '24h' */
  maxTtl?: Duration | null | undefined
  /** Budget of a preview in tokens. @defaultValue 1000, and at most a twelfth of the value */
  maxSize?: number | undefined
  /** No answer has more tokens. @defaultValue 25000, or what the client takes */
  maxAnswer?: number | undefined
  /** The profile that holds for every client. @defaultValue that of the client */
  profile?: string | undefined
  /** How long a wrapper may be silent before its tasks count as lost. @defaultValue '30s' */
  lease?: Duration | undefined
  settings: CallSettings
  /** What each caller that is known by a token may have. */
  quota?: Quota | undefined
  /** A folder that results may be exported to. @defaultValue none, and no such tool */
  exportDir?: string | undefined
  /** Whether the client on stdio gets the admin tools. @defaultValue false */
  admin?: boolean | undefined
  /** Is told of every decision. */
  audit?: AuditSink | undefined
  log: Log
}

/** What all clients of one wrapper share. */
export class Wrapper {
  readonly cache: RefCache
  readonly #calls: ToolCalls
  readonly #polling: readonly OwnTool[]
  readonly #scope: string
  readonly #quotas: Quotas
  readonly #clients: ClientLimits
  #server: ServerProcess | undefined
  #loaded: Promise<SeveralServers | undefined> | undefined

  constructor(private readonly options: WrapOptions) {
    this.#server = options.server
    const { target, store, ttl, maxSize, lease, settings, log } = options
    this.cache = new RefCache({
      name: options.name ?? nameOfTarget(target),
      store,
      // What an operator says of time holds for all clients.
      ...(ttl === undefined ? {} : { defaultTtl: ttl, namespaces: { session: { ttl } } }),
      ...(options.maxTtl === undefined ? {} : { maxTtl: options.maxTtl }),
      ...(lease === undefined
        ? {}
        : { leaseDuration: lease, sweepInterval: Math.max(100, toMilliseconds(lease, 'lease') / 3) }),
      preview: maxSize === undefined ? {} : { maxSize },
      logger: {
        warn: message => log.warn('store', message),
        error: message => log.error('store', message),
      },
      toolLabel: nameAtServer,
      audit: options.audit,
    })
    this.#clients = new ClientLimits(
      { answerCeiling: options.maxAnswer, profile: options.profile },
      { servesResources: true },
    )
    this.#quotas = new Quotas(this.cache, options.quota ?? DEFAULT_QUOTA)
    this.#scope = scopeOfTarget(target)
    const listed = { ...settings, instructionsFirst: 'servers' in target }
    this.#calls = new ToolCalls(this.cache, listed, this.#scope.slice(0, 12))
    const { exportDir } = options
    this.#polling = ownTools(
      this.cache,
      {},
      exportDir === undefined ? undefined : new ExportFolder(exportDir),
    )
  }

  /** The one client that there is: whoever started the process, at its stdin and stdout. */
  onlySession(client: Channel, onEnd: (end: SessionEnd) => void): Session {
    client.onclose = () => onEnd({ kind: 'client-gone' })
    const adaptation = { isNeeded: false }
    const who = {
      scope: this.#scope,
      actor: actor.agent(),
      namespace: 'public',
      connect: async () =>
        (await this.#several())?.local() ?? new EitherRevision(() => this.connect(), adaptation),
    }
    const admin = this.options.admin ? toolsOfOperator(this.cache) : []
    return this.#session(client, who, [...this.#polling.map(forLocalClient), ...admin], onEnd)
  }

  /** One of several clients. They share no server; and no result, unless they are of one subject. */
  privateSession(
    client: Channel,
    { sessionId, owner }: { sessionId: string; owner: string | undefined },
    onEnd: (end: SessionEnd) => void,
  ): Session {
    const stranger = { actor: actor.agent({ sessionId }), namespace: `session:${sessionId}` }
    const who = owner === undefined ? stranger : callerOfSubject(owner)
    const connect = async () => (await this.#several())?.session() ?? this.connect()
    return this.#sessionOf(client, who, sessionId, connect, onEnd)
  }

  /**
   * All requests of one caller that come without a session.
   * @param connect how they reach the server
   */
  statelessSession(
    client: Channel,
    caller: Caller,
    connect: () => Promise<Channel>,
    onEnd: (end: SessionEnd) => void,
  ): Session {
    return this.#sessionOf(client, caller, caller.namespace ?? '', connect, onEnd)
  }

  #sessionOf(
    client: Channel,
    { actor, namespace = 'public', ambiguous }: Partial<Caller> & Pick<Caller, 'actor'>,
    session: string,
    connect: () => Promise<Channel>,
    onEnd: (end: SessionEnd) => void,
  ): Session {
    const isSubject = actor.id !== undefined
    // What one session of a subject leaves behind is for the next one, also in another process.
    const scope = `${this.#scope}:${isSubject ? namespace : session}`
    const quotas = isSubject ? this.#quotas : undefined
    const who = { scope, session, actor, namespace, ambiguous, quotas, connect }
    return this.#session(client, who, this.#polling, onEnd)
  }

  /** A connection to the one wrapped server that is not started yet. */
  async connect(): Promise<Channel> {
    const { target } = this.options
    if ('servers' in target) throw new Error('Several servers are wrapped.')
    return openChannel(target, this.#takeServer())
  }

  /** How callers without sessions reach the wrapped server, or all of them. */
  statelessConnections(): StatelessConnections {
    if (!('servers' in this.options.target)) return new StatelessServers(() => this.connect())
    let all: StatelessConnections | undefined
    return {
      connect: async (strangers, owner) => {
        all ??= (await this.#several())?.stateless()
        return (all as StatelessConnections).connect(strangers, owner)
      },
      isShared: async () => false,
    }
  }

  /** What is needed for several servers is loaded where there are several. */
  #several(): Promise<SeveralServers | undefined> {
    const { target, log } = this.options
    this.#loaded ??=
      'servers' in target
        ? import('./servers/several-servers.ts').then(
            ({ SeveralServers }) => new SeveralServers(target.servers, log),
          )
        : Promise.resolve(undefined)
    return this.#loaded
  }

  /** @throws where it can be seen before the first client comes that the wrapped server cannot be used */
  async checkTarget(): Promise<void> {
    const { target } = this.options
    if (!('endpoint' in target)) return
    const { probeEndpoint } = await import('./channels/probe-endpoint.ts')
    await probeEndpoint(target.endpoint)
  }

  /** Ends with a line that says what references saved and cost in this process. */
  close(): Promise<void> {
    this.options.log.info('tokens', savingsText(this.cache[ADAPTERS].savings))
    return this.cache.close()
  }

  #takeServer(): ServerProcess | undefined {
    const server = this.#server
    this.#server = undefined
    return server
  }

  #session(
    client: Channel,
    { connect, ...who }: Omit<ProxiedClient, 'upstream' | 'tasks'> & { connect: () => Promise<Channel> },
    polling: readonly OwnTool[],
    onEnd: (end: SessionEnd) => void,
  ): Session {
    const { log } = this.options
    const upstream = new Upstream(connect, log)
    return new Session({
      client,
      caller: { ...who, upstream, tasks: new UpstreamTasks(upstream, this.#calls.somePassBy) },
      calls: this.#calls,
      clients: this.#clients,
      cache: this.cache,
      polling,
      log,
      onUnusable: reason => onEnd({ kind: 'unusable', reason }),
    })
  }
}

/** For whoever started the process. */
function forLocalClient(tool: OwnTool): OwnTool {
  return { ...tool, handle: (args, context) => tool.handle(args, { ...context, isLocal: true }) }
}

/** The admin tools of a client that is the operator: who starts the process and asks for them. */
function toolsOfOperator(cache: RefCache): OwnTool[] {
  return adminTools(cache).map(tool => ({
    ...tool,
    handle: args => tool.handle(args, { isAdmin: () => true }),
  }))
}

/** Why a session is over. */
export type SessionEnd = { kind: 'client-gone' } | { kind: 'unusable'; reason: string }
