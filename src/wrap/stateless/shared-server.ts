import { IdMap } from '../../agent/id-map.ts'
import { SUBSCRIPTION_ID } from '../../agent/tasks/subscriptions.ts'
import type { Channel, SendOptions } from '../channels/channel.ts'
import { failure, isRequest, isResponse, metaOf, RpcErrorCode, type RpcId, type RpcMessage } from '../rpc.ts'
import { TaskOwners } from './task-owners.ts'

/**
 * A server of 2026-07-28 that several callers share. Each has a channel to it; the ids on all of them are unlike each other, so an
 * answer finds its way back by its id alone.
 */
export class SharedServer {
  readonly #callers = new Set<CallerChannel>()
  readonly #asked = new IdMap<CallerChannel>()
  readonly #taskOwners = new TaskOwners()
  #channel: Channel | undefined
  #opening: Promise<void> | undefined

  /** @param started the first connection, where there is one already */
  constructor(
    private readonly open: () => Promise<Channel>,
    started?: Channel,
  ) {
    if (started) this.#use(started)
  }

  /** @param owner the subject whose requests come over it; nothing where that is not known */
  channel(owner?: string): Channel {
    return new CallerChannel(this, owner)
  }

  /** @throws when the server cannot be started or reached */
  async join(caller: CallerChannel): Promise<void> {
    // Before there is a server: the one that leaves last must not end it now.
    this.#callers.add(caller)
    try {
      await this.#reach()
    } catch (error) {
      this.#callers.delete(caller)
      throw error
    }
  }

  /** The last caller that leaves ends the server. */
  async leave(caller: CallerChannel): Promise<void> {
    for (const id of this.#asked.ids()) if (this.#asked.get(id) === caller) this.#asked.delete(id)
    if (!this.#callers.delete(caller) || this.#callers.size > 0) return
    const channel = this.#channel
    this.#channel = undefined
    await channel?.close()
  }

  async send(caller: CallerChannel, message: RpcMessage, options?: SendOptions): Promise<void> {
    if (!this.#channel) throw new Error('The wrapped server is not running.')
    const admitted = isRequest(message) ? this.#taskOwners.admit(caller.owner, message) : message
    if (isRequest(message) && isResponse(admitted)) {
      caller.onmessage?.(admitted)
      return
    }
    if (isRequest(admitted)) this.#asked.set(admitted.id, caller)
    else if (!isResponse(admitted) && admitted.method === 'notifications/cancelled') {
      this.#asked.delete(admitted.params?.requestId as RpcId)
    }
    await this.#channel.send(admitted, options)
  }

  #reach(): Promise<void> {
    if (this.#channel && !this.#opening) return Promise.resolve()
    this.#opening ??= this.#start().finally(() => {
      this.#opening = undefined
    })
    return this.#opening
  }

  async #start(): Promise<void> {
    const channel = await this.open()
    this.#use(channel)
    try {
      await channel.start()
    } catch (error) {
      this.#channel = undefined
      throw error
    }
  }

  #use(channel: Channel): void {
    this.#channel = channel
    channel.onmessage = message => this.#receive(message)
    channel.onerror = problem => {
      for (const { onerror } of [...this.#callers].slice(0, 1)) onerror?.(problem)
    }
    channel.onclose = reason => this.#lost(channel, reason)
  }

  #receive(message: RpcMessage): void {
    if (isRequest(message)) {
      this.#refuse(message.id)
      return
    }
    if (isResponse(message)) {
      const asker = this.#asked.get(message.id)
      this.#asked.delete(message.id)
      if (asker) this.#taskOwners.gave(asker.owner, message)
      asker?.onmessage?.(message)
      return
    }
    // Who knows the request that it names takes it. What names none may be about anybody's request.
    const { params = {} } = message
    const isNamed =
      params.progressToken !== undefined || SUBSCRIPTION_ID in metaOf(params) || isListChange(message.method)
    const [only, ...others] = new Set(this.#asked.values())
    if (isNamed) for (const caller of [...this.#callers]) caller.onmessage?.(message)
    else if (others.length === 0) only?.onmessage?.(message)
  }

  /** A server of this revision asks by its answers. */
  #refuse(id: string | number): void {
    const message = 'Servers of 2026-07-28 send no requests: answer with input_required instead.'
    this.#channel?.send(failure(id, { code: RpcErrorCode.methodNotFound, message })).catch(() => {})
  }

  #lost(channel: Channel, reason: string): void {
    if (this.#channel !== channel) return
    this.#channel = undefined
    this.#asked.clear()
    const callers = [...this.#callers]
    this.#callers.clear()
    for (const caller of callers) caller.onclose?.(reason)
  }
}

/** One caller's way to the server. */
class CallerChannel implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']

  constructor(
    private readonly server: SharedServer,
    readonly owner: string | undefined,
  ) {}

  start(): Promise<void> {
    return this.server.join(this)
  }

  send(message: RpcMessage, options?: SendOptions): Promise<void> {
    return this.server.send(this, message, options)
  }

  /** One caller that does not read holds up no other one. */
  pause(): void {}

  resume(): void {}

  close(): Promise<void> {
    return this.server.leave(this)
  }
}

/** Says that something changed, and nothing of anybody's request. */
function isListChange(method: string): boolean {
  return method.endsWith('/list_changed')
}
