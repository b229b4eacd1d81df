import type { Context, FastMCPSessionAuth } from 'fastmcp'
import type { Actor } from '../access/actor.ts'
import { type Caller, sessionName, subjectIn, toCaller, vouchedFor } from '../agent/identity.ts'

/**
 * What a handler may know of the request that had it run. What belongs to the call alone is not in it: the task has a
 * signal and a progress of its own, and outlives the call.
 */
export type RequestContext<Session extends FastMCPSessionAuth = FastMCPSessionAuth> = Omit<
  Context<Session>,
  'reportProgress' | 'signal' | 'streamContent'
>

/**
 * Says who calls; `undefined` leaves it to the adapter.
 * @param session what the server's `authenticate` gave for this caller
 */
export type ActorOf<Session extends FastMCPSessionAuth = FastMCPSessionAuth> = (
  session: Session | undefined,
  context: RequestContext<Session>,
) => Actor | undefined

/**
 * Whether this call comes from an operator. Each call of an admin tool asks; a check that throws says no.
 * @param session what the server's `authenticate` gave for this caller
 */
export type AdminCheck<Session extends FastMCPSessionAuth = FastMCPSessionAuth> = (
  session: Session | undefined,
  context: RequestContext<Session>,
) => boolean | Promise<boolean>

/**
 * - An authenticated subject: results are private to it.
 * - An HTTP session of which no more is known: results are private to the session, and no call shares another one's.
 * - HTTP without a session: anybody could be anybody, so nothing is shared.
 * - stdio and other direct connections: one caller, whoever started the server.
 */
export function callerOf<Session extends FastMCPSessionAuth>(
  context: RequestContext<Session>,
  actorOf?: ActorOf<Session>,
): Caller {
  const { session } = context
  const records = [session, session?.extra].filter(isRecord)
  const named = vouchedFor(() => actorOf?.(session, context))
  const vouched = records.find(claims => subjectIn(claims) !== undefined)
  return toCaller({
    named: named ?? (vouched && subjectIn(vouched)),
    session: sessionOf(context),
    shared: !isDirect(context),
    claims: vouched ?? {},
  })
}

/** Only a connection of its own has greeted its client, and only HTTP gives it a session. */
export function isDirect({ client, sessionId }: Pick<RequestContext, 'client' | 'sessionId'>): boolean {
  return client.version !== undefined && sessionId === undefined
}

/** Without a connection of its own (stateless HTTP), a session's id is what the client says. */
export function sessionOf({ client, sessionId }: RequestContext): string | undefined {
  return client.version === undefined ? undefined : sessionName(sessionId)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
