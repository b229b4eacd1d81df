import type { Clock } from '../../core/clock.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Log } from '../log.ts'
import type { RpcId, RpcNotification, RpcRequest, RpcResponse } from '../rpc.ts'
import type { Kind } from './known-servers.ts'

/** How a client has introduced itself: all servers are spoken to in its name. */
export interface Handshake {
  readonly method: 'initialize' | 'server/discover'
  readonly params: JsonObject
}

/** What is heard of a member. */
export interface MemberEvents<Member> {
  /** Its answer to a request that was forwarded to it. @param text as it came */
  onAnswer(member: Member, request: RpcRequest, response: RpcResponse, text: string | undefined): void
  /** It asks the client; the id is unlike that of any other server's. */
  onRequest(member: Member, request: RpcRequest): void
  onNotification(member: Member, message: RpcNotification): void
  /** It went away with these requests unanswered, and no longer wants answers to those of its own. */
  onLost(member: Member, requests: readonly RpcId[], questions: readonly RpcId[], reason: string): void
  /** It runs, and has introduced itself. */
  onReady(member: Member): void
  onListChanged(member: Member, kind: Kind): void
}

export interface MemberOptions<Member> {
  readonly handshake: () => Handshake
  readonly events: MemberEvents<Member>
  /** Of one list of it. */
  readonly maxListBytes: number
  readonly log: Log
  readonly clock?: Clock | undefined
}
