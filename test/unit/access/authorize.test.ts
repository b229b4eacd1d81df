import { describe, expect, it } from 'vitest'
import { type Actor, actor, describeActor, toActor } from '../../../src/access/actor.ts'
import { Access, type Guarded } from '../../../src/access/authorize.ts'
import { policyChecker } from '../../../src/access/decision.ts'
import { namespaceRules } from '../../../src/access/namespace.ts'
import { matches, mayMatch } from '../../../src/access/pattern.ts'
import { Permission } from '../../../src/access/permission.ts'
import { AccessPolicy, checkPolicy } from '../../../src/access/policy.ts'
import { InvalidArgument, NotFound, PermissionDenied } from '../../../src/core/errors.ts'

const { READ, UPDATE, DELETE, EXECUTE } = Permission
const guarded = (policy: AccessPolicy, namespace = 'public', startedBy = '') => ({
  policy,
  namespace,
  startedBy,
})
const rules = namespaceRules({ 'shared:team': { members: ['user:*', 'agent:claude-*'] } })
const access = new Access(policyChecker(rules), rules, undefined)
const decide = (entry: Guarded, who: Actor, permission: number) =>
  access.decide(entry, who, permission).verdict
const authorizeSteering = (entry: Guarded, who: Actor) =>
  access.authorizeControl(entry, who, { action: 'cancel' })

const agent = actor.agent()
const user = actor.user()

describe('decide', () => {
  it.each<[keyof typeof AccessPolicy, Actor, number, string]>([
    ['public', agent, READ, 'allowed'],
    ['public', agent, EXECUTE, 'allowed'],
    ['public', agent, DELETE, 'denied'],
    ['public', agent, UPDATE, 'denied'],
    ['public', user, DELETE, 'allowed'],
    ['userOnly', agent, READ, 'hidden'],
    ['userOnly', agent, EXECUTE, 'hidden'],
    ['userOnly', agent, DELETE, 'hidden'],
    ['userOnly', user, READ, 'allowed'],
    ['executeOnly', agent, READ, 'denied'],
    ['executeOnly', agent, EXECUTE, 'allowed'],
    ['executeOnly', user, READ, 'allowed'],
    ['readOnly', agent, READ, 'allowed'],
    ['readOnly', user, READ, 'allowed'],
    ['readOnly', user, DELETE, 'denied'],
    ['readOnly', agent, EXECUTE, 'denied'],
    ['userOnly', actor.system(), DELETE, 'allowed'],
  ])('%s: %o asking for %d is %s', (preset, who, permission, verdict) => {
    expect(decide(guarded(AccessPolicy[preset]), who, permission)).toBe(verdict)
  })

  it.each([
    ['user:alice', actor.user({ id: 'alice' }), 'allowed'],
    ['user:alice', actor.agent({ id: 'alice' }), 'allowed'],
    ['user:alice', actor.user({ id: 'bob' }), 'hidden'],
    ['user:alice', actor.user({ id: 'alice2' }), 'hidden'],
    ['user:alice', actor.user({ id: 'ALICE' }), 'hidden'],
    ['user:alice', user, 'hidden'],
    ['session:s1', actor.agent({ sessionId: 's1' }), 'allowed'],
    ['session:s1', actor.agent({ id: 's1' }), 'hidden'],
    ['user:alice:session:s1', actor.user({ id: 'alice', sessionId: 's1' }), 'allowed'],
    ['user:alice:session:s1', actor.user({ id: 'alice', sessionId: 's2' }), 'hidden'],
    ['user:alice:session:s1', actor.user({ id: 'bob', sessionId: 's1' }), 'hidden'],
  ])('in %s, %o is %s', (namespace, who, verdict) => {
    expect(decide(guarded(AccessPolicy.public, namespace), who, READ)).toBe(verdict)
  })
})

