import type { RpcId, RpcMessage, RpcRequest } from '../rpc.ts'

/** What carries messages to one peer and back: a pipe, a child process, an HTTP connection. */
export interface Channel {
  /** What is sent may get lost unnoticed although the channel goes on, as with a stream over HTTP that drops. */
  readonly mayLose?: true
  /** All that is sent goes the same way, and needs nothing beside the message: no signal, no headers. */
  readonly isPipe?: boolean
  /** `text` is the message as it came, where it came as one line of JSON. */
  onmessage: ((message: RpcMessage, text?: string) => void) | undefined
  /** The peer is gone, for the reason given. Called once, and not after `close`. */
  onclose: ((reason: string) => void) | undefined
  /** Something that is worth a line in the log and does not end the channel. */
  onerror: ((problem: string) => void) | undefined
  /** A request that was sent will not be answered, although the channel goes on: there is more than one server behind it. */
  onunanswered?: ((id: RpcId, reason: string) => void) | undefined
  /** Whether a request of the peer's may belong to a call of that tool. Absent: it may. */
  mayAskFor?(request: RpcRequest, tool: unknown): boolean
  /** @throws when the peer cannot be reached at all */
  start(): Promise<void>
  /**
   * Resolves when the message is on its way and there is room for more.
   * @throws SessionEnded, MessageTooLarge; or what kept the message from getting through
   */
  send(message: RpcMessage, options?: SendOptions): Promise<void>
  /** Reads no more of what the peer sends, until `resume`: the peer has to wait. Sending goes on. */
  pause(): void
  resume(): void
  close(): Promise<void>
}

/** A message was refused because the peer has ended the session: nothing came of it, and it may be sent on a new one. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded'
}

/** Nobody is there to take a message, as far as the network can tell. */
export class PeerUnreachable extends Error {
  override readonly name = 'PeerUnreachable'
}

/** The peer could not read a message of that size. Nothing of it was sent. */
export class MessageTooLarge extends Error {
  override readonly name = 'MessageTooLarge'
}

export interface SendOptions {
  /** The request of the peer that this message belongs to; HTTP sends it on that request's stream. */
  relatedTo?: RpcId | undefined
  /** Ends the exchange that this request opened, where the channel has one exchange a request. */
  signal?: AbortSignal | undefined
  /** The message as JSON, where the sender has it. */
  text?: string | undefined
  /** Sent with the message, where the channel has such a thing. */
  headers?: Readonly<Record<string, string>> | undefined
}
