import { InvalidArgument, NotFound, PermissionDenied } from '../core/errors.ts'
import { type Actor, isDescribed } from './actor.ts'
import type { AuditAction, AuditEvent } from './audit.ts'
import type { Decision, PermissionChecker, Resource, Rule, SourceConstraint } from './decision.ts'
import type { Namespace, NamespaceResolver, NamespaceRule } from './namespace.ts'
import { Permission } from './permission.ts'

/** What a decision is about: an entry, as far as access goes. */
export interface Guarded extends Resource {
  readonly startedBy: string
  readonly derivedFrom?: readonly SourceConstraint[] | undefined
  readonly toolName?: string | undefined
}

/** What an actor asks for. Any one of the rights in `permission` is enough. */
export interface AccessRequest {
  readonly action: AuditAction
  readonly permission: Permission
  readonly refId?: string | undefined
  /** Record refusals only: this step is part of a larger request. */
  readonly audit?: 'denials-only' | undefined
  /** The message for an actor that may know of the entry but may not do this. */
  readonly denial: string
}

/** Either right lets an actor know of an entry and follow its task. */
export const READ_OR_EXECUTE = Permission.READ | Permission.EXECUTE

const RIGHTS = [1, 2, 4, 8, 16] as const

/** Callers send any text as a reference, of any length. */
const MAX_REF_LENGTH = 200

const NOT_WRITABLE =
  'Storing a value in this namespace needs the WRITE right. The host program itself names no actor.'

/** Stands in for a missing entry, so that missing and forbidden take one code path and give one answer. */
const NOTHING: Guarded = {
  namespace: 'public',
  policy: { user: Permission.NONE, agent: Permission.NONE },
  startedBy: '',
}

/** Decides who may do what. `authorize` reports each decision to `tell`. */
export class Access {
  constructor(
    private readonly checker: PermissionChecker,
    private readonly namespaces: NamespaceResolver,
    private readonly tell: ((event: Omit<AuditEvent, 'at'>) => void) | undefined,
  ) {}

  decide(guarded: Guarded | undefined, who: Actor, permission: Permission): Decision {
    return this.#decide(guarded, who, permission).decision
  }