describe('the order of decision', () => {
  const bob = actor.user({ id: 'bob', sessionId: 's1', orgs: ['acme'] })
  const everything: AccessPolicy = {
    denied: ['user:bob'],
    boundSession: 's2',
    allowed: ['user:b*'],
    owner: 'user:bob',
  }
  const without = (...fields: Array<keyof AccessPolicy>) =>
    Object.fromEntries(
      Object.entries(everything).filter(([name]) => !fields.includes(name as keyof AccessPolicy)),
    ) as AccessPolicy
  const decided = (policy: AccessPolicy, namespace = 'user:alice', who: Actor = bob) =>
    access.decide(guarded(policy, namespace), who, DELETE)

  it('is: denied, bound session, namespace, allowed, owner, role', () => {
    expect(decided(everything)).toEqual({ verdict: 'hidden', rule: 'denied' })
    expect(decided(without('denied'))).toEqual({ verdict: 'hidden', rule: 'session' })
    expect(decided(without('denied', 'boundSession'))).toEqual({ verdict: 'hidden', rule: 'namespace' })
    const inside = without('denied', 'boundSession')
    expect(decided(inside, 'public')).toEqual({ verdict: 'allowed', rule: 'allowed' })
    expect(decided({ ...inside, allowedPermissions: READ }, 'public')).toEqual({
      verdict: 'allowed',
      rule: 'owner',
    })
    expect(decided({ user: READ }, 'public')).toEqual({ verdict: 'denied', rule: 'role' })
    expect(decided({}, 'public')).toEqual({ verdict: 'allowed', rule: 'role' })
    expect(decided(everything, 'user:alice', actor.system())).toEqual({ verdict: 'allowed', rule: 'system' })
    expect(access.decide(undefined, actor.system(), READ)).toEqual({ verdict: 'hidden', rule: 'unknown' })
  })

  it('knows an owner by role and id, whole', () => {
    const policy = { user: 0, agent: 0, owner: 'user:bob' }
    expect(decided(policy, 'public', actor.user({ id: 'bob' })).rule).toBe('owner')
    for (const other of [actor.agent({ id: 'bob' }), actor.user({ id: 'bo' }), actor.user({ id: 'bob2' })]) {
      expect(decided(policy, 'public', other).verdict).toBe('hidden')
    }
  })

  it('demands of each source what it is needed for', () => {
    const derived = (needs: number) => ({
      ...guarded(AccessPolicy.public),
      derivedFrom: [{ namespace: 'public', policy: AccessPolicy.executeOnly, needs }],
    })
    expect(access.decide(derived(READ), agent, READ)).toEqual({ verdict: 'denied', rule: 'derived' })
    expect(access.decide(derived(READ), agent, EXECUTE).verdict).toBe('allowed')
    expect(access.decide(derived(READ | EXECUTE), agent, READ).verdict).toBe('allowed')
    expect(access.decide(derived(READ), user, READ).verdict).toBe('allowed')
  })

  it('hides from those who may not know of it whatever other right they have', () => {
    for (const right of [UPDATE, DELETE]) {
      expect(decide(guarded({ user: right, agent: right }), user, right)).toBe('hidden')
      const derived = {
        ...guarded(AccessPolicy.public),
        derivedFrom: [{ namespace: 'user:alice', policy: AccessPolicy.public, needs: READ }],
      }
      expect(decide(derived, user, right)).toBe('hidden')
    }
  })

  it('keeps the words of a task from those who may see its result only because it was declassified', () => {
    const declassified = {
      ...guarded(AccessPolicy.public),
      derivedFrom: [{ namespace: 'public', policy: AccessPolicy.executeOnly, needs: 0 }],
    }
    expect(access.may(declassified, agent, READ)).toBe(true)
    expect(access.canReadMessages(declassified, agent)).toBe(false)
    expect(access.canReadMessages(declassified, user)).toBe(true)
  })

  it('allows nothing where the checker or the resolver fails', () => {
    const broken = new Access(
      {
        check: () => {
          throw new Error('down')
        },
      },
      rules,
      undefined,
    )
    expect(broken.decide(guarded(AccessPolicy.public), agent, READ).verdict).toBe('hidden')
    for (const answer of [undefined, {}, { allowed: 'yes' }, Promise.resolve({ allowed: true })]) {
      const odd = new Access({ check: () => answer as never }, rules, undefined)
      expect(odd.decide(guarded(AccessPolicy.public), agent, READ).verdict).toBe('hidden')
    }
    expect(access.decide(guarded(AccessPolicy.public, 'not a namespace'), agent, READ).verdict).toBe('hidden')
  })
})

describe('actor patterns', () => {
  it.each<[string, Actor, boolean, boolean]>([
    ['*', agent, true, true],
    ['agent', agent, true, true],
    ['agent:*', agent, false, true],
    ['agent:*', actor.agent({ id: 'x' }), true, true],
    ['user:*', actor.agent({ id: 'x' }), false, false],
    ['user:alice', actor.user({ id: 'alice' }), true, true],
    ['user:alice', actor.user(), false, true],
    ['agent:intern-*', agent, false, true],
    ['user:alice', actor.user({ id: 'alice2' }), false, false],
    ['user:alice', actor.user({ id: 'Alice' }), false, false],
    ['agent:claude-*', actor.agent({ id: 'claude-' }), true, true],
    ['agent:claude-*', actor.agent({ id: 'xclaude-1' }), false, false],
    ['agent:*-prod', actor.agent({ id: 'a-prod' }), true, true],
    ['agent:a*a', actor.agent({ id: 'a' }), false, false],
    ['agent:a*b*c', actor.agent({ id: 'a-b-c' }), true, true],
    ['agent:a*b*c', actor.agent({ id: 'acb' }), false, false],
    ['user:a.c', actor.user({ id: 'abc' }), false, false],
  ])('%s on %o: grants %s, refuses %s', (pattern, who, grants, refuses) => {
    expect(matches(pattern, who)).toBe(grants)
    expect(mayMatch(pattern, who)).toBe(refuses)
  })
})

