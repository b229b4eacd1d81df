import type { ServerContext } from '@modelcontextprotocol/server'
import type { Actor } from '../access/actor.ts'
import { type Caller, clientIn, sessionName, subjectIn, toCaller, vouchedFor } from '../agent/identity.ts'

/** Says who calls; `undefined` leaves it to what the transport knows. */
export type ActorOf = (context: ServerContext) => Actor | undefined

export interface IdentityOptions {
  actorOf?: ActorOf | undefined
  /** The session of a direct connection, where tools keep their results to a session. */
  directSession?: string | undefined
}

/**
 * - An authenticated subject: results are private to it.
 * - A token that names only its OAuth client, through which many users may come: private to the client, never shared.
 * - HTTP without a token: private to the session. Without one nothing is known: whoever holds a reference and is as
 *   unknown may follow it, and no call is given what another one produced.
 * - stdio and other direct connections: one caller, whoever started the server.
 */
export function callerOf(context: ServerContext, { actorOf, directSession }: IdentityOptions = {}): Caller {
  const { http, sessionId } = context
  const claims = http?.authInfo?.extra ?? {}
  return toCaller({
    named: vouchedFor(() => actorOf?.(context)) ?? subjectIn(claims),
    client: clientIn(http?.authInfo?.clientId, claims),
    session: http ? sessionName(sessionId) : (sessionName(sessionId) ?? directSession),
    shared: http !== undefined,
    claims,
  })
}