  /** The decision, and which of the rights it was met by. */
  #decide(
    guarded: Guarded | undefined,
    who: Actor,
    permission: Permission,
  ): { decision: Decision; right?: Permission | undefined } {
    const asked = guarded ?? NOTHING
    const wanted = this.#any(asked, who, permission)
    const known =
      wanted.allowed && (permission & ~READ_OR_EXECUTE) === 0
        ? wanted
        : this.#any(asked, who, READ_OR_EXECUTE)
    if (!guarded) return { decision: { verdict: 'hidden', rule: 'unknown' } }
    if (who.type === 'system') return { decision: { verdict: 'allowed', rule: 'system' }, right: permission }
    // An actor that may not know of the entry may do nothing else with it.
    if (!known.allowed) return { decision: { verdict: 'hidden', rule: known.rule } }
    const verdict = wanted.allowed ? 'allowed' : 'denied'
    return { decision: { verdict, rule: wanted.rule }, right: wanted.right }
  }

  may(guarded: Guarded, who: Actor, permission: Permission): boolean {
    return this.decide(guarded, who, permission).verdict === 'allowed'
  }

  /** @throws NotFound when the actor may not know of the entry; PermissionDenied when it may know, but not do this */
  authorize<G extends Guarded>(guarded: G | undefined, who: Actor, want: AccessRequest): G {
    return this.#authorize(guarded, who, want).known
  }

  /** To know of an entry, and whether the actor may READ it too: each right is checked once. @throws NotFound */
  authorizeStatus<G extends Guarded>(
    guarded: G | undefined,
    who: Actor,
    want: Omit<AccessRequest, 'permission'>,
  ): { readonly known: G; readonly mayRead: boolean } {
    const permission = READ_OR_EXECUTE
    const { known, right = Permission.NONE } = this.#authorize(guarded, who, { ...want, permission })
    return { known, mayRead: (right & Permission.READ) !== 0 }
  }

  #authorize<G extends Guarded>(guarded: G | undefined, who: Actor, want: AccessRequest) {
    const { decision, right } = this.#decide(guarded, who, want.permission)
    this.#tell(decision, guarded, who, want)
    if (!guarded || decision.verdict === 'hidden') throw new NotFound()
    if (decision.verdict === 'denied') throw new PermissionDenied(want.denial)
    return { known: guarded, right }
  }

  /** To control a task an actor needs the UPDATE right, or must have started it. */
  authorizeControl<G extends Guarded>(
    guarded: G | undefined,
    who: Actor,
    want: Pick<AccessRequest, 'action' | 'refId'>,
  ): G {
    return this.authorize(guarded, who, {
      ...want,
      permission: controlRight(guarded, who),
      denial: 'Only whoever started this task, or has the UPDATE right, may do that.',
    })
  }

  /** Whether the actor may cancel the task, or retry it. */
  mayControl(guarded: Guarded, who: Actor): boolean {
    return this.may(guarded, who, controlRight(guarded, who))
  }

  /** The rule of a namespace. @throws InvalidArgument for a malformed name */
  rule(namespace: Namespace): NamespaceRule {
    if (typeof namespace !== 'string') throw new InvalidArgument('A namespace is a text.')
    return this.namespaces.resolve(namespace)
  }

  /**
   * The same for who wants something to be stored there: it has to be inside, and for `set` to have WRITE by the policy of
   * the namespace. What a tool makes is stored by the host program.
   * @throws PermissionDenied
   */
  enter(namespace: Namespace, who: Actor, action: 'call' | 'set'): NamespaceRule {
    const rule = this.rule(namespace)
    if (who.type === 'system') return rule
    const inside = this.#admits(rule, who)
    const { policy } = rule
    const resource = { namespace, policy, startedBy: '' }
    const permission = Permission.WRITE
    const decided =
      inside && action === 'call'
        ? { allowed: true, rule: 'namespace' as const }
        : this.#one(resource, who, permission)
    const allowed = inside && decided.allowed
    const decision = {
      verdict: allowed ? 'allowed' : 'denied',
      rule: inside ? decided.rule : 'namespace',
    } as const
    this.#tell(decision, resource, who, { action, permission, denial: '', audit: 'denials-only' })
    if (!inside) throw new PermissionDenied('This namespace belongs to somebody else.')
    if (!allowed) throw new PermissionDenied(NOT_WRITABLE)
    return rule
  }

  /** Refuses a call whose result the actor could not even follow. @throws PermissionDenied */
  authorizeMaking(draft: Guarded, who: Actor): void {
    const { verdict, rule } = this.decide(draft, who, READ_OR_EXECUTE)
    if (verdict === 'allowed') return
    this.#tell({ verdict: 'denied', rule }, draft, who, {
      action: 'call',
      permission: READ_OR_EXECUTE,
      denial: '',
    })
    throw new PermissionDenied('What this tool makes is not for you.')
  }

  /** Whether the actor may read a task's messages and errors. Their text may reveal any input of the task. */
  canReadMessages(guarded: Guarded, who: Actor): boolean {
    if (!this.may(guarded, who, Permission.READ)) return false
    if (who.type === 'system') return true
    return (guarded.derivedFrom ?? []).every(guard => this.#check(guard, who, Permission.READ).allowed)
  }

  #any(guarded: Guarded, who: Actor, permission: Permission) {
    let answer: { allowed: boolean; rule: Rule; right?: Permission } = { allowed: false, rule: 'role' }
    for (const right of RIGHTS) {
      if ((permission & right) === 0) continue
      const { allowed, rule } = this.#one(guarded, who, right)
      answer = { allowed, rule, right }
      if (allowed) break
    }
    return answer
  }

  /** The sources of an entry limit who may see and use it. */
  #one(guarded: Guarded, who: Actor, right: Permission): { allowed: boolean; rule: Rule } {
    const own = this.#check(guarded, who, right)
    if (!own.allowed || (right & READ_OR_EXECUTE) === 0) return own
    for (const guard of guarded.derivedFrom ?? []) {
      if (guard.needs === Permission.NONE) continue
      const needs = right === Permission.READ ? guard.needs : READ_OR_EXECUTE
      const granted = RIGHTS.some(one => (needs & one) !== 0 && this.#check(guard, who, one).allowed)
      if (!granted) return { allowed: false, rule: 'derived' }
    }
    return own
  }

  /** A checker that fails allows nothing. */
  #check(resource: Resource, who: Actor, right: Permission): { allowed: boolean; rule: Rule } {
    try {
      const answer = this.checker.check(resource, who, right)
      return { allowed: answer.allowed === true, rule: answer.rule }
    } catch {
      return { allowed: false, rule: 'error' }
    }
  }

  #admits(rule: NamespaceRule, who: Actor): boolean {
    try {
      return rule.admits(who) === true
    } catch {
      return false
    }
  }

  /** Writes down a decision that was made elsewhere. */
  record(event: Omit<AuditEvent, 'at'>): void {
    this.tell?.(event)
  }

  #tell(decision: Decision, guarded: Guarded | undefined, who: Actor, want: AccessRequest): void {
    const { action, permission, refId, audit } = want
    if (!this.tell || (audit === 'denials-only' && decision.verdict === 'allowed')) return
    const { namespace, toolName } = guarded ?? {}
    this.tell({
      ...decision,
      actor: who,
      action,
      permission,
      ...(typeof refId === 'string' ? { refId: refId.slice(0, MAX_REF_LENGTH) } : {}),
      ...(namespace === undefined ? {} : { namespace }),
      ...(toolName === undefined ? {} : { toolName }),
    })
  }
}

function controlRight(guarded: Guarded | undefined, who: Actor): Permission {
  const started = guarded !== undefined && isDescribed(guarded.startedBy, who)
  return started ? READ_OR_EXECUTE : Permission.UPDATE
}
