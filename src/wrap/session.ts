import type { ClientLimits } from '../agent/limits.ts'
import type { OwnTool } from '../agent/tools/tool.ts'
import type { JsonObject } from '../core/json.ts'
import type { RefCache } from '../ref-cache.ts'
import { ADAPTERS } from '../ref-cache-adapters.ts'
import type { Channel } from './channels/channel.ts'
import { AskedByServer } from './client/asked-by-server.ts'
import { SessionCalls } from './client/calls.ts'
import { ForwardedRequests } from './client/forwarded-requests.ts'
import { ClientMessages } from './client/messages.ts'
import { OwnRequests } from './client/own-requests.ts'
import { PassedRequests } from './client/passed-requests.ts'
import { Presentation } from './client/presentation.ts'
import { Reader } from './client/reader.ts'
import { ClientResources } from './client/resources.ts'
import { ClientTasks } from './client/tasks.ts'
import { UnusableServer } from './client/unusable-server.ts'
import type { Log } from './log.ts'
import {
  failure,
  isRequest,
  isResponse,
  notification,
  protocolMeta,
  RpcErrorCode,
  type RpcId,
  type RpcMessage,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
} from './rpc.ts'
import type { ProxiedClient, ToolCalls } from './tools/calls.ts'
import { ToolCatalog } from './tools/catalog.ts'
import { ToolListing } from './tools/listing.ts'
import { PassingWrites, saysChange } from './tools/passing-writes.ts'
import { Introduction } from './upstream/introduction.ts'
import { SessionRestore } from './upstream/restore.ts'
import type { Upstream } from './upstream/upstream.ts'

export interface SessionOptions {
  client: Channel
  caller: ProxiedClient
  calls: ToolCalls
  clients: ClientLimits
  cache: RefCache
  polling: readonly OwnTool[]
  log: Log
  /** The wrapped server cannot be used at all. */
  onUnusable(reason: string): void
}

/**
 * One client and the server that is wrapped for it. Messages pass as they are, in both directions, whatever their
 * method: tools, resources, prompts, what the server asks of the client, and what a later revision may bring. Only
 * what is about tools is looked at: they are listed with a few words more, and called through the cache.
 */
