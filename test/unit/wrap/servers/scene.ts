import type { Clock } from '../../../../src/core/clock.ts'
import type { JsonObject, JsonValue } from '../../../../src/core/json.ts'
import { parseJson } from '../../../../src/core/json-text.ts'
import type { Channel } from '../../../../src/wrap/channels/channel.ts'
import {
  isRequest,
  isResponse,
  type RpcError,
  type RpcMessage,
  type RpcResponse,
} from '../../../../src/wrap/rpc.ts'
import { Composite } from '../../../../src/wrap/servers/composite.ts'
import { KnownInMemory, type KnownServers } from '../../../../src/wrap/servers/known-servers.ts'
import { DEFAULT_NAMING, keysOf, type Naming } from '../../../../src/wrap/servers/names.ts'
import type { ToolSelection } from '../../../../src/wrap/servers/served-server.ts'
import { Wired, type WiredOptions } from '../wired.ts'

export type Answer = JsonObject | { error: RpcError } | 'never'

export interface PlayedOptions {
  capabilities?: JsonObject
  tools?: JsonValue[]
  prompts?: JsonValue[]
  resources?: JsonValue[]
  templates?: JsonValue[]
  instructions?: string
  /** All else; the lists above and the handshake are answered by themselves. */
  answer?(method: string, params: JsonObject, server: Played): Answer | Promise<Answer>
  cannotStart?: string
}

/** A server of 2025-11-25 within the process, as the test plays it. */
export class Played {
  readonly heard: Array<{ method: string; params: JsonObject; id?: unknown }> = []
  readonly answers: RpcResponse[] = []
  starts = 0
  #channel: Channel | undefined

  constructor(readonly options: PlayedOptions = {}) {}

  connect = async (): Promise<Channel> => {
    const server = this
    const channel: Channel = {
      isPipe: true,
      onmessage: undefined,
      onclose: undefined,
      onerror: undefined,
      pause() {},
      resume() {},
      async start() {
        server.starts++
        if (server.options.cannotStart !== undefined) throw new Error(server.options.cannotStart)
        server.#channel = channel
      },
      async close() {},
      async send(message) {
        await server.#take(channel, message)
      },
    }
    return channel
  }

  async #take(channel: Channel, message: RpcMessage): Promise<void> {
    if (isResponse(message)) return void this.answers.push(message)
    const { method, params = {} } = message
    this.heard.push({ method, params, ...(isRequest(message) ? { id: message.id } : {}) })
    if (!isRequest(message)) return
    const answer = await this.#answerTo(method, params)
    if (answer === 'never') return
    const response = {
      jsonrpc: '2.0' as const,
      id: message.id,
      ...('error' in answer ? answer : { result: answer }),
    }
    const text = JSON.stringify(response)
    // As a pipe does: what was sent is a copy.
    queueMicrotask(() => channel.onmessage?.(parseJson(text) as unknown as RpcMessage, text))
  }

  #answerTo(method: string, params: JsonObject): Answer | Promise<Answer> {
    const { tools = [], prompts, resources, templates, instructions, answer } = this.options
    const capabilities = this.options.capabilities ?? {
      tools: {},
      ...(prompts ? { prompts: {} } : {}),
      ...(resources || templates ? { resources: { subscribe: true } } : {}),
    }
    const own = answer?.(method, params, this)
    if (own !== undefined) return own
    switch (method) {
      case 'initialize':
        return {
          protocolVersion: '2025-11-25',
          capabilities,
          serverInfo: { name: 's', version: '1' },
          ...(instructions ? { instructions } : {}),
        }
      case 'tools/list':
        return { tools }
      case 'prompts/list':
        return { prompts: prompts ?? [] }
      case 'resources/list':
        return { resources: resources ?? [] }
      case 'resources/templates/list':
        return { resourceTemplates: templates ?? [] }
      case 'tools/call':
        return {
          content: [{ type: 'text', text: `${params.name} ${JSON.stringify(params.arguments ?? {})}` }],
        }
      default:
        return {}
    }
  }

  say(message: { method: string; id?: string | number; params?: JsonObject }): void {
    this.#channel?.onmessage?.({ jsonrpc: '2.0', ...message } as RpcMessage)
  }

  die(reason = 'It ended (exit code 1).'): void {
    const channel = this.#channel
    this.#channel = undefined
    channel?.onclose?.(reason)
  }

  asked(method: string): JsonObject[] {
    return this.heard.filter(one => one.method === method).map(({ params }) => params)
  }
}

