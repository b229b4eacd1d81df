import { type Actor, type ActorLike, actor, toActor } from '../access/actor.ts'
import { checkNames, type Names } from '../core/options.ts'

/** Who asks. @defaultValue an anonymous agent */
export interface ActorOption {
  actor?: ActorLike | undefined
}

/** On whose behalf something is put in or taken out. @defaultValue the host program itself */
export interface OnBehalfOption {
  actor?: ActorLike | undefined
}

const OPTIONS: Names<ActorOption> = { actor: true }

/** @throws InvalidArgument for what is no actor, and for other options */
export function actorOf(options: ActorOption, what: string): Actor {
  checkNames(options, OPTIONS, what)
  return toActor(options.actor)
}

/** The same where the host program acts for itself unless it says for whom. @throws InvalidArgument */
export function onBehalfOf(options: OnBehalfOption, what: string): Actor {
  checkNames(options, OPTIONS, what)
  return hostOr(options.actor)
}

export function hostOr(who: ActorLike | undefined): Actor {
  return who === undefined ? actor.system() : toActor(who)
}
