import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { namespaceRules } from '../../../src/access/namespace.ts'
import { type ActorOf, callerOf, type RequestContext } from '../../../src/fastmcp/identity.ts'

interface Parts {
  session?: Record<string, unknown>
  sessionId?: string
  /** Whether the client greeted this very session, which it does not in stateless HTTP. */
  greeted?: boolean
}

function context({ session, sessionId, greeted = true }: Parts = {}): RequestContext {
  const client = { version: greeted ? { name: 'test', version: '1.0.0' } : undefined }
  return { client, session, sessionId } as unknown as RequestContext
}

const ANONYMOUS_HTTP = {
  actor: actor.agent({ sessionId: '%anonymous-http' }),
  namespace: 'session:%anonymous-http',
  ambiguous: true,
}

describe('who calls', () => {
  it('on stdio is one agent, whose calls share their results', () => {
    expect(callerOf(context())).toMatchObject({ actor: actor.agent(), ambiguous: false })
    expect(callerOf(context({ session: { role: 'admin' } }))).toMatchObject({
      actor: actor.agent(),
      ambiguous: false,
    })
  })

  it.each(['sub', 'subject', 'userId', 'user_id'])('is the subject that authenticate gave as %s', claim => {
    const alice = { actor: actor.agent({ id: 'alice' }), namespace: 'user:alice', ambiguous: false }
    for (const session of [{ [claim]: 'alice' }, { extra: { [claim]: 'alice' } }]) {
      expect(callerOf(context({ session }))).toMatchObject(alice)
      expect(callerOf(context({ session, sessionId: 's1' }))).toMatchObject({
        namespace: alice.namespace,
        ambiguous: false,
      })
      expect(callerOf(context({ session, greeted: false }))).toMatchObject(alice)
    }
  })

  it('is a user by number, too', () => {
    expect(callerOf(context({ session: { userId: 7 } })).namespace).toBe('user:7')
    expect(callerOf(context({ session: { userId: Number.NaN } })).namespace).toBeUndefined()
  })

  it('is somebody else when another issuer uses the same name', () => {
    const [one, two] = ['https://one.example', 'https://two.example'].map(iss =>
      callerOf(context({ session: { sub: 'alice', iss } })),
    )
    expect(one?.namespace).not.toBe(two?.namespace)
    expect(() => namespaceRules().resolve(one?.namespace ?? '')).not.toThrow()
  })

  it('is the HTTP session where no more is known, by a digest that does not give the session away', () => {
    const { actor: who, namespace, ambiguous } = callerOf(context({ session: {}, sessionId: 's1' }))
    expect(who.sessionId).toMatch(/^%session-[0-9a-f]{64}$/)
    expect(namespace).toBe(`session:${who.sessionId}`)
    expect(ambiguous).toBe(true)
    expect(callerOf(context({ sessionId: 's2' })).namespace).not.toBe(namespace)
  })

  it('could be anybody over HTTP without a session, whatever session the client claims', () => {
    expect(callerOf(context({ greeted: false }))).toMatchObject(ANONYMOUS_HTTP)
    expect(callerOf(context({ greeted: false, sessionId: 'somebody else’s' }))).toMatchObject(ANONYMOUS_HTTP)
  })
})

describe('who calls, as the server says it', () => {
  const say = (who: ReturnType<ActorOf>, parts?: Parts) => callerOf(context(parts), () => who)

  it('is whoever it says', () => {
    expect(say(actor.user({ id: 'tenant:7' }), { sessionId: 's1' })).toMatchObject({
      actor: { type: 'user', id: 'tenant%3A7' },
      namespace: 'user:tenant%3A7',
      ambiguous: false,
    })
    expect(say(actor.agent({ sessionId: 'room 1' }), { session: { sub: 'alice' } })).toMatchObject({
      actor: actor.agent({ sessionId: 'room%201' }),
      namespace: 'session:room%201',
      ambiguous: true,
    })
  })

  it('is derived where it leaves it open', () => {
    expect(say(undefined, { session: { sub: 'alice' } }).namespace).toBe('user:alice')
    expect(say(actor.agent(), { greeted: false })).toMatchObject(ANONYMOUS_HTTP)
  })

  it('is told of the session and the request', () => {
    const session = { id: 7 }
    const actorOf: ActorOf = (given, { sessionId }) => actor.agent({ id: `${given?.id}-${sessionId}` })
    expect(callerOf(context({ session, sessionId: 's1' }), actorOf).namespace).toBe('user:7-s1')
  })

  it('is never the host program, and an error of the server stays inside', () => {
    expect(() => say(actor.system())).toThrow(expect.objectContaining({ code: 'internal' }))
    const broken = () => {
      throw new Error('password: hunter2')
    }
    expect(() => callerOf(context(), broken)).toThrow(/Something went wrong/)
  })
})