describe('who is inside of a namespace', () => {
  const known = actor.user({ id: 'alice', sessionId: 's', orgs: ['acme', 'other'] })
  it.each<[string, Actor, boolean]>([
    ['org:acme', known, true],
    ['org:acm', known, false],
    ['org:acme', agent, false],
    ['org:acme:user:alice', known, true],
    ['org:acme:user:bob', known, false],
    ['org:evil:user:alice', known, false],
    ['org:acme:session:s', known, true],
    ['org:acme:user:alice:session:s', known, true],
    ['shared:team', known, true],
    ['shared:team', actor.agent({ id: 'claude-3' }), true],
    ['shared:team', agent, false],
    ['shared:teams', known, false],
    ['custom:team', known, false],
  ])('%s: %o is %s', (namespace, who, inside) => {
    expect(rules.resolve(namespace).admits(who)).toBe(inside)
  })

  it('is said for custom and shared ones only', () => {
    expect(() => namespaceRules({ 'user:alice': { members: ['*'] } })).toThrow(InvalidArgument)
    expect(() => namespaceRules({ public: { ttl: '15 mins' as never } })).toThrow(/ttl of 'public'/)
    expect(() => namespaceRules({ teams: { members: ['*'] } })).toThrow(InvalidArgument)
    expect(() => namespaceRules({ 'shared:x': { members: ['bob'] } })).toThrow(InvalidArgument)
    expect(() => namespaceRules({ org: { policy: { agnet: 1 } as never } })).toThrow(/agnet/)
  })
})

describe('namespaces', () => {
  it.each([
    '',
    'Public',
    'public ',
    'user:',
    'user',
    'user:a:b',
    'user:a:session:',
    'session:a b',
    'user:a\n',
    'x:y',
    'org:',
    'user:a:org:b',
    'session:s:user:u',
    'org:a:org:b',
    'shared:a:user:b',
    'custom:',
    'public:x',
    `user:${'a'.repeat(300)}`,
  ])('refuses %j', namespace => {
    expect(() => rules.resolve(namespace)).toThrow(InvalidArgument)
  })
})

describe('steering a task', () => {
  it('is for whoever started it, and for those with UPDATE', () => {
    const alice = actor.agent({ id: 'alice' })
    const task = guarded(AccessPolicy.public, 'public', describeActor(alice))
    expect(() => authorizeSteering(task, alice)).not.toThrow()
    expect(() => authorizeSteering(task, user)).not.toThrow()
    expect(() => authorizeSteering(task, actor.agent({ id: 'bob' }))).toThrow(PermissionDenied)
  })

  it('is for the same identity in another session, and for an anonymous actor only in the same one', () => {
    const inSession = (sessionId: string, id?: string) => actor.agent({ sessionId, ...(id ? { id } : {}) })
    const alices = guarded(AccessPolicy.public, 'public', describeActor(inSession('1', 'alice')))
    expect(() => authorizeSteering(alices, inSession('2', 'alice'))).not.toThrow()
    const anonymous = guarded(AccessPolicy.public, 'public', describeActor(inSession('1')))
    expect(() => authorizeSteering(anonymous, inSession('1'))).not.toThrow()
    expect(() => authorizeSteering(anonymous, inSession('2'))).toThrow(PermissionDenied)
    expect(() => authorizeSteering(anonymous, inSession('1', 'alice'))).toThrow(PermissionDenied)
  })

  it('is not found for those who may not know of it, even if they started it', () => {
    const task = guarded(AccessPolicy.userOnly, 'public', describeActor(agent))
    expect(() => authorizeSteering(task, agent)).toThrow(NotFound)
  })
})

describe('actors and policies', () => {
  it('are anonymous agents unless they say otherwise', () => {
    expect(toActor(undefined)).toEqual({ type: 'agent' })
    expect(toActor('user')).toEqual({ type: 'user' })
  })

  it.each([
    'system',
    'root',
    1,
    null,
    { type: 'root' },
    actor.user({ id: '' }),
    { type: 'user', orgs: 'acme' },
    { type: 'user', id: 1 },
  ])('refuse %j', who => {
    expect(() => toActor(who as never)).toThrow(InvalidArgument)
  })

  it.each<{ policy: unknown }>(
    [
      null,
      1,
      { user: 32, agent: 0 },
      { deny: ['*'] },
      { denied: ['bob'] },
      { denied: '*' },
      { owner: 'alice' },
      { owner: 'agent:' },
      { __proto__: null, constructor: 1 },
      { user: -1, agent: 0 },
      { user: '1', agent: 0 },
    ].map(policy => ({ policy })),
  )('refuse the policy $policy', ({ policy }) => {
    expect(() => checkPolicy(policy as never)).toThrow(InvalidArgument)
  })

  it('describe identities without ambiguity', () => {
    expect(describeActor(actor.agent({ id: 'a","b' }))).not.toBe(
      describeActor(actor.agent({ id: 'a', sessionId: 'b' })),
    )
  })
})
