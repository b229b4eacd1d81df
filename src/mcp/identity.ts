import { createHash } from 'node:crypto'
import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server'
import { type Actor, actor } from '../access/actor.ts'
import type { Namespace } from '../access/namespace.ts'
import { internalError } from './wire.ts'

/** Who calls, as far as the transport vouches for it. Nothing here is ever taken from a call's arguments. */
export interface Caller {
  readonly actor: Actor
  /** Where the results of this caller belong when the tool names no namespace; absent: the tool's default. */
  readonly namespace?: Namespace
  /** Several people may look like this one caller: none may be given what another one's call produced. */
  readonly ambiguous: boolean
}

/** Says who calls; `undefined` leaves it to what the transport knows. */
export type ActorOf = (context: ServerContext) => Actor | undefined

/**
 * - An authenticated subject: results are private to it.
 * - A token that names only its OAuth client, through which many users may come: private to the client, never shared.
 * - HTTP without a token: nothing is known, so nothing is shared.
 * - stdio and other direct connections: one caller, whoever started the server.
 */
export function callerOf(context: ServerContext, actorOf?: ActorOf): Caller {
  const known = ask(context, actorOf) ?? subjectOf(context.http?.authInfo)
  if (known?.id !== undefined) {
    const id = toNamespaceId(known.id)
    return { actor: { ...known, id }, namespace: `user:${id}`, ambiguous: false }
  }
  const who = known ?? clientOf(context)
  const overHttp = context.http !== undefined
  return who.id === undefined
    ? { actor: who, ambiguous: overHttp }
    : { actor: who, namespace: `user:${who.id}`, ambiguous: true }
}

function ask(context: ServerContext, actorOf: ActorOf | undefined): Actor | undefined {
  try {
    const who = actorOf?.(context)
    if (who?.type === 'system') throw new Error('actorOf gave the system actor, which no request may be.')
    return who
  } catch (cause) {
    throw internalError(cause)
  }
}

/** Token verifiers keep the subject in `extra`, under one of these names. */
const SUBJECT_CLAIMS = ['sub', 'subject', 'userId', 'user_id'] as const

/** MCP callers are agents, also those that act for a user: what a user alone may see stays from the model. */
function subjectOf(authInfo: AuthInfo | undefined): Actor | undefined {
  const claims = authInfo?.extra ?? {}
  const subject = SUBJECT_CLAIMS.map(name => claims[name]).find(isName)
  if (subject === undefined) return undefined
  // Two issuers may know two people by one name. A line feed stands in no issuer's URL.
  return actor.agent({ id: isName(claims.iss) ? `${subject}\n${claims.iss}` : subject })
}

function clientOf({ http, sessionId }: ServerContext): Actor {
  const clientId = http?.authInfo?.clientId
  // A subject's id has no bare `%`, so no subject reads like a client.
  if (isName(clientId)) return actor.agent({ id: `%client-${digest(clientId)}` })
  return actor.agent(sessionId === undefined ? {} : { sessionId })
}

function isName(claim: unknown): claim is string {
  return typeof claim === 'string' && claim !== ''
}

const MAX_ID_LENGTH = 256

/** An id as namespaces take it: colons, white space and control characters escaped; one id for each name. */
export function toNamespaceId(name: string): string {
  const escaped = name.replace(/[%:\s\p{Cc}]/gu, encodeURIComponent)
  // What is too long, or would not survive UTF-8, goes by its digest.
  const fits = escaped.length <= MAX_ID_LENGTH && Buffer.from(escaped).toString() === escaped
  return fits ? escaped : `%sha256-${digest(name)}`
}

function digest(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex')
}
