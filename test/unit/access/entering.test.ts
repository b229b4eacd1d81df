import { describe, expect, it } from 'vitest'
import { type Actor, actor, describeActor } from '../../../src/access/actor.ts'
import type { AuditEvent } from '../../../src/access/audit.ts'
import { Access, type AccessRequest } from '../../../src/access/authorize.ts'
import { policyChecker } from '../../../src/access/decision.ts'
import { namespaceRules } from '../../../src/access/namespace.ts'
import { Permission } from '../../../src/access/permission.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { InvalidArgument, NotFound, PermissionDenied } from '../../../src/core/errors.ts'

const { READ, WRITE, UPDATE, EXECUTE, NONE } = Permission

/** An access that writes down what it decides. */
function recorded() {
  const told: Array<Omit<AuditEvent, 'at'>> = []
  const rules = namespaceRules({
    'shared:team': { members: ['user:*'], policy: { user: WRITE, agent: WRITE } },
    'shared:closed': { members: ['user:*'], policy: { user: READ, agent: READ } },
  })
  const access = new Access(policyChecker(rules), rules, event => void told.push(event))
  return { access, told, rules }
}

const alice = actor.user({ id: 'alice' })
const agent = actor.agent({ id: 'a' })
const entry = { namespace: 'public', policy: AccessPolicy.public, startedBy: '', toolName: 'tool' }
const want = (more: Partial<AccessRequest> = {}): AccessRequest => ({
  ...{ action: 'get', permission: READ, refId: 'r:1', denial: 'not for you' },
  ...more,
})

describe('who enters a namespace', () => {
  it.each<[string, Actor, 'call' | 'set', string]>([
    ['shared:team', alice, 'call', 'allowed'],
    ['shared:team', alice, 'set', 'allowed'],
    // What a tool makes is stored by the host program, so a call needs no right to write.
    ['shared:closed', alice, 'call', 'allowed'],
    ['shared:closed', alice, 'set', 'needs the WRITE right'],
    ['shared:team', agent, 'call', 'belongs to somebody else'],
    ['shared:team', agent, 'set', 'belongs to somebody else'],
    ['shared:closed', actor.system(), 'set', 'allowed'],
    ['user:alice', actor.system(), 'call', 'allowed'],
    ['user:alice', agent, 'call', 'belongs to somebody else'],
  ])('%s, %o, %s: %s', (namespace, who, action, outcome) => {
    const { access, rules } = recorded()
    const enter = () => access.enter(namespace, who, action)
    if (outcome === 'allowed') expect(enter().policy).toEqual(rules.resolve(namespace).policy)
    else {
      expect(enter).toThrow(PermissionDenied)
      expect(enter).toThrow(outcome)
    }
  })

  it('is written down where it is refused, with the rule that refused it', () => {
    const { access, told } = recorded()
    access.enter('shared:team', alice, 'call')
    access.enter('shared:team', alice, 'set')
    expect(told).toEqual([])
    expect(() => access.enter('shared:team', agent, 'set')).toThrow()
    expect(() => access.enter('shared:closed', alice, 'set')).toThrow()
    expect(told).toEqual([
      {
        ...{ verdict: 'denied', rule: 'namespace', actor: agent, action: 'set' },
        ...{ permission: WRITE, namespace: 'shared:team' },
      },
      {
        ...{ verdict: 'denied', rule: 'role', actor: alice, action: 'set' },
        ...{ permission: WRITE, namespace: 'shared:closed' },
      },
    ])
  })

  it('is nobody where the rule fails, or gives a promise', () => {
    const throwing = () => {
      throw new Error('down')
    }
    for (const admits of [throwing, async () => true, () => 'yes', () => undefined]) {
      const rule = { admits: admits as unknown as () => boolean, policy: AccessPolicy.public }
      const resolver = { resolve: () => rule }
      const access = new Access(policyChecker(resolver), resolver, undefined)
      expect(() => access.enter('custom:x', alice, 'call')).toThrow(PermissionDenied)
      // Nothing records it, and nothing needs to.
      access.record({ verdict: 'denied', rule: 'admin', actor: alice, action: 'admin', permission: NONE })
    }
  })

  it('gives a namespace as a text', () => {
    const { access } = recorded()
    expect(() => access.rule(7 as never)).toThrow(new InvalidArgument('A namespace is a text.'))
    expect(access.rule('public').policy).toBe(AccessPolicy.public)
  })
})

