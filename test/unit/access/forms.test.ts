import { describe, expect, it } from 'vitest'
import {
  actor,
  describeActor,
  describedActor,
  isDescribed,
  nameOf,
  toActor,
} from '../../../src/access/actor.ts'
import { namespaceRules } from '../../../src/access/namespace.ts'
import { checkPattern, matches, matchesGlob, mayMatch } from '../../../src/access/pattern.ts'
import { Permission, permissionText } from '../../../src/access/permission.ts'
import { AccessPolicy, checkPolicy } from '../../../src/access/policy.ts'
import { InvalidArgument } from '../../../src/core/errors.ts'

const { FULL, READ, EXECUTE, NONE } = Permission

describe('actors', () => {
  it.each([
    actor.user(),
    actor.agent({ id: 'a' }),
    actor.system(),
    actor.user({ id: 'a', sessionId: 's', orgs: ['o', 'p'] }),
    actor.agent({ sessionId: 's' }),
    actor.agent({ orgs: ['o'] }),
  ])('%o is taken as it is, and is what its description says', who => {
    expect(toActor(who)).toBe(who)
    expect(describedActor(describeActor(who))).toEqual(who)
    expect(isDescribed(describeActor(who), who)).toBe(true)
  })

  it('are named in short by their role alone', () => {
    expect([toActor('user'), toActor('agent')]).toEqual([{ type: 'user' }, { type: 'agent' }])
    expect([nameOf(actor.user({ id: 'a' })), nameOf(actor.user())]).toEqual(['user:a', undefined])
    expect([nameOf(actor.user('a')), nameOf(actor.agent('b'))]).toEqual(['user:a', 'agent:b'])
  })

  it('are described alike whether they have no organizations or an empty list of them', () => {
    expect(describeActor(actor.user({ orgs: [] }))).toBe(describeActor(actor.user()))
    expect(describedActor(describeActor(actor.user({ orgs: [] })))).toEqual(actor.user())
  })

  it('of another role or id are others', () => {
    const described = describeActor(actor.user({ id: 'a' }))
    expect(isDescribed(described, actor.agent({ id: 'a' }))).toBe(false)
    expect(isDescribed(described, actor.user({ id: 'b' }))).toBe(false)
    expect(isDescribed(described, actor.user())).toBe(false)
  })

  it('are refused with what is wrong', () => {
    expect(() => toActor(actor.user(''))).toThrow(/are texts that are not empty/)
    expect(() => toActor({ type: 'root' } as never)).toThrow(/^An actor is 'user'/)
    for (const wrong of [{ sessionId: '' }, { orgs: [''] }, { orgs: [1] }, { orgs: 'acme' }, { id: 7 }]) {
      expect(() => toActor({ type: 'user', ...wrong } as never)).toThrow(/^The id, sessionId and orgs/)
    }
  })
})

describe('permissions in words', () => {
  it.each([
    [FULL, 'FULL'],
    [NONE, 'NONE'],
    [READ, 'READ'],
    [READ | EXECUTE, 'READ|EXECUTE'],
    [Permission.CRUD, 'READ|WRITE|UPDATE|DELETE'],
  ])('%d is %s', (permission, words) => {
    expect(permissionText(permission)).toBe(words)
  })
})

describe('the presets of policies', () => {
  it('are what the documentation says', () => {
    expect(AccessPolicy).toEqual({
      public: { user: 31, agent: 17 },
      userOnly: { user: 31, agent: 0 },
      executeOnly: { user: 31, agent: 16 },
      readOnly: { user: 1, agent: 1 },
      shared: { user: 19, agent: 17 },
    })
  })
})

describe('a policy', () => {
  it('keeps what is said in it, and nothing else', () => {
    const policy = {
      ...{ user: FULL, agent: NONE, owner: 'user:alice', ownerPermissions: READ },
      ...{ allowed: ['agent:x-*'], allowedPermissions: READ, denied: ['*'], boundSession: 's' },
    }
    expect(checkPolicy(policy)).toEqual(policy)
    const partly = checkPolicy({ user: READ, owner: undefined } as never)
    expect(Object.keys(partly)).toEqual(['user'])
    expect(checkPolicy({ owner: `agent:${'x'.repeat(512)}` })).toBeDefined()
  })

  it.each<[unknown, RegExp]>([
    [7, /^A policy is an object/],
    [null, /^A policy is an object/],
    [{ owner: 'xuser:a' }, /^The owner of a policy is malformed/],
    [{ owner: 'user:a\n' }, /^The owner of a policy is malformed/],
    [{ owner: `user:${'x'.repeat(513)}` }, /^The owner of a policy is malformed/],
    [{ owner: ['user:a'] }, /^The owner of a policy is malformed/],
    [{ boundSession: '' }, /^The boundSession of a policy is malformed/],
    [{ boundSession: 7 }, /^The boundSession of a policy is malformed/],
    [{ user: 1.5 }, /^The user of a policy is malformed/],
    [{ agent: '1' }, /^The agent of a policy is malformed/],
    [{ allowed: 'user' }, /^The allowed of a policy is malformed/],
    [{ ownerPermissions: 32 }, /^The ownerPermissions of a policy is malformed/],
    [{ allowedPermissions: -1 }, /^The allowedPermissions of a policy is malformed/],
    [{ ['x'.repeat(60)]: 1 }, /^A policy has no field 'x{50}'\. It has user, agent, owner,/],
    [{ toString: 1 }, /^A policy has no field 'toString'/],
  ])('%j is refused: %s', (policy, message) => {
    const check = () => checkPolicy(policy as never)
    expect(check).toThrow(InvalidArgument)
    expect(check).toThrow(message)
  })
})

