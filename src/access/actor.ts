import { InvalidArgument } from '../core/errors.ts'

/** Who asks. `system` is the host program itself and is never derived from a request. */
export interface Actor {
  readonly type: 'user' | 'agent' | 'system'
  readonly id?: string | undefined
  readonly sessionId?: string | undefined
  /** The organizations that it belongs to, as the authentication says. */
  readonly orgs?: readonly string[] | undefined
}

/** An actor, or the short form of an anonymous one. */
export type ActorLike = Actor | 'user' | 'agent'

type Identity = Omit<Actor, 'type'>

/**
 * Makes actors: `actor.user('alice')`, `actor.agent({ id, sessionId, orgs })`, `actor.system()` for the host program itself.
 * A text is the id. Without an identity the actor is anonymous.
 */
export const actor = {
  user: (identity: Identity | string = {}): Actor => ({ type: 'user', ...toIdentity(identity) }),
  agent: (identity: Identity | string = {}): Actor => ({ type: 'agent', ...toIdentity(identity) }),
  system: (): Actor => ({ type: 'system' }),
}

function toIdentity(identity: Identity | string): Identity {
  return typeof identity === 'string' ? { id: identity } : identity
}

/** A caller that names no actor is an anonymous agent: the least trusted caller. */
export const ANONYMOUS: Actor = { type: 'agent' }

/** @throws InvalidArgument when it is not an actor; an empty id is a mistake, not an anonymous actor */
export function toActor(who: ActorLike | undefined): Actor {
  if (who === undefined) return ANONYMOUS
  if (who === 'user' || who === 'agent') return { type: who }
  if (typeof who !== 'object' || who === null || !['user', 'agent', 'system'].includes(who.type)) {
    throw new InvalidArgument(
      "An actor is 'user', 'agent', or made by actor.user(), actor.agent() or actor.system().",
    )
  }
  const { orgs = [] } = who
  const names = Array.isArray(orgs) ? [who.id, who.sessionId, ...orgs] : [null]
  if (names.every(name => name === undefined || (typeof name === 'string' && name !== ''))) return who
  throw new InvalidArgument('The id, sessionId and orgs of an actor are texts that are not empty.')
}

/** The actor as an owner: `user:alice`. Undefined without an id. */
export function nameOf({ type, id }: Actor): string | undefined {
  return id === undefined ? undefined : `${type}:${id}`
}

type Described = [Actor['type'], string | null, string | null, (readonly string[])?]

/** One line that identifies an actor: equal for equal actors, different for different ones. */
export function describeActor({ type, id, sessionId, orgs }: Actor): string {
  const described: Described = [type, id ?? null, sessionId ?? null]
  if (orgs && orgs.length > 0) described.push(orgs)
  return JSON.stringify(described)
}

/** The actor that `describeActor` described. */
export function describedActor(description: string): Actor {
  const [type, id, sessionId, orgs] = JSON.parse(description) as Described
  return {
    type,
    ...(id === null ? {} : { id }),
    ...(sessionId === null ? {} : { sessionId }),
    ...(orgs ? { orgs } : {}),
  }
}

/** Whether `who` is the actor that `describeActor` described. An actor with an id is the same in every session. */
export function isDescribed(description: string, who: Actor): boolean {
  const { type, id, sessionId } = describedActor(description)
  if (type !== who.type || id !== who.id) return false
  return id !== undefined || sessionId === who.sessionId
}
