import { NotFound, PermissionDenied } from '../core/errors.ts'
import { type Actor, isDescribed } from './actor.ts'
import { admits, checkNamespace, type Namespace } from './namespace.ts'
import { Permission } from './permission.ts'
import type { AccessPolicy } from './policy.ts'

/** What a decision is about: an entry, as far as access goes. */
export interface Guarded {
  readonly namespace: Namespace
  readonly policy: AccessPolicy
  readonly startedBy: string
}

/** `hidden`: the actor may not even know of it, so it must look like what does not exist. */
export type Verdict = 'allowed' | 'denied' | 'hidden'

/** Either right lets an actor know of an entry and follow its task. */
const KNOW = Permission.READ | Permission.EXECUTE

/** The one decision. Order: system, namespace, role. `permission` is met by any of the rights in it. */
export function decide(guarded: Guarded, who: Actor, permission: Permission): Verdict {
  if (who.type === 'system') return 'allowed'
  if (!admits(guarded.namespace, who)) return 'hidden'
  const rights = guarded.policy[who.type]
  if ((rights & permission) !== 0) return 'allowed'
  return (rights & KNOW) !== 0 ? 'denied' : 'hidden'
}

export function may(guarded: Guarded, who: Actor, permission: Permission): boolean {
  return decide(guarded, who, permission) === 'allowed'
}

/** @throws NotFound when the actor may not know of it, PermissionDenied (with `denial`) when it may, but not do this. */
export function authorize(guarded: Guarded, who: Actor, permission: Permission, denial: string): void {
  const verdict = decide(guarded, who, permission)
  if (verdict === 'hidden') throw new NotFound()
  if (verdict === 'denied') throw new PermissionDenied(denial)
}

/** The namespace, if the actor is inside of it: who may not read there may not put anything there either. */
export function admit(namespace: Namespace, who: Actor): Namespace {
  checkNamespace(namespace)
  if (who.type === 'system' || admits(namespace, who)) return namespace
  throw new PermissionDenied('This namespace belongs to somebody else.')
}

/** To know of an entry: its status and how far its task is. */
export function authorizeKnowing(guarded: Guarded, who: Actor): void {
  authorize(guarded, who, KNOW, 'This reference is not yours to follow.')
}

/** To change what becomes of a task: the UPDATE right, or being the actor that started it. */
export function authorizeSteering(guarded: Guarded, who: Actor): void {
  authorizeKnowing(guarded, who)
  if (isDescribed(guarded.startedBy, who)) return
  authorize(
    guarded,
    who,
    Permission.UPDATE,
    'Only whoever started this task, or has the UPDATE right, may do that.',
  )
}
