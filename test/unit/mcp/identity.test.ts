import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { namespaceRules } from '../../../src/access/namespace.ts'
import { toNamespaceId } from '../../../src/agent/identity.ts'
import { callerOf } from '../../../src/mcp/identity.ts'
import { anyText } from '../../any-text.ts'

function context(parts: { sessionId?: string; authInfo?: Partial<AuthInfo>; http?: boolean }): ServerContext {
  const { sessionId, authInfo, http = authInfo !== undefined } = parts
  return { sessionId, ...(http ? { http: { authInfo } } : {}) } as unknown as ServerContext
}

const tokenOf = (extra: Record<string, unknown>) =>
  context({ authInfo: { token: 'secret', clientId: 'app', scopes: [], extra } })

const checkNamespace = (namespace: string) => {
  namespaceRules().resolve(namespace)
  return namespace
}

describe('who calls', () => {
  it('on stdio is one agent, whose calls share their results', () => {
    expect(callerOf(context({}))).toEqual({ actor: actor.agent(), ambiguous: false, claims: {} })
  })

  it('over HTTP without a token could be anybody', () => {
    expect(callerOf(context({ http: true }))).toEqual({
      actor: actor.agent({ sessionId: '%anonymous-http' }),
      namespace: 'session:%anonymous-http',
      ambiguous: true,
      claims: {},
    })
  })

  it('over HTTP in a session is that session, which is not told', () => {
    const one = callerOf(context({ http: true, sessionId: 's1' }))
    expect(one).toMatchObject({ namespace: `session:${one.actor.sessionId}`, ambiguous: true })
    expect(JSON.stringify(one)).not.toContain('s1')
    expect(callerOf(context({ http: true, sessionId: 's1' }))).toEqual(one)
    expect(callerOf(context({ http: true, sessionId: 's2' })).namespace).not.toBe(one.namespace)
    const claimed = callerOf(context({ http: true, sessionId: '%anonymous-http' }))
    expect(claimed.namespace).not.toBe('session:%anonymous-http')
  })

  it.each(['sub', 'subject', 'userId', 'user_id'])('is the subject that a token names in %s', claim => {
    expect(callerOf(tokenOf({ [claim]: 'alice' }))).toEqual({
      actor: actor.agent({ id: 'alice' }),
      namespace: 'user:alice',
      ambiguous: false,
      claims: { [claim]: 'alice' },
    })
  })

  it('has a session and an organization beside the subject, where they are known', () => {
    const token = { sub: 'alice', org_id: 'acme', iss: 'https://one.example' }
    const caller = callerOf({ ...tokenOf(token), sessionId: 's1' } as ServerContext)
    expect(caller.actor.sessionId).toMatch(/^%session-/)
    expect(caller.actor.orgs).toEqual(['acme%0Ahttps%3A//one.example'])
  })

  it('is somebody else when another issuer uses the same name', () => {
    const one = callerOf(tokenOf({ sub: 'alice', iss: 'https://one.example' }))
    const two = callerOf(tokenOf({ sub: 'alice', iss: 'https://two.example' }))
    expect(one.namespace).not.toBe(two.namespace)
    expect(checkNamespace(one.namespace ?? '')).toBe(one.namespace)
  })

  it('is nobody else, whatever line feeds, escapes and colons are in names and issuers', () => {
    // What a joined name might be taken for.
    const letters = fc.constantFrom('a', '\n', '%', '0', 'A', ':', ' ', '"', ',')
    const name = fc.oneof(
      fc.string({ unit: letters, minLength: 1, maxLength: 5 }),
      fc.constantFrom('x'.repeat(300), `x\n${'y'.repeat(300)}`, 'a%0Aa', 'a\na'),
    )
    const token = fc.record({ sub: name, iss: fc.option(name, { nil: undefined }) })
    const idOf = (claims: { sub: string; iss: string | undefined }) => callerOf(tokenOf(claims)).actor.id
    fc.assert(
      fc.property(token, token, (one, two) => {
        const same = one.sub === two.sub && one.iss === two.iss
        expect(idOf(one) === idOf(two)).toBe(same)
        const orgs = [one, two].map(
          ({ sub, iss }) => callerOf(tokenOf({ sub: 'x', org_id: sub, iss })).actor.orgs?.[0],
        )
        expect(orgs[0] === orgs[1]).toBe(same)
        expect(checkNamespace(`org:${orgs[0]}:user:${idOf(one)}`)).toBeTruthy()
      }),
      { numRuns: 300 },
    )
    const alice = idOf({ sub: 'alice', iss: 'https://one.example' })
    expect(alice).toBe('alice%0Ahttps%3A//one.example')
    expect(idOf({ sub: 'alice\nhttps://one.example', iss: undefined })).not.toBe(alice)
    const said = actor.agent({ id: 'alice\nhttps://one.example' })
    expect(callerOf(tokenOf({}), { actorOf: () => said }).actor.id).not.toBe(alice)
  })

  it('is another OAuth client when another issuer uses the same id of a client', () => {
    const clients = [{}, { iss: 'https://one.example' }, { iss: 'https://two.example' }]
    const ids = clients.map(claims => callerOf(tokenOf(claims)).actor.id)
    expect(new Set(ids).size).toBe(3)
    for (const id of ids) expect(id).toMatch(/^%client-/)
  })

  it('is the OAuth client where the token names no subject; its users are not told apart, so nothing is shared', () => {
    const { ambiguous, namespace } = callerOf(tokenOf({}))
    expect(ambiguous).toBe(true)
    expect(checkNamespace(namespace ?? '')).toMatch(/^user:%client-/)
  })

  it('can be said by the server, and what it leaves open is derived', () => {
    const user = actor.user({ id: 'tenant:7' })
    expect(callerOf(context({ http: true }), { actorOf: () => user })).toEqual({
      actor: actor.user({ id: 'tenant%3A7' }),
      namespace: 'user:tenant%3A7',
      ambiguous: false,
      claims: {},
    })
    expect(callerOf(tokenOf({ sub: 'alice' }), { actorOf: () => undefined }).namespace).toBe('user:alice')
  })

  it('is never the host program, and an error of the server stays inside', () => {
    expect(() => callerOf(context({}), { actorOf: () => actor.system() })).toThrow(
      expect.objectContaining({ code: 'internal' }),
    )
    const broken = () => {
      throw new Error('password: hunter2')
    }
    expect(() => callerOf(context({}), { actorOf: broken })).toThrow(/Something went wrong/)
  })
})

describe('an id of a namespace', () => {
  it('is the name itself where it can be', () => {
    for (const name of ['alice', 'auth0|123', 'alice@example.com', 'Ålice'])
      expect(toNamespaceId(name)).toBe(name)
  })

  it('fits a namespace whatever the name, and is one for each name', () => {
    const names = anyText({ minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(names, names, (one, two) => {
        expect(checkNamespace(`user:${toNamespaceId(one)}`)).toBeTruthy()
        expect(toNamespaceId(one) === toNamespaceId(two)).toBe(one === two)
      }),
      { numRuns: 50 },
    )
  })

  it('tells names apart that look alike once they are escaped or shortened', () => {
    const long = 'x'.repeat(300)
    const names = [
      'a:b',
      'a%3Ab',
      'a b',
      'a\nb',
      'a%0Ab',
      long,
      toNamespaceId(long),
      '\ud800',
      '\ud801',
      '\ufffd',
    ]
    expect(new Set(names.map(toNamespaceId)).size).toBe(names.length)
  })
})
