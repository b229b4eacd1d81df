import { InvalidArgument } from '../core/errors.ts'

/** Who asks. `system` is the host program itself and is never derived from a request. */
export interface Actor {
  readonly type: 'user' | 'agent' | 'system'
  readonly id?: string
  readonly sessionId?: string
}

/** An actor, or the short form of an anonymous one. */
export type ActorLike = Actor | 'user' | 'agent'

type Identity = { id?: string; sessionId?: string }

export const actor = {
  user: (identity: Identity = {}): Actor => ({ type: 'user', ...identity }),
  agent: (identity: Identity = {}): Actor => ({ type: 'agent', ...identity }),
  system: (): Actor => ({ type: 'system' }),
}

/** Whoever holds only a reference and says no more is an anonymous agent: the least trusted caller. */
export const ANONYMOUS: Actor = { type: 'agent' }

export function toActor(who: ActorLike | undefined): Actor {
  if (who === undefined) return ANONYMOUS
  if (who === 'user' || who === 'agent') return { type: who }
  if (typeof who === 'object' && who !== null && ['user', 'agent', 'system'].includes(who.type)) return who
  throw new InvalidArgument(
    "An actor is 'user', 'agent', or made by actor.user(), actor.agent() or actor.system().",
  )
}

/** One line that identifies an actor: equal for equal actors, different for different ones. */
export function describeActor(who: Actor): string {
  return JSON.stringify([who.type, who.id ?? null, who.sessionId ?? null])
}

/** Whether `who` is the actor that `describeActor` described. Whoever has an id is the same in every session. */
export function isDescribed(description: string, who: Actor): boolean {
  const [type, id, sessionId] = JSON.parse(description) as [string, string | null, string | null]
  if (type !== who.type || id !== (who.id ?? null)) return false
  return id !== null || sessionId === (who.sessionId ?? null)
}
