import { createHash } from 'node:crypto'
import { type Actor, actor } from '../access/actor.ts'
import type { Namespace } from '../access/namespace.ts'
import { internalError } from './wire.ts'

/** Who calls, as far as the transport vouches for it. Nothing here is ever taken from a call's arguments. */
export interface Caller {
  /** Its id, session and organizations are written as namespaces take them. */
  readonly actor: Actor
  /** Where the results of this caller belong when the tool names no namespace; absent: the tool's default. */
  readonly namespace?: Namespace
  /** Several people may look like this one caller: none may be given what another one's call produced. */
  readonly ambiguous: boolean
  /** What templates can be filled with, by name: escaped when it is filled in. */
  readonly claims: Readonly<Record<string, unknown>>
}

/** Everybody who is unknown and comes over HTTP without a session. No real session reads like it. */
const ANONYMOUS = '%anonymous-http'

/** What a transport knows of a caller. */
export interface Known {
  /** Who it is, as `vouchedFor` or `subjectIn` gives it. */
  named: Actor | undefined
  /** The OAuth client, as `clientIn` gives it. */
  client?: Actor | undefined
  /** The name of its session, as `sessionName` gives it. */
  session: string | undefined
  /** Others may come over the same connection, as over HTTP. */
  shared: boolean
  claims: Readonly<Record<string, unknown>>
}

export function toCaller({ named, client, session, shared, claims }: Known): Caller {
  const inSession = session === undefined ? {} : { sessionId: session }
  const who = { ...inSession, ...(named ?? client ?? actor.agent()) }
  if (who.id !== undefined) {
    return { actor: who, namespace: `user:${who.id}`, ambiguous: named?.id === undefined, claims }
  }
  if (!shared && named?.sessionId === undefined) return { actor: who, ambiguous: false, claims }
  const stranger = { sessionId: ANONYMOUS, ...who }
  return { actor: stranger, namespace: `session:${stranger.sessionId}`, ambiguous: true, claims }
}

/** Whether all calls that look like this caller's are of one client. */
export function isOneClient({ actor: who, ambiguous }: Pick<Caller, 'actor' | 'ambiguous'>): boolean {
  return !ambiguous || (who.id === undefined && realSession(who) !== undefined)
}

/** The session that the caller's results can be kept to. */
export function realSession({ sessionId }: Actor): string | undefined {
  return sessionId === ANONYMOUS ? undefined : sessionId
}

/** A session's id is a secret of its client's: it goes by its digest. No name from outside has a bare `%`. */
export function sessionName(sessionId: string | undefined): string | undefined {
  return sessionId === undefined ? undefined : `%session-${digest(sessionId)}`
}

function escaped({ id, sessionId, orgs, ...who }: Actor): Actor {
  return {
    ...who,
    ...(id === undefined ? {} : { id: toNamespaceId(id) }),
    ...(sessionId === undefined ? {} : { sessionId: toNamespaceId(sessionId) }),
    ...(orgs === undefined ? {} : { orgs: orgs.map(toNamespaceId) }),
  }
}

/** What the server's own code says of a caller, as namespaces take it; its errors stay inside. */
export function vouchedFor(ask: () => Actor | undefined): Actor | undefined {
  try {
    const who = ask()
    if (who?.type === 'system') throw new Error('actorOf gave the system actor, which no request may be.')
    return who && escaped(who)
  } catch (cause) {
    throw internalError(cause)
  }
}

/** Token verifiers keep the subject under one of these names. */
const SUBJECT_CLAIMS = ['sub', 'subject', 'userId', 'user_id'] as const

/** MCP callers are agents, also those that act for a user: what a user alone may see stays from the model. */
export function subjectIn(claims: Readonly<Record<string, unknown>>): Actor | undefined {
  const subject = SUBJECT_CLAIMS.map(name => claims[name]).find(isName)
  if (subject === undefined) return undefined
  const org = claims.org_id
  return actor.agent({
    id: issuedId(subject, claims),
    ...(isName(org) ? { orgs: [issuedId(org, claims)] } : {}),
  })
}

/**
 * Two issuers may know two people, or two organizations, by one name. `%0A` stands between a name and its issuer, and
 * nowhere else: no name alone reads like a name and an issuer.
 */
function issuedId(name: string | number, { iss }: Readonly<Record<string, unknown>>): string {
  if (!isName(iss)) return toNamespaceId(`${name}`)
  const id = `${toNamespaceId(`${name}`)}%0A${toNamespaceId(`${iss}`)}`
  return id.length <= MAX_ID_LENGTH ? id : `%issued-${digest(id)}`
}

/** The OAuth client, where a token names one and no subject. No name reads like it: none has a bare `%c`. */
export function clientIn(
  clientId: string | undefined,
  { iss }: Readonly<Record<string, unknown>>,
): Actor | undefined {
  if (!clientId) return undefined
  const issuer = isName(iss) ? `-${digest(`${iss}`)}` : ''
  return actor.agent({ id: `%client-${digest(clientId)}${issuer}` })
}

/** Databases number their users. */
function isName(claim: unknown): claim is string | number {
  return (typeof claim === 'string' && claim !== '') || Number.isSafeInteger(claim)
}

const MAX_ID_LENGTH = 256

/**
 * An id as namespaces take it: colons, white space and control characters escaped; one id for each name. What is too
 * long, has a line feed, or would not survive UTF-8, goes by its digest.
 */
export function toNamespaceId(name: string): string {
  const escaped = name.replace(/[%:\s\p{Cc}]/gu, encodeURIComponent)
  const survives = !name.includes('\n') && Buffer.from(escaped).toString() === escaped
  return survives && escaped.length <= MAX_ID_LENGTH ? escaped : `%sha256-${digest(name)}`
}

function digest(text: string): string {
  return createHash('sha256').update(Buffer.from(text, 'utf16le')).digest('hex')
}
