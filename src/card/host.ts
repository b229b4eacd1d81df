import type {
  McpUiHostContext,
  McpUiInitializeRequest,
  McpUiInitializeResult,
} from '@modelcontextprotocol/ext-apps'

type Params = Readonly<Record<string, unknown>>

export interface HostEvents {
  onResult(result: Params): void
  onCancelled(reason: string | undefined): void
  onContext(context: McpUiHostContext): void
  /** The host takes the card away. */
  onTeardown(): void
}

interface Message {
  readonly jsonrpc: '2.0'
  readonly id?: number | string
  readonly method?: string
  readonly params?: Params
  readonly result?: unknown
  readonly error?: { readonly message?: string }
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

const PROTOCOL_VERSION = '2026-01-26'
const METHOD_NOT_FOUND = -32601
/** A host may ask its user first. One that has lost its server may never answer. */
const ANSWER_WITHIN_MS = 120_000

/**
 * The host of the frame, over `postMessage` (SEP-1865). The `App` of `@modelcontextprotocol/ext-apps` does this, too, with 640 KB of
 * schemas of MCP; every chat that shows a card loads it.
 */
export class Host {
  readonly #waiting = new Map<number, Waiting>()
  #lastId = 0

  constructor(private readonly events: HostEvents) {
    window.addEventListener('message', ({ source, data }: MessageEvent<Message | undefined>) => {
      if (source === window.parent && data?.jsonrpc === '2.0') this.#hear(data)
    })
  }

  async connect(): Promise<McpUiInitializeResult> {
    const params: McpUiInitializeRequest['params'] = {
      appInfo: { name: 'mcp-refcache', version: '1' },
      appCapabilities: { availableDisplayModes: ['inline'] },
      protocolVersion: PROTOCOL_VERSION,
    }
    const introduced = (await this.#request('ui/initialize', { ...params })) as McpUiInitializeResult
    this.#send({ method: 'ui/notifications/initialized', params: {} })
    return introduced
  }

  /** Rejects where the host refuses, or does not answer. */
  callTool(name: string, args: Params): Promise<unknown> {
    const late = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('The client does not answer.')), ANSWER_WITHIN_MS)
    })
    return Promise.race([this.#request('tools/call', { name, arguments: args }), late])
  }

  sizeChanged(size: { width: number; height: number }): void {
    this.#send({ method: 'ui/notifications/size-changed', params: size })
  }

  #request(method: string, params: Params): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#send({ id, method, params })
    })
  }

  /** The frame is told no origin of its host. What goes out holds references, and no values. */
  #send(message: Omit<Message, 'jsonrpc'>): void {
    window.parent.postMessage({ jsonrpc: '2.0', ...message }, '*')
  }

  #hear(message: Message): void {
    const { id, method, params = {} } = message
    if (method === undefined) this.#answered(message)
    else if (id === undefined) this.#told(method, params)
    else this.#asked(id, method)
  }

  #answered({ id, result, error }: Message): void {
    const waiting = this.#waiting.get(Number(id))
    this.#waiting.delete(Number(id))
    if (error) waiting?.reject(new Error(error.message ?? 'The host refused.'))
    else waiting?.resolve(result)
  }

  #told(method: string, params: Params): void {
    if (method === 'ui/notifications/tool-result') this.events.onResult(params)
    if (method === 'ui/notifications/host-context-changed') this.events.onContext(params)
    if (method === 'ui/notifications/tool-cancelled')
      this.events.onCancelled(typeof params.reason === 'string' ? params.reason : undefined)
  }

  #asked(id: number | string, method: string): void {
    if (method === 'ui/resource-teardown') this.events.onTeardown()
    if (method === 'ui/resource-teardown' || method === 'ping') this.#send({ id, result: {} })
    else {
      const error = { code: METHOD_NOT_FOUND, message: `The card knows no ${method}.` }
      this.#send({ id, error })
    }
  }
}