export const tool = (name: string, more: JsonObject = {}): JsonObject => ({
  name,
  inputSchema: { type: 'object' },
  ...more,
})

export interface FrontOptions extends WiredOptions {
  naming?: Partial<Naming>
  selections?: Record<string, ToolSelection>
  known?: KnownServers
  isLazy?: boolean
  clock?: Clock
  capabilities?: JsonObject
  /** Servers that the file describes wrongly. */
  problems?: Record<string, string>
  /** False: the client says nothing yet. */
  greets?: boolean
}

const SETTINGS = { defaults: {}, tools: {}, instructionsFirst: true }

/** A session of `wrap` in front of several played servers. */
export class Front {
  #next = 1

  private constructor(
    readonly wired: Wired,
    readonly composite: () => Composite | undefined,
    /** What was logged of the servers. */
    readonly logged: readonly string[],
  ) {}

  static async open(servers: Record<string, Played>, options: FrontOptions = {}): Promise<Front> {
    const names = Object.keys(servers)
    const keys = keysOf(names)
    let composite: Composite | undefined
    const logged: string[] = []
    const say = (level: string) => (code: string, message: string) =>
      void logged.push(`${level} ${code} ${message}`)
    const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
    const channel = async () => {
      composite = new Composite({
        servers: names.map((name, at) => ({
          name,
          key: keys[at] as string,
          scope: name,
          isPipe: true,
          connect: (servers[name] as Played).connect,
          problem: options.problems?.[name],
          tools: options.selections?.[name] ?? {},
        })),
        naming: { ...DEFAULT_NAMING, ...options.naming },
        known: options.known ?? new KnownInMemory(),
        isLazy: options.isLazy ?? false,
        log,
        clock: options.clock,
      })
      return composite
    }
    const front = new Front(
      await Wired.open(() => {}, { settings: SETTINGS, ...options, channel }),
      () => composite,
      logged,
    )
    if (options.greets !== false) await front.greet(options.capabilities)
    return front
  }

  async greet(capabilities: JsonObject = {}): Promise<JsonObject> {
    const params = { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'test', version: '1' } }
    const answer = await this.ask('initialize', params)
    this.tell('notifications/initialized')
    return answer
  }

  tell(method: string, params: JsonObject = {}): void {
    this.wired.send(JSON.stringify({ jsonrpc: '2.0', method, params }))
  }

  respond(id: unknown, value: JsonObject): void {
    this.wired.send(JSON.stringify({ jsonrpc: '2.0', id, result: value }))
  }

  /** Gives the whole response. */
  async response(method: string, params: JsonObject = {}): Promise<JsonObject> {
    const id = `c${this.#next++}`
    return JSON.parse(await this.wired.ask(id, method, JSON.stringify(params))) as JsonObject
  }

  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
  async ask(method: string, params: JsonObject = {}): Promise<any> {
    const { result, error } = await this.response(method, params)
    if (error) throw new Error(String((error as JsonObject).message))
    return result
  }

  call(name: string, args: JsonObject = {}, more: JsonObject = {}) {
    return this.ask('tools/call', { name, arguments: args, ...more })
  }

  async names(list: 'tools' | 'prompts' = 'tools'): Promise<string[]> {
    const listed = await this.ask(`${list}/list`)
    const ours = [
      'get_cached_result',
      'cancel_task',
      'retry_task',
      'query_cached_result',
      'edit_cached_result',
    ]
    return listed[list]
      .map(({ name }: { name: string }) => name)
      .filter((name: string) => !ours.includes(name))
  }

  /** Messages of the client's that have a method. */
  told(method: string): JsonObject[] {
    return this.wired.lines
      .filter(line => line.includes(method))
      .map(line => JSON.parse(line) as JsonObject)
      .filter(message => message.method === method)
  }

  close(): Promise<void> {
    return this.wired.close()
  }
}