describe('actor patterns', () => {
  it.each(['*', 'user', 'agent', 'user:a', 'agent:*', `user:${'x'.repeat(512)}`])('%s is one', pattern => {
    expect(checkPattern(pattern)).toBe(pattern)
  })

  it.each(['', '**', 'x*', 'users', 'xuser', 'user:', 'user:a\n', 'system', ['user'], 7])(
    '%j is none',
    pattern => {
      expect(() => checkPattern(pattern as never)).toThrow(/^An actor pattern is/)
    },
  )

  it('of another role neither grants nor refuses', () => {
    expect(matches('agent:a', actor.user({ id: 'a' }))).toBe(false)
    expect(matches('xuser:a', actor.user({ id: 'a' }))).toBe(false)
    expect(mayMatch('agent:a', actor.user())).toBe(false)
    expect(mayMatch('user', actor.user())).toBe(true)
    expect(mayMatch('agent', actor.user())).toBe(false)
  })

  it.each<[string, string, boolean]>([
    ['a', 'a', true],
    ['a', 'ab', false],
    ['*', '', true],
    ['a*', 'a', true],
    ['*a', 'ba', true],
    ['a*a', 'aa', true],
    ['a*a', 'a', false],
    ['*b*', 'b', true],
    ['*b*', 'abc', true],
    ['*b*', 'ac', false],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'acb', false],
    ['a*b*b', 'ab', false],
    ['a*b*b', 'abb', true],
    // Each part once: the second one is looked for behind the first.
    ['*b*b*', 'ab', false],
    ['*b*b*', 'abxb', true],
    ['*ab*ba*', 'aba', false],
    ['*ab*ba*', 'abba', true],
    ['*bc*d', 'abcd', true],
    ['*cd*d', 'acd', false],
  ])('%s on %s: %s', (glob, text, found) => {
    expect(matchesGlob(glob, text)).toBe(found)
  })
})

describe('the rules of namespaces', () => {
  it('keep sessions an hour at most, and the others as long as the cache does', () => {
    expect(namespaceRules().resolve('session:s').ttl).toBe(3_600_000)
    expect(namespaceRules({}, 1_000).resolve('user:a:session:s').ttl).toBe(1_000)
    expect(namespaceRules({}, 7_200_000).resolve('session:s').ttl).toBe(3_600_000)
    expect(namespaceRules({}, 1_000).resolve('user:a').ttl).toBeUndefined()
    expect(namespaceRules({ session: { ttl: null } }).resolve('session:s').ttl).toBeNull()
  })

  it('have the policy of their kind, unless another one is given: by kind, or by the full name, which wins', () => {
    const rules = namespaceRules()
    for (const name of ['public', 'user:a', 'session:s', 'user:a:session:s']) {
      expect(rules.resolve(name).policy).toBe(AccessPolicy.public)
    }
    for (const name of ['org:o', 'custom:c', 'shared:s']) {
      expect(rules.resolve(name).policy).toBe(AccessPolicy.shared)
    }
    const [kind, own] = [{ user: READ }, { user: EXECUTE }]
    const given = namespaceRules({ shared: { policy: kind }, 'shared:s': { policy: own } })
    expect([given.resolve('shared:x').policy, given.resolve('shared:s').policy]).toEqual([kind, own])
  })

  it('are remembered for the latest names, and right for the others', () => {
    const rules = namespaceRules()
    const first = rules.resolve('user:a')
    expect(rules.resolve('user:a')).toBe(first)
    for (let n = 0; n < 3_000; n++) rules.resolve(`user:${n}`)
    const again = rules.resolve('user:a')
    expect(again).not.toBe(first)
    expect(again.admits(actor.user({ id: 'a' }))).toBe(true)
  })

  it('admit members of custom and shared ones, and nobody where none are named', () => {
    const rules = namespaceRules({ 'custom:c': { members: ['user:a'] } })
    expect(rules.resolve('custom:c').admits(actor.user({ id: 'a' }))).toBe(true)
    expect(rules.resolve('custom:d').admits(actor.user({ id: 'a' }))).toBe(false)
    expect(rules.resolve('public').admits(actor.agent())).toBe(true)
    expect(() => namespaceRules({ 'session:s': { members: ['*'] } })).toThrow(
      "Members are for custom: and shared: namespaces; 'session:s' follows from who asks.",
    )
  })

  it.each([
    'custom',
    'shared:',
    'user:a:',
    'org:a:x:b',
    'custom:a b',
    `user:${'x'.repeat(257)}`,
    'constructor',
  ])('refuse %j', namespace => {
    expect(() => namespaceRules().resolve(namespace)).toThrow(/^A namespace is 'public'/)
  })

  it('refuse names that are no texts', () => {
    expect(() => namespaceRules().resolve(['public'] as never)).toThrow(InvalidArgument)
  })
})
