import { isJsonObject, type JsonObject } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import type { RpcNotification, RpcRequest } from '../rpc.ts'
import type { Upstream } from './upstream.ts'

/** What a server that is started again has to be told, so that the client's session goes on as if it never left. */
export class SessionRestore {
  #handshake: JsonObject | undefined
  #initialized: RpcNotification | undefined
  #logLevel: JsonObject | undefined
  readonly #subscriptions = new Map<string, JsonObject>()
  /** What the server that was started last said of itself. */
  introduction: JsonObject | undefined

  /** A request that the server has granted. */
  answered({ method, params = {} }: RpcRequest): void {
    if (method === 'initialize') this.#handshake = params
    else if (method === 'logging/setLevel') this.#logLevel = params
    else if (method === 'resources/subscribe')
      this.#subscriptions.set(stringifyJson(params.uri ?? null), params)
    else if (method === 'resources/unsubscribe') this.#subscriptions.delete(stringifyJson(params.uri ?? null))
  }

  notified(message: RpcNotification): void {
    if (message.method === 'notifications/initialized') this.#initialized = message
  }

  /** Tells it all; gives the notifications that the client should get, because lists may differ now. */
  async run(upstream: Upstream): Promise<string[]> {
    // The revision without sessions has nothing to replay.
    if (!this.#handshake) return []
    const response = await inTime(upstream.replay('initialize', this.#handshake))
    if ('error' in response) throw new Error(`The wrapped server refused to begin: ${response.error.message}`)
    this.introduction = response.result
    if (this.#initialized) await upstream.introduce(this.#initialized)
    if (this.#logLevel) await inTime(upstream.replay('logging/setLevel', this.#logLevel))
    for (const params of this.#subscriptions.values())
      await inTime(upstream.replay('resources/subscribe', params))
    return listChanges(response.result)
  }
}

const PATIENCE_MS = 30_000

/** A server that starts and then says nothing must be given up some time, or nobody would start it again. */
export async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('The wrapped server does not answer.')), PATIENCE_MS)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

function listChanges({ capabilities }: JsonObject): string[] {
  if (!isJsonObject(capabilities)) return []
  return ['tools', 'resources', 'prompts']
    .filter(kind => {
      const ability = capabilities[kind]
      return isJsonObject(ability) && ability.listChanged === true
    })
    .map(kind => `notifications/${kind}/list_changed`)
}
