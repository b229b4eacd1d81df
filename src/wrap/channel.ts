import type { RpcId, RpcMessage } from './rpc.ts'

/** What carries messages to one peer and back: a pipe, a child process, an HTTP connection. */
export interface Channel {
  onmessage: ((message: RpcMessage) => void) | undefined
  /** The peer is gone, for the reason given. Called once, and not after `close`. */
  onclose: ((reason: string) => void) | undefined
  /** Something that is worth a line in the log and does not end the channel. */
  onerror: ((problem: string) => void) | undefined
  /** @throws when the peer cannot be reached at all */
  start(): Promise<void>
  /** @throws when the message did not get through */
  send(message: RpcMessage, options?: SendOptions): Promise<void>
  close(): Promise<void>
}

export interface SendOptions {
  /** The request of the peer that this message belongs to; HTTP sends it on that request's stream. */
  relatedTo?: RpcId | undefined
  /** Ends the exchange that this request opened, where the channel has one exchange a request. */
  signal?: AbortSignal | undefined
}
