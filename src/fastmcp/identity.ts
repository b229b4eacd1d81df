import { createHash } from 'node:crypto'
import type { Context, FastMCPSessionAuth } from 'fastmcp'
import { type Actor, actor } from '../access/actor.ts'
import { type Caller, toNamespaceId } from '../mcp/identity.ts'
import { internalError } from '../mcp/wire.ts'

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
 * - An authenticated subject: results are private to it.
 * - An HTTP session of which no more is known: results are private to the session, and no call shares another one's.
 * - HTTP without a session: anybody could be anybody, so nothing is shared.
 * - stdio and other direct connections: one caller, whoever started the server.
 */
export function callerOf<Session extends FastMCPSessionAuth>(
  context: RequestContext<Session>,
  actorOf?: ActorOf<Session>,
): Caller {
  const known = ask(context, actorOf) ?? subjectOf(context.session)
  if (known?.id !== undefined) {
    const id = toNamespaceId(known.id)
    return { actor: { ...known, id }, namespace: `user:${id}`, ambiguous: false }
  }
  const who = known ?? actor.agent()
  const sessionId = who.sessionId === undefined ? sessionOf(context) : toNamespaceId(who.sessionId)
  if (sessionId === undefined) return { actor: who, ambiguous: false }
  return { actor: { ...who, sessionId }, namespace: `session:${sessionId}`, ambiguous: true }
}

function ask<Session extends FastMCPSessionAuth>(
  context: RequestContext<Session>,
  actorOf: ActorOf<Session> | undefined,
): Actor | undefined {
  try {
    const who = actorOf?.(context.session, context)
    if (who?.type === 'system') throw new Error('actorOf gave the system actor, which no request may be.')
    return who
  } catch (cause) {
    throw internalError(cause)
  }
}

/** What `authenticate` gives is of the author's making; the subject usually goes by one of these names. */
const SUBJECT_CLAIMS = ['sub', 'subject', 'userId', 'user_id'] as const

/** MCP callers are agents, also those that act for a user: what a user alone may see stays from the model. */
function subjectOf(session: FastMCPSessionAuth): Actor | undefined {
  for (const claims of [session, session?.extra]) {
    if (!isRecord(claims)) continue
    const subject = SUBJECT_CLAIMS.map(name => claims[name]).find(isName)
    if (subject === undefined) continue
    // Two issuers may know two people by one name. A line feed stands in no issuer's URL.
    return actor.agent({ id: isName(claims.iss) ? `${subject}\n${claims.iss}` : `${subject}` })
  }
  return undefined
}

/** The session of the callers whose requests fastmcp cannot tell apart. No other session's id has a bare `%`. */
const ANONYMOUS_HTTP = '%anonymous-http'

/** The HTTP session by its digest: who knows a session's id can take it over. Nothing for a direct connection. */
function sessionOf({ client, sessionId }: RequestContext): string | undefined {
  // Only a connection of its own has greeted its client. Without one (stateless HTTP), a session's id is what the client says.
  if (client.version === undefined) return ANONYMOUS_HTTP
  return sessionId === undefined ? undefined : createHash('sha256').update(sessionId).digest('hex')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Databases number their users. */
function isName(claim: unknown): claim is string | number {
  return (typeof claim === 'string' && claim !== '') || Number.isSafeInteger(claim)
}
