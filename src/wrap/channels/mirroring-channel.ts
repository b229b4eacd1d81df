import { randomBytes } from 'node:crypto'
import { IdMap } from '../../agent/id-map.ts'
import { onAbort } from '../../core/abort.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import {
  isRequest,
  isResponse,
  protocolMeta,
  RpcErrorCode,
  type RpcId,
  type RpcMessage,
  type RpcRequest,
  type RpcResponse,
} from '../rpc.ts'
import type { Channel, SendOptions } from './channel.ts'
import { type ParameterHeader, parameterHeadersIn, parameterHeadersOf } from './parameter-headers.ts'

/** A call that the server has not answered. */
interface OpenCall {
  readonly request: RpcRequest
  readonly options: SendOptions
  readonly headers: Readonly<Record<string, string>>
  /** Nobody looks for its answer any more. */
  end(): void
}

/** How long a call waits for the tools to be listed first, and how many pages are read. */
const LISTING_MS = 3_000
const MAX_PAGES = 100
/** A server may make up tools without end. */
const MAX_TOOLS = 10_000
const MAX_WARNINGS = 100

/**
 * A server behind HTTP at 2026-07-28: calls carry the headers that their tools declare for parameters, and tools that declare them
 * wrongly are not listed. What the tools declare is taken from the lists that pass; where there was none, this asks for one.
 */
export class MirroringChannel implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  readonly #headers = new Map<string, readonly ParameterHeader[]>()
  readonly #lists = new IdMap<true>()
  readonly #calls = new IdMap<OpenCall>()
  /** Lists that were asked for here. */
  readonly #own = new Map<RpcId, (response: RpcResponse) => void>()
  readonly #idPrefix = `refcache:${randomBytes(4).toString('hex')}:tools:`
  readonly #warned = new Set<string>()
  #nextId = 1
  #isListed = false
  #listing: Promise<void> | undefined

  constructor(private readonly channel: Channel) {}

  async start(): Promise<void> {
    this.channel.onmessage = message => this.#receive(message)
    this.channel.onclose = reason => this.onclose?.(reason)
    this.channel.onerror = problem => this.onerror?.(problem)
    await this.channel.start()
  }

  async send(message: RpcMessage, options: SendOptions = {}): Promise<void> {
    if (!isRequest(message)) {
      if ('method' in message && message.method === 'notifications/cancelled')
        this.#take(message.params?.requestId as RpcId)
      return this.channel.send(message, options)
    }
    if (!protocolMeta(message.params)) return this.channel.send(message, options)
    if (message.method === 'tools/list') this.#lists.set(message.id, true)
    if (message.method !== 'tools/call') return this.channel.send(message, options)
    if (!this.#isListed) await this.#list(message, options)
    const headers = this.#headersOf(message)
    const end = options.signal ? onAbort(options.signal, () => this.#take(message.id)) : () => {}
    this.#calls.set(message.id, { request: message, options, headers, end })
    try {
      await this.channel.send(message, { ...options, headers })
    } catch (error) {
      this.#take(message.id)
      throw error
    }
  }

  pause(): void {
    this.channel.pause()
  }

  resume(): void {
    this.channel.resume()
  }

  close(): Promise<void> {
    return this.channel.close()
  }

  #headersOf({ params }: RpcRequest): Record<string, string> {
    return parameterHeadersOf(this.#headers.get(String(params?.name)) ?? [], params?.arguments)
  }

  #receive(message: RpcMessage): void {
    if ('method' in message && message.method === 'notifications/tools/list_changed') this.#isListed = false
    const received = isResponse(message) ? this.#answered(message) : message
    if (received) this.onmessage?.(received)
  }

  /** The answer to pass on, if it is not for us. */
  #answered(response: RpcResponse): RpcResponse | undefined {
    const own = this.#own.get(response.id)
    if (own) return void own(response)
    if (this.#lists.delete(response.id)) return this.#listed(response)
    const call = this.#take(response.id)
    const refused = 'error' in response && Number(response.error.code) === RpcErrorCode.headerMismatch
    if (!call || !refused) return response
    return void this.#callAgain(call, response)
  }

  #take(id: RpcId): OpenCall | undefined {
    const call = this.#calls.get(id)
    this.#calls.delete(id)
    call?.end()
    return call
  }

  /** The headers were not those that the server wants: its tools may have changed. The call did not run. */
  async #callAgain({ request, options, headers }: OpenCall, refusal: RpcResponse): Promise<void> {
    await this.#list(request, options)
    const now = this.#headersOf(request)
    if (options.signal?.aborted) return
    if (JSON.stringify(now) === JSON.stringify(headers)) return this.onmessage?.(refusal)
    await this.channel.send(request, { ...options, headers: now }).catch(() => this.onmessage?.(refusal))
  }

  /** Asks for the tools, as the client of a request. Never rejects: without them the call goes out as it is. */
  async #list({ params }: RpcRequest, { signal }: SendOptions): Promise<void> {
    this.#listing ??= this.#listAll({ _meta: protocolMeta(params) ?? {} })
      .catch(() => {})
      .finally(() => {
        this.#listing = undefined
      })
    const listing = this.#listing
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, LISTING_MS)
      const ignore = signal && onAbort(signal, resolve)
      void listing.then(resolve).finally(() => {
        clearTimeout(timer)
        ignore?.()
      })
    })
  }

  async #listAll(base: JsonObject): Promise<void> {
    let cursor: JsonObject = {}
    for (let page = 0; page < MAX_PAGES; page++) {
      const response = this.#listed(await this.#ask({ ...base, ...cursor }))
      if ('error' in response || response.result.nextCursor === undefined) break
      cursor = { cursor: response.result.nextCursor }
    }
    this.#isListed = true
  }

  async #ask(params: JsonObject): Promise<RpcResponse> {
    const id = `${this.#idPrefix}${this.#nextId++}`
    try {
      return await new Promise((resolve, reject) => {
        this.#own.set(id, resolve)
        this.channel.send({ jsonrpc: '2.0', id, method: 'tools/list', params }).catch(reject)
      })
    } finally {
      this.#own.delete(id)
    }
  }

  /** A page of the list without the tools that clients must not show. */
  #listed(response: RpcResponse): RpcResponse {
    if ('error' in response || !Array.isArray(response.result.tools)) return response
    const tools = response.result.tools.filter(tool => this.#learn(tool))
    if (response.result.nextCursor === undefined) this.#isListed = true
    return { ...response, result: { ...response.result, tools } }
  }

  #learn(tool: JsonValue): boolean {
    if (!isJsonObject(tool) || typeof tool.name !== 'string') return true
    const declared = parameterHeadersIn(tool.inputSchema)
    const headers = 'headers' in declared ? declared.headers : []
    if (headers.length === 0) this.#headers.delete(tool.name)
    else if (this.#headers.size < MAX_TOOLS) this.#headers.set(tool.name, headers)
    if ('headers' in declared) return true
    this.#warn(`The tool '${tool.name.slice(0, 100)}' is left out: ${declared.problem}`)
    return false
  }

  /** Once, however often the tools are listed. */
  #warn(problem: string): void {
    if (this.#warned.has(problem) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(problem)
    this.onerror?.(problem)
  }
}
