import { type Actor, type ActorLike, toActor } from '../access/actor.ts'
import { checkNames, type Names } from '../core/options.ts'

/** Who asks. @defaultValue an anonymous agent */
export interface ActorOption {
  actor?: ActorLike | undefined
}

const OPTIONS: Names<ActorOption> = { actor: true }

/** @throws InvalidArgument for what is no actor, and for other options */
export function actorOf(options: ActorOption, what: string): Actor {
  checkNames(options, OPTIONS, what)
  return toActor(options.actor)
}