describe('what is written down of a decision', () => {
  it('is who wanted what of which entry, and what decided', () => {
    const { access, told } = recorded()
    access.authorize(entry, agent, want())
    expect(told).toEqual([
      {
        ...{ verdict: 'allowed', rule: 'role', actor: agent, action: 'get' },
        ...{ permission: READ, refId: 'r:1', namespace: 'public', toolName: 'tool' },
      },
    ])
  })

  it('is nothing of an entry that does not exist, and no reference that is no text or too long', () => {
    const { access, told } = recorded()
    expect(() => access.authorize(undefined, agent, want({ refId: 'x'.repeat(500) }))).toThrow(NotFound)
    expect(() => access.authorize(undefined, agent, want({ refId: 7 as never }))).toThrow(NotFound)
    const hidden = { verdict: 'hidden', rule: 'unknown', actor: agent, action: 'get', permission: READ }
    expect(told).toEqual([{ ...hidden, refId: 'x'.repeat(200) }, hidden])
  })

  it('is a refusal alone for a step of a larger request', () => {
    const { access, told } = recorded()
    access.authorize(entry, agent, want({ audit: 'denials-only' }))
    expect(told).toEqual([])
    const asked = want({ audit: 'denials-only', permission: UPDATE })
    expect(() => access.authorize(entry, agent, asked)).toThrow('not for you')
    expect(told).toMatchObject([{ verdict: 'denied', permission: UPDATE }])
  })

  it('is what somebody else decided, as it was given', () => {
    const { access, told } = recorded()
    const wanted = { actor: agent, action: 'admin', permission: NONE } as const
    const event = { verdict: 'denied', rule: 'admin', ...wanted } as const
    access.record(event)
    expect(told).toEqual([event])
  })
})

describe('a call whose result nobody could follow', () => {
  it('is refused before it begins, and written down', () => {
    const { access, told } = recorded()
    access.authorizeMaking({ ...entry, policy: { agent: EXECUTE } }, agent)
    expect(told).toEqual([])
    const draft = { ...entry, policy: AccessPolicy.userOnly }
    expect(() => access.authorizeMaking(draft, agent)).toThrow(
      new PermissionDenied('What this tool makes is not for you.'),
    )
    expect(told).toEqual([
      {
        ...{ verdict: 'denied', rule: 'role', actor: agent, action: 'call' },
        ...{ permission: READ | EXECUTE, namespace: 'public', toolName: 'tool' },
      },
    ])
  })
})

describe('control of what does not exist', () => {
  it('is not found, for whoever asks', () => {
    const { access, told } = recorded()
    for (const who of [agent, alice, actor.system()]) {
      expect(() => access.authorizeControl(undefined, who, { action: 'cancel' })).toThrow(NotFound)
    }
    expect(told.map(({ permission }) => permission)).toEqual([UPDATE, UPDATE, UPDATE])
  })

  it('says what it takes, to who may know of the task', () => {
    const { access } = recorded()
    const task = { ...entry, startedBy: describeActor(alice) }
    expect(() => access.authorizeControl(task, agent, { action: 'cancel' })).toThrow(
      /Only whoever started this task/,
    )
  })
})

describe('the words of a task', () => {
  const derivedFrom = [
    { namespace: 'public', policy: AccessPolicy.public, needs: NONE },
    { namespace: 'public', policy: AccessPolicy.executeOnly, needs: NONE },
  ]

  it('are for those who may read it and all that it was made of, and for the host program', () => {
    const { access } = recorded()
    expect(access.canReadMessages(entry, agent)).toBe(true)
    expect(access.canReadMessages({ ...entry, policy: AccessPolicy.executeOnly }, agent)).toBe(false)
    expect(access.canReadMessages({ ...entry, derivedFrom }, agent)).toBe(false)
    expect(access.canReadMessages({ ...entry, derivedFrom: derivedFrom.slice(0, 1) }, agent)).toBe(true)
    expect(
      access.canReadMessages({ ...entry, policy: AccessPolicy.userOnly, derivedFrom }, actor.system()),
    ).toBe(true)
  })
})

describe('a right that is none of reading or using', () => {
  it('is not limited by what the entry was made of, where the actor may know of it', () => {
    const { access } = recorded()
    const derivedFrom = [{ namespace: 'public', policy: { user: EXECUTE }, needs: READ }]
    const made = { ...entry, derivedFrom }
    expect(access.decide(made, alice, READ)).toEqual({ verdict: 'denied', rule: 'derived' })
    expect(access.decide(made, alice, UPDATE)).toEqual({ verdict: 'allowed', rule: 'role' })
    expect(access.decide(made, alice, NONE)).toEqual({ verdict: 'denied', rule: 'role' })
  })

  it('names an error of the checker as what decided', () => {
    const rules = namespaceRules()
    const throwing = {
      check: () => {
        throw new Error('down')
      },
    }
    const access = new Access(throwing, rules, undefined)
    expect(access.decide(entry, agent, READ)).toEqual({ verdict: 'hidden', rule: 'error' })
  })
})
