import type { Channel } from '../../../src/wrap/channels/channel.ts'
import type { RpcMessage } from '../../../src/wrap/rpc.ts'

/** A server that says what it is told to, as long as somebody reads it. */
export class Chatty implements Channel {
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  readonly heard: RpcMessage[] = []
  paused = false

  async start(): Promise<void> {}
  async close(): Promise<void> {}
  async send(message: RpcMessage): Promise<void> {
    this.heard.push(message)
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }

  say(data: string): void {
    this.onmessage?.({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } })
  }
}

/** Lets whatever is ready happen. */
export const turn = () => new Promise(setImmediate)
