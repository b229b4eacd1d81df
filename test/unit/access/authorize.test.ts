import { describe, expect, it } from 'vitest'
import { type Actor, actor, describeActor, toActor } from '../../../src/access/actor.ts'
import { authorizeSteering, decide } from '../../../src/access/authorize.ts'
import { admits, checkNamespace } from '../../../src/access/namespace.ts'
import { Permission } from '../../../src/access/permission.ts'
import { AccessPolicy, checkPolicy } from '../../../src/access/policy.ts'
import { InvalidArgument, NotFound, PermissionDenied } from '../../../src/core/errors.ts'

const { READ, UPDATE, DELETE, EXECUTE } = Permission
const guarded = (policy: AccessPolicy, namespace = 'public', startedBy = '') => ({
  policy,
  namespace,
  startedBy,
})
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
    `user:${'a'.repeat(300)}`,
  ])('refuses %j', namespace => {
    expect(() => checkNamespace(namespace)).toThrow(InvalidArgument)
    expect(() => admits(namespace, user)).toThrow(InvalidArgument)
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

  it.each(['system', 'root', 1, null, { type: 'root' }])('refuse %j', who => {
    expect(() => toActor(who as never)).toThrow(InvalidArgument)
  })

  it.each([null, {}, { user: 1 }, { user: 32, agent: 0 }, { user: -1, agent: 0 }, { user: '1', agent: 0 }])(
    'refuse the policy %j',
    policy => {
      expect(() => checkPolicy(policy as never)).toThrow(InvalidArgument)
    },
  )

  it('describe identities without ambiguity', () => {
    expect(describeActor(actor.agent({ id: 'a","b' }))).not.toBe(
      describeActor(actor.agent({ id: 'a', sessionId: 'b' })),
    )
  })
})
