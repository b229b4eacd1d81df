import type { RpcMessage } from '../rpc.ts'

export interface RequestOptions {
  /** Its abort cancels the request at the server, too. */
  signal?: AbortSignal | undefined
}

export interface UpstreamEvents {
  /**
   * Whatever the server sends that is no answer to a request of our own.
   * @param text the message as it came, where it came as one line of JSON
   */
  onMessage(message: RpcMessage, text?: string): void
  /** The connection is lost: nothing that was asked over it will be answered. */
  onLost(reason: string): void
  /** There is a new connection, which knows nothing yet: here it is told what the old one was told. */
  onRestored(): Promise<void>
  /** The server went away before it answered anything: trying again will not help. */
  onUnusable(reason: string): void
  /** It is tried again in so many milliseconds. */
  onAway?(reason: string, pauseMs: number): void
  /** A new connection can be used by all. */
  onReady?(): void
}
