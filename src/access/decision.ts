import { type Actor, nameOf } from './actor.ts'
import type { Namespace, NamespaceResolver } from './namespace.ts'
import { matches, mayMatch } from './pattern.ts'
import { Permission } from './permission.ts'
import { type AccessPolicy, ROLE_DEFAULTS } from './policy.ts'

/** `hidden`: the actor may not know of the entry, so it must look missing. */
export type Verdict = 'allowed' | 'denied' | 'hidden'

/**
 * What decided. `system`: the host program may do everything. `derived`: the entry was computed from something that
 * the actor may not see. `unknown`: there is no such entry. `admin`: the check for operators. `error`: the checker failed. The others are parts of a policy, in their order.
 */
export type Rule =
  | 'system'
  | 'denied'
  | 'session'
  | 'namespace'
  | 'allowed'
  | 'owner'
  | 'role'
  | 'derived'
  | 'unknown'
  | 'admin'
  | 'error'

/** What was decided of one request, and by which rule. */
export interface Decision {
  readonly verdict: Verdict
  readonly rule: Rule
}

/** What a permission checker is asked about. */
export interface Resource {
  readonly namespace: Namespace
  readonly policy: AccessPolicy
}

/**
 * What limits who may see an entry, because it was computed from a value in there. `needs`: the right to that value that
 * a reader of the entry must have; READ where it was used by EXECUTE alone, NONE where the tool says that its result tells
 * nothing of it. Whatever it needs, the words of the task are for those who have READ.
 */
export interface SourceConstraint extends Resource {
  readonly needs: Permission
}

/** Says whether an actor has one right, and by which rule. Replaceable. */
export interface PermissionChecker {
  /** @param right a single permission, never a combination */
  check(resource: Resource, who: Actor, right: Permission): { readonly allowed: boolean; readonly rule: Rule }
}

/** The order of decision: denied, session bound elsewhere, namespace, allowed, owner, role. */
export function policyChecker(namespaces: NamespaceResolver): PermissionChecker {
  return {
    check({ namespace, policy }, who, right) {
      const { denied = [], boundSession, allowed = [], owner } = policy
      if (denied.some(pattern => mayMatch(pattern, who))) return no('denied')
      if (boundSession !== undefined && who.sessionId !== boundSession) return no('session')
      // An async checker would return a promise, which is no decision.
      if (namespaces.resolve(namespace).admits(who) !== true) return no('namespace')
      if (has(policy.allowedPermissions, right) && allowed.some(pattern => matches(pattern, who))) {
        return yes('allowed')
      }
      if (owner !== undefined && owner === nameOf(who) && has(policy.ownerPermissions, right))
        return yes('owner')
      const role = who.type === 'user' ? 'user' : 'agent'
      return has(policy[role] ?? ROLE_DEFAULTS[role], right) ? yes('role') : no('role')
    },
  }
}

const yes = (rule: Rule) => ({ allowed: true, rule })
const no = (rule: Rule) => ({ allowed: false, rule })

function has(rights: Permission = Permission.FULL, right: Permission): boolean {
  return (rights & right) !== 0
}
