import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { policyChecker } from '../../../src/access/decision.ts'
import { namespaceRules } from '../../../src/access/namespace.ts'
import { Permission } from '../../../src/access/permission.ts'
import { checkScoping, placeCall, type Scoping, scopingOf } from '../../../src/agent/scoping.ts'
import { InvalidArgument, PermissionDenied } from '../../../src/core/errors.ts'
import { callerOf } from '../../../src/mcp/identity.ts'
import { anyText } from '../../any-text.ts'

const callerWith = (extra: Record<string, unknown>, sessionId?: string) =>
  callerOf({
    sessionId,
    http: { authInfo: { token: 'secret', clientId: 'app', scopes: [], extra } as AuthInfo },
  } as unknown as ServerContext)
const onStdio = callerOf({} as ServerContext)
const place = (scoping: Scoping, caller = callerWith({ sub: 'alice', org_id: 'acme', team: 'red' })) =>
  placeCall(scopingOf(scoping, {}), caller)

describe('where the results of a call belong', () => {
  it('is private to the subject, and public on stdio, unless the author says otherwise', () => {
    expect(place({}).namespace).toBe('user:alice')
    expect(place({}, onStdio).namespace).toBeUndefined()
    expect(place({ namespace: 'public' }).namespace).toBe('public')
  })

  it('is filled in from what is known of the caller, who is inside of it', () => {
    const caller = callerWith({ sub: 'alice', org_id: 'acme', iss: 'https://idp.example' }, 's1')
    const { namespace = '' } = place(
      { namespaceTemplate: 'org:{org_id}:user:{user_id}:session:{session_id}' },
      caller,
    )
    expect(namespaceRules().resolve(namespace).admits(caller.actor)).toBe(true)
    const other = callerWith({ sub: 'bob', org_id: 'acme', iss: 'https://idp.example' }, 's1')
    expect(namespaceRules().resolve(namespace).admits(other.actor)).toBe(false)
    expect(place({ namespaceTemplate: 'custom:{team}' }).namespace).toBe('custom:red')
    expect(place({ ownerTemplate: 'user:{user_id}' }).policy).toEqual({ owner: 'user:alice' })
  })

  it.each(['org_id', 'session_id', 'email', 'empty', 'constructor', 'toString'])(
    'is refused where the caller has no %s',
    name => {
      const caller = callerWith({ sub: 'alice', empty: '' })
      expect(() => place({ namespaceTemplate: `custom:{${name}}` }, caller)).toThrow(PermissionDenied)
      expect(() => place({ ownerTemplate: `user:{${name}}` }, caller)).toThrow(PermissionDenied)
    },
  )

  it('is never an empty or a foreign part, whatever a claim says', () => {
    expect(() => place({ namespaceTemplate: 'custom:{team}' }, callerWith({ sub: 'a', team: '' }))).toThrow(
      PermissionDenied,
    )
    fc.assert(
      fc.property(anyText({ minLength: 1 }), anyText({ minLength: 1 }), (a, b) => {
        fc.pre(a !== b)
        const of = (sub: string) =>
          place({ namespaceTemplate: 'user:{user_id}' }, callerWith({ sub })).namespace ?? ''
        expect(of(a)).not.toBe(of(b))
        const rule = namespaceRules().resolve(of(a))
        expect(rule.admits(callerWith({ sub: a }).actor)).toBe(true)
        expect(rule.admits(callerWith({ sub: b }).actor)).toBe(false)
      }),
    )
    for (const forged of ['bob:session:x', 'bob session:x', 'bob\n', '%62ob', 'bob%3Asession']) {
      const { namespace } = place({ namespaceTemplate: 'user:{user_id}' }, callerWith({ sub: forged }))
      expect(
        namespaceRules()
          .resolve(namespace ?? '')
          .admits(actor.agent({ id: 'bob' })),
      ).toBe(false)
      expect(namespace?.split(':')).toHaveLength(2)
    }
  })
})

describe('a client through which many users come', () => {
  const client = callerWith({ team: 'red' })

  it('is none of them, and shares no results whatever the template', () => {
    expect(() => place({ namespaceTemplate: 'user:{user_id}' }, client)).toThrow(PermissionDenied)
    expect(place({ namespaceTemplate: 'custom:{team}' }, client)).toMatchObject({ memoize: false })
    expect(place({ namespace: 'public' }, client)).not.toHaveProperty('memoize')
  })
})

describe('an owner', () => {
  it('is the caller itself where the template says agent: it steers, and sees what agents see', () => {
    const caller = callerWith({ sub: 'alice' })
    const { policy = {} } = place({ ownerTemplate: 'agent:{user_id}' }, caller)
    const rules = namespaceRules()
    const resource = { namespace: 'public', policy: { ...policy, agent: 0 } }
    const rule = policyChecker(rules).check(resource, caller.actor, Permission.READ)
    const steer = policyChecker(rules).check(resource, caller.actor, Permission.UPDATE)
    expect(rule).toEqual({ allowed: false, rule: 'role' })
    expect(steer).toEqual({ allowed: true, rule: 'owner' })
  })
})

describe('results that are kept to a session', () => {
  it('are bound to it by their policy', () => {
    const one = callerWith({ sub: 'alice' }, 's1')
    expect(place({ sessionScoped: true }, one).policy).toEqual({ boundSession: one.actor.sessionId })
  })

  it('are refused where there is no session', () => {
    for (const caller of [callerWith({ sub: 'alice' }), callerOf({ http: {} } as ServerContext)]) {
      expect(() => place({ sessionScoped: true }, caller)).toThrow(/this connection has none/)
    }
  })

  it('are kept to the process on stdio', () => {
    const caller = callerOf({} as ServerContext, { directSession: '%process-1' })
    expect(place({ sessionScoped: true }, caller).policy).toEqual({ boundSession: '%process-1' })
  })
})

describe('what an author says of a tool', () => {
  it('wins over what is said of all tools', () => {
    const all = { namespaceTemplate: 'user:{sub}', sessionScoped: true }
    expect(scopingOf({ namespace: 'public' }, all)).toEqual({ namespace: 'public', sessionScoped: true })
    expect(scopingOf({ sessionScoped: false }, all)).toEqual({
      namespaceTemplate: 'user:{sub}',
      sessionScoped: false,
    })
  })

  it.each<Scoping>([
    { namespaceTemplate: 'user:{}' },
    { namespaceTemplate: 'user:{a b}' },
    { namespaceTemplate: 'user:{__proto__}' },
    { ownerTemplate: 'user:{{sub}' },
    { ownerTemplate: '{sub}' },
    { namespaceTemplate: 'shared:{org_id}-{team}' },
    { namespaceTemplate: 'user::{sub}' },
    { namespace: 'public', namespaceTemplate: 'user:{sub}' },
  ])('is refused when it is %j', scoping => {
    expect(() => checkScoping(scoping)).toThrow(InvalidArgument)
  })
})
