import { PassThrough, type Writable } from 'node:stream'
import { actor } from '../../../src/access/actor.ts'
import { type ClientLimitOptions, ClientLimits } from '../../../src/agent/limits.ts'
import { ownTools } from '../../../src/agent/tools/own-tools.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import type { Channel } from '../../../src/wrap/channels/channel.ts'
import { StdioChannel } from '../../../src/wrap/channels/stdio-channel.ts'
import type { Log } from '../../../src/wrap/log.ts'
import { Session } from '../../../src/wrap/session.ts'
import type { CallSettings } from '../../../src/wrap/settings.ts'
import { ToolCalls } from '../../../src/wrap/tools/calls.ts'
import { UpstreamTasks } from '../../../src/wrap/upstream/tasks.ts'
import { Upstream } from '../../../src/wrap/upstream/upstream.ts'

/** A server that is wrapped, as the test plays it: gets each line, and says lines. */
export type Serve = (line: string, say: (line: string) => void) => void

export interface WiredOptions {
  store?: Store
  settings?: CallSettings
  name?: string
  cache?: RefCache
  /** What its client can take. */
  limits?: ClientLimitOptions
  /** How the server is reached, where it is not played by lines. */
  channel?: () => Promise<Channel>
  /** Where the client is not at the other end of the lines. */
  client?: Channel
  onUnusable?: (reason: string) => void
}

/** A session of `wrap` within the process, with the very text that goes over both wires. */
export class Wired {
  /** What the client got, as text. */
  readonly lines: string[] = []
  readonly logged: string[] = []
  readonly cache: RefCache
  readonly session: Session
  readonly #toSession = new PassThrough()
  readonly #fromSession = new PassThrough()
  readonly #waiting = new Set<() => void>()

  constructor(serve: Serve, options: WiredOptions) {
    const { store = memoryStore(), settings = { defaults: {}, tools: {} }, name = 'wired' } = options
    this.cache = options.cache ?? new RefCache({ name, store })
    const calls = new ToolCalls(this.cache, settings, 'upstream')
    const say = (level: string) => (code: string, message: string) =>
      void this.logged.push(`${level} ${code} ${message}`)
    const log: Log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
    const upstream = new Upstream(options.channel ?? (async () => serverChannel(serve)), log)
    eachLine(this.#fromSession, line => {
      this.lines.push(line)
      for (const look of this.#waiting) look()
    })
    this.session = new Session({
      client: options.client ?? new StdioChannel(this.#toSession, this.#fromSession),
      caller: {
        scope: 'scope',
        actor: actor.agent(),
        namespace: 'public',
        upstream,
        tasks: new UpstreamTasks(upstream, calls.somePassBy),
      },
      calls,
      clients: new ClientLimits(options.limits),
      cache: this.cache,
      polling: ownTools(this.cache),
      log,
      onUnusable: options.onUnusable ?? (() => {}),
    })
  }

  static async open(serve: Serve, options: WiredOptions = {}): Promise<Wired> {
    const wired = new Wired(serve, options)
    await wired.session.start()
    return wired
  }

  send(line: string): void {
    this.#toSession.write(`${line}\n`)
  }

  stopReading(): void {
    this.#fromSession.pause()
  }

  goOnReading(): void {
    this.#fromSession.resume()
  }

  /** The first line to the client that contains the text. */
  line(text: string): Promise<string> {
    return new Promise(resolve => {
      const look = () => {
        const found = this.lines.find(line => line.includes(text))
        if (found === undefined) return
        this.#waiting.delete(look)
        resolve(found)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Sends a request, as text, and gives the text of its answer. */
  ask(id: string | number, method: string, params = '{}'): Promise<string> {
    const json = JSON.stringify(id)
    this.send(`{"jsonrpc":"2.0","id":${json},"method":"${method}","params":${params}}`)
    return this.line(`"id":${json},`)
  }

  /** The structured content of one of our own tools' answers. */
  async poll(id: string | number, tool: string, args: object): Promise<JsonObject> {
    const answer = await this.ask(id, 'tools/call', JSON.stringify({ name: tool, arguments: args }))
    const { result } = parseJson(answer) as { result: JsonObject }
    return result
  }

  async close(): Promise<void> {
    await this.session.close()
    await this.cache.close()
  }
}

export function serverChannel(serve: Serve): StdioChannel {
  const toServer = new PassThrough()
  const fromServer = new PassThrough()
  eachLine(toServer, line => serve(line, said => fromServer.write(`${said}\n`)))
  return new StdioChannel(fromServer, toServer)
}

function eachLine(stream: PassThrough | Writable, take: (line: string) => void): void {
  let rest = ''
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('utf8')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) take(line)
  })
}

/** The id of a request as it stands in its line. */
export function idIn(line: string): string {
  return /"id":("(?:[^"\\]|\\.)*"|[^,}]+)/.exec(line)?.[1] ?? 'null'
}

/** A server that introduces itself, lists no tools but those given, and answers calls with what `call` gives. */
export function serverOf(
  call: (line: string, say: (line: string) => void) => string | undefined,
  tools = '[]',
  capabilities = '{"tools":{}}',
): Serve {
  return (line, say) => {
    if (!line.includes('"id":')) return
    const answer = (result: string) => say(`{"jsonrpc":"2.0","id":${idIn(line)},"result":${result}}`)
    if (line.includes('"method":"tools/list"')) answer(`{"tools":${tools}}`)
    else if (line.includes('"method":"initialize"')) {
      answer(
        `{"protocolVersion":"2025-06-18","capabilities":${capabilities},"serverInfo":{"name":"s","version":"1"}}`,
      )
    } else {
      const result = call(line, say)
      if (result !== undefined) answer(result)
    }
  }
}