export class Session {
  readonly #forwarded = new ForwardedRequests(new PassedRequests(() => this.options.caller))
  readonly #askedByServer: AskedByServer
  readonly #ownRequests = new OwnRequests(
    (message, relatedTo) => void this.#client.send(message, { relatedTo }),
  )
  readonly #sessionRestore = new SessionRestore()
  readonly #passingWrites: PassingWrites
  readonly #reader: Reader
  readonly #catalog: ToolCatalog
  readonly #upstream: Upstream
  readonly #listing: ToolListing
  readonly #introduction: Introduction
  readonly #client: ClientMessages
  readonly #tasks: ClientTasks
  readonly #resources: ClientResources
  readonly #presentation: Presentation
  readonly #ended = new AbortController()
  readonly #calls: SessionCalls
  readonly #unusable = new UnusableServer(reason => this.options.onUnusable(reason))
  #endCalls = () => {}

  constructor(private readonly options: SessionOptions) {
    const { cache, calls, caller, polling, log } = options
    this.#upstream = caller.upstream
    this.#catalog = new ToolCatalog(
      polling,
      name => calls.goesThrough(name),
      (name, tool) => calls.register(name, tool),
      tools => calls.listed(caller, tools, log),
      calls.listing,
    )
    this.#reader = new Reader(options.clients, log)
    this.#passingWrites = new PassingWrites(() => cache.beginWrite())
    this.#listing = new ToolListing(this.#catalog, this.#upstream)
    this.#introduction = new Introduction(this.#upstream, discovery => caller.tasks.learn(discovery))
    this.#client = this.#clientMessages()
    this.#askedByServer = new AskedByServer({
      ...{ client: this.#client, upstream: this.#upstream, tasks: caller.tasks },
      onlyCalls: () => this.#forwarded.isEmpty,
    })
    this.#tasks = this.#clientTasks()
    this.#resources = new ClientResources({
      ...{ cache, caller, calls, ended: this.#ended.signal },
      cardTools: () => this.#catalog.cardTools,
    })
    const [reader, catalog, listing, tasks] = [this.#reader, this.#catalog, this.#listing, this.#tasks]
    const parts = { reader, catalog, listing, tasks, log }
    this.#presentation = new Presentation({
      ...parts,
      resources: this.#resources,
      cacheName: cache.name,
      ended: this.#ended.signal,
      onAdded: characters => cache[ADAPTERS].countAdded(characters),
    })
    this.#calls = new SessionCalls({
      ...parts,
      cache,
      caller,
      calls,
      presentation: this.#presentation,
      tell: (...told) => this.#client.send(...told),
    })
  }

  #clientMessages(): ClientMessages {
    return new ClientMessages({
      client: this.options.client,
      log: this.options.log,
      hold: () => this.#upstream.hold(),
      release: () => this.#upstream.release(),
      onRefused: refusal => this.#fromClient(refusal),
    })
  }

  #clientTasks(): ClientTasks {
    const { cache, caller, calls, client } = this.options
    return new ClientTasks({
      cache,
      caller,
      calls,
      tell: (message, relatedTo) => void this.#client.send(message, { relatedTo }),
      nameTools: text => this.#catalog.names.inText(text),
      sender: relatedTo => this.#ownRequests.sender(relatedTo),
      isReliable: !client.mayLose,
      reader: this.#reader,
    })
  }

  /** @throws when the wrapped server cannot be started */
  async start(): Promise<void> {
    const { client, caller, calls } = this.options
    this.#endCalls = calls.admit(caller)
    this.#upstream.events = {
      onMessage: message => this.#fromServer(message),
      onLost: reason => this.#lost(reason),
      onRestored: () => this.#restore(),
      onUnusable: reason => {
        this.#lost(reason)
        this.#unusable.endSoon(reason)
      },
    }
    await this.#upstream.start()
    client.onmessage = message => this.#introduction.before(message, () => this.#fromClient(message))
    client.onerror = problem => this.options.log.warn('client_problem', problem)
    await client.start()
  }

  /** Whether work that the client asked for is not finished. */
  get hasWork(): boolean {
    return this.options.calls.hasWork(this.options.caller)
  }

  /** What a tool of the server declares of its arguments. Waits until the tools are listed. */
  async inputSchemaOf({ params }: RpcRequest): Promise<JsonObject | undefined> {
    await this.#listing.complete(protocolMeta(params), this.#ended.signal)
    return this.#catalog.known(String(params?.name)).inputSchema
  }

  async close(): Promise<void> {
    this.#ended.abort()
    this.#unusable.close()
    this.#calls.cancelAll()
    this.#tasks.end()
    this.#endCalls()
    this.#passingWrites.lost()
    this.#forwarded.close()
    await Promise.all([this.#upstream.close(), this.options.client.close()])
  }

  #fromClient(message: RpcMessage): void {
    if (isRequest(message)) this.#asked(message)
    else if (!isResponse(message)) this.#notified(message)
    else if (!this.#ownRequests.answered(message)) this.#askedByServer.answered(message)
  }

  #asked(message: RpcRequest): void {
    this.#unusable.asked()
    if (message.method === 'tools/call') {
      if (!this.#calls.take(message)) this.#passCall(message)
    } else if (this.#tasks.takes(message)) {
      void this.#calls.answer(message, context => this.#tasks.answer(message, context))
    } else if (this.#resources.takes(message)) {
      void this.#calls.answer(message, context => this.#resources.answer(message, context))
    } else if (this.#tasks.listens(message)) {
      void this.#listen(message)
    } else {
      void this.#forward(this.#resources.forServer(message))
    }
  }

  #notified(message: RpcNotification): void {
    const requestId = message.params?.requestId as RpcId
    if (message.method === 'notifications/cancelled') {
      if (this.#calls.cancel(requestId)) return
      this.#forwarded.forget(requestId)
      this.#passingWrites.cancelled(requestId)
      this.#tasks.endListening(requestId)
    }
    this.#sessionRestore.notified(message)
    this.#upstream.tell(message)
    // Tasks that an earlier wrapper left behind can go on once their tools are known.
    if (message.method === 'notifications/initialized')
      void this.#listing.complete(undefined, this.#ended.signal)
  }

  /** A call that the cache knows nothing of. */
  #passCall(request: RpcRequest): void {
    if (!this.#catalog.known(String(request.params?.name)).readOnly) this.#passingWrites.called(request.id)
    void this.#forward(request)
  }

  async #listen(request: RpcRequest): Promise<void> {
    const forServer = await this.#tasks.listen(request)
    if (forServer) await this.#forward(forServer)
  }

  async #forward(request: RpcRequest): Promise<void> {
    if (request.method === 'initialize' || request.method === 'server/discover')
      this.#reader.introduced(request)
    const sent = this.#forwarded.add(request, this.#tasks.revision)
    try {
      await this.#upstream.forward(sent, () => this.#forwarded.has(request))
      this.#forwarded.sent(request)
    } catch (error) {
      const { message } = error as Error
      const failed = failure(request.id, { code: RpcErrorCode.upstreamLost, message })
      if (!this.#forwarded.forget(request.id, failed)) return
      this.#passingWrites.cancelled(request.id)
      this.#client.send(failed)
      if (request.method === 'initialize') this.#unusable.end(message)
    }
  }

  #fromServer(message: RpcMessage): void {
    if (isResponse(message)) this.#answered(message)
    else if (isRequest(message)) this.#askedByServer.asked(message)
    else this.#told(message)
  }

  #told(message: RpcNotification): void {
    const { tasks } = this.options.caller
    if (message.method === 'notifications/tools/list_changed') this.#catalog.forget()
    if (saysChange(message)) this.options.cache.beginWrite()()
    if (message.method === 'notifications/message' && this.#calls.areNotAlone) return
    this.#passingWrites.saw(message.params ?? {})
    if (tasks.hears(message) || this.#tasks.acknowledges(message)) return
    if (this.#askedByServer.withdraws(message)) return
    const passed = tasks.related(this.#askedByServer.translated(message))
    if (message.method !== 'notifications/progress') this.#client.send(passed)
    else {
      const asked = this.#forwarded.ofProgress(message)
      if (asked) this.#client.send(passed, { relatedTo: asked.request })
    }
  }

  #answered(response: RpcResponse): void {
    const request = this.#forwarded.answered(response)
    if (!request) return
    this.#passingWrites.answered(request.id, response)
    this.#tasks.endListening(response.id)
    if ('result' in response) this.#sessionRestore.answered(request)
    const presented = this.#presentation.of(request, response)
    if (!(presented instanceof Promise)) this.#client.send(presented)
    else void presented.then(answer => this.#client.send(answer))
  }

  #lost(reason: string): void {
    for (const failed of this.#forwarded.lost(reason)) {
      this.#tasks.endListening(failed.id)
      this.#client.send(failed)
    }
    // What the next server answers need not be what this one did.
    this.#passingWrites.lost()
    this.options.cache.beginWrite()()
    this.#askedByServer.lost(reason)
  }

  async #restore(): Promise<void> {
    this.#catalog.forget()
    for (const changed of await this.#sessionRestore.run(this.#upstream))
      this.#client.send(notification(changed))
  }
}
