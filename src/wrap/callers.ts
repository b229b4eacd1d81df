import { actor } from '../access/actor.ts'
import { type Caller, toCaller, toNamespaceId } from '../agent/identity.ts'

/** Knows callers by the bearer tokens that they show. */
export interface Tokens {
  /** Nothing for a token that nobody has. */
  subjectOf(token: string): string | undefined
}

/** The subject of a token: its results are its own, whatever connection they are asked over. */
export function callerOfSubject(subject: string): Caller {
  const named = actor.agent({ id: toNamespaceId(subject) })
  return toCaller({ named, session: undefined, shared: true, claims: {} })
}

/** Callers of whom nothing is known: whoever holds a reference may follow it, and nobody is given what another's call made. */
export function strangers(): Caller {
  return toCaller({ named: undefined, session: undefined, shared: true, claims: {} })
}

/** The bearer token of an `Authorization` header. */
export function bearerTokenIn(header: string | undefined): string | undefined {
  return /^Bearer +([A-Za-z0-9\-._~+/]+=*) *$/i.exec(header ?? '')?.[1]
}
