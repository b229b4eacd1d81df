import { expect } from 'vitest'
import { Permission } from '../../../src/access/permission.ts'
import type { Attack, Identity } from './door.ts'
import { hidden, looksUnknown, refOf, toldTo, unusable } from './steps.ts'

const { FULL, NONE } = Permission

/** Names that could be taken for `alice`, for all names, or for something else than a name. */
const LOOKALIKES = [
  ...['ALICE', ' alice', 'alice ', 'alice\n', 'alice\0', 'alice\u200b', '\u0430lice', 'ali', 'alice2', ''],
  ...['*', 'ali*', 'a?ice', '%', 'user:*', 'user:alice', 'alice:session:s1', 'alice:', ':alice', '../alice'],
  ...['%61lice', 'alice%00', '__proto__', 'constructor', '%client-alice', 'alice\nhttps://issuer.example'],
]

/** Attacks by somebody who poses as somebody else, or comes from somewhere else. */
export const POSING: readonly Attack[] = [
  {
    id: 'lookalike',
    tries: 'an identity that looks like the owner, or like a pattern that fits the owner',
    guardedBy: 'src/access/namespace.ts',
    async attempt(scene) {
      const refId = await hidden(scene)
      const hers = await scene.alice.call('mint', { value: 1 })
      toldTo(scene, scene.alice)
      for (const id of LOOKALIKES) {
        const attacker = await scene.attacker({ id })
        await looksUnknown(scene, attacker, refId)
        const { said } = await attacker.call('mint', { value: 1 })
        expect(said).not.toContain(refOf(hers))
      }
    },
  },
  {
    id: 'stolen-id-other-session',
    tries: 'an id of another session, of the same person or of a session with the same name',
    guardedBy: 'src/access/namespace.ts',
    needs: ['sessions'],
    async attempt(scene) {
      const { host, secret } = scene
      const [inSession, ofAlice] = await Promise.all([
        host.set('a', secret.value, { namespace: 'session:s1' }),
        host.set('b', secret.value, { namespace: 'user:alice:session:s1' }),
      ])
      const owner = await scene.victim({ id: 'alice', session: 's1' })
      for (const { refId } of [inSession, ofAlice]) await owner.act('get', refId)
      toldTo(scene, owner)
      const others: Identity[] = [
        { id: 'alice', session: 's2' },
        { id: 'alice' },
        { id: 'mallory', session: 's1:' },
        { id: 's1' },
        { id: 'alice', session: 'S1' },
        { id: 'alice', session: '*' },
      ]
      for (const identity of others) {
        const attacker = await scene.attacker(identity)
        for (const { refId } of [inSession, ofAlice]) await looksUnknown(scene, attacker, refId)
      }
      await looksUnknown(scene, await scene.attacker({ id: 'mallory', session: 's1' }), ofAlice.refId)
    },
  },
  {
    id: 'bound-to-a-session',
    tries: 'an id that is bound to another session',
    guardedBy: 'src/access/authorize.ts',
    needs: ['sessions'],
    async attempt(scene) {
      const policy = { user: FULL, agent: FULL, owner: 'agent:alice', allowed: ['*'], boundSession: 's1' }
      const { refId } = await scene.host.set('bound', scene.secret.value, { policy })
      const owner = await scene.victim({ id: 'alice', session: 's1' })
      await owner.act('get', refId)
      toldTo(scene, owner)
      for (const identity of [{ id: 'alice', session: 's2' }, { id: 'alice' }, { id: 's1' }, {}]) {
        await looksUnknown(scene, await scene.attacker(identity), refId)
      }
    },
  },
  {
    id: 'forged-namespace',
    tries: 'to call in the namespace of somebody else',
    guardedBy: 'src/access/authorize.ts',
    needs: ['namespaces'],
    async attempt(scene) {
      const { alice, door } = scene
      const hers = await alice.call('mint', { value: 1 })
      toldTo(scene, alice)
      const forged = [
        ...['user:alice', 'user:alice:session:s1', 'session:s1', 'org:acme', 'org:acme:user:mallory'],
        ...['custom:vault', 'shared:team', 'user:*', 'user:ali*', 'user:', 'user:alice ', 'USER:alice'],
        ...['public:user:alice', 'user:mallory:user:alice', 'user:alice\0', '', '*', '__proto__'],
      ]
      for (const namespace of forged) {
        const answer = await door.callIn?.({ id: 'mallory' }, namespace, 'mint', { value: 1 })
        expect(['permission_denied', 'invalid_argument']).toContain(answer?.code)
        expect(answer?.said).not.toContain(refOf(hers))
        scene.overheard(answer?.said ?? '')
      }
    },
  },
  {
    id: 'forged-arguments',
    tries: 'to say in the arguments who asks, or where the call belongs',
    guardedBy: 'src/core/key.ts',
    async attempt(scene) {
      const { alice, mallory } = scene
      const hers = await alice.call('mint', { value: 1 })
      toldTo(scene, alice)
      const claims = {
        namespace: 'user:alice',
        _namespace: 'user:alice',
        actor: { type: 'system' },
        _actor: 'system',
        sub: 'alice',
        _meta: { authInfo: { extra: { sub: 'alice' } } },
        authInfo: { extra: { sub: 'alice' } },
      }
      const his = await mallory.call('mint', { value: 1, ...claims })
      expect(his.said).not.toContain(refOf(hers))
      const refId = await hidden(scene)
      await unusable(scene, mallory, refId, ref => ({ value: ref, ...claims }))
    },
  },
  {
    id: 'template-injection',
    tries: 'claims that would fill the template of a namespace with the place of somebody else',
    guardedBy: 'src/agent/scoping.ts',
    needs: ['templates'],
    attach: { namespaceTemplate: 'org:{org_id}:user:{user_id}' },
    async attempt(scene) {
      const alice = await scene.victim({ id: 'alice', org: 'acme' })
      const hers = await alice.call('mint', { value: 1 })
      toldTo(scene, alice)
      const again = await alice.call('mint', { value: 1 })
      // Not the same reference: as a task of 2025-11-25 the call has an entry of its own, which follows the first.
      const placeOf = async (answer: typeof hers) => (await scene.host.inspect(refOf(answer))).namespace
      expect(await placeOf(again)).toBe(await placeOf(hers))
      const forged: Identity[] = [
        { id: 'mallory', org: 'acme' },
        { id: 'alice', org: 'evil' },
        { id: 'mallory', org: 'acme:user:alice' },
        { id: 'alice:session:s1', org: 'acme' },
        { id: 'user:alice', org: 'acme' },
        { id: '{org_id}', org: 'alice' },
        { id: '{user_id}', org: 'acme' },
        { id: 'alice', org: 'acme\0' },
        { id: 'alice', org: 'acme\n' },
        { id: 'alice', org: ' acme' },
        { id: 'alice', org: 'ACME' },
        { id: 'alice', org: '*' },
        { id: 'alice', org: '__proto__' },
      ]
      for (const identity of forged) {
        const attacker = await scene.attacker(identity)
        expect((await attacker.call('mint', { value: 1 })).said).not.toContain(refOf(hers))
        await looksUnknown(scene, attacker, refOf(hers))
      }
      for (const identity of [{ id: 'alice' }, { id: 'alice', org: '' }, {}]) {
        const attacker = await scene.attacker(identity)
        expect((await attacker.call('mint', { value: 1 })).code).toBeDefined()
        await looksUnknown(scene, attacker, refOf(hers))
      }
    },
  },
  {
    id: 'pattern-lookalike',
    tries: 'an identity that reads like a pattern, or fits one that is meant for others',
    guardedBy: 'src/access/authorize.ts',
    async attempt(scene) {
      const owned = { user: NONE, agent: NONE, owner: 'user:carol', allowed: ['agent:bob', 'user:dan-*'] }
      const { refId } = await scene.host.set('owned', scene.secret.value, { policy: owned })
      const bob = await scene.victim({ id: 'bob' })
      await bob.act('get', refId)
      toldTo(scene, bob)
      const others: Identity[] = [
        ...['*', 'b*', 'bob*', 'bo', 'bobby', 'agent:bob', 'carol', 'dan-1', 'user:dan-1', 'BOB'].map(id => ({
          id,
        })),
        ...['bob', '*', 'dan', 'xdan-1', 'caro*', 'carol2'].map(id => ({ kind: 'user' as const, id })),
        {},
      ]
      for (const identity of others) await looksUnknown(scene, await scene.attacker(identity), refId)
    },
  },
  {
    id: 'denied',
    tries: 'to be allowed as an owner, by a pattern or by role where a pattern denies',
    guardedBy: 'src/access/authorize.ts',
    async attempt(scene) {
      const { secret, host } = scene
      const policy = {
        user: FULL,
        agent: FULL,
        owner: 'agent:mallory',
        allowed: ['*'],
        denied: ['agent:mal*'],
      }
      const { refId } = await host.set('denied', secret.value, { policy })
      await scene.alice.act('get', refId)
      toldTo(scene, scene.alice)
      await looksUnknown(scene, scene.mallory, refId)
      await unusable(scene, scene.mallory, refId)
    },
  },
  {
    id: 'closed-namespace',
    tries: 'to enter a namespace with members, or one that nobody has opened',
    guardedBy: 'src/access/namespace.ts',
    cache: { namespaces: { 'shared:team': { members: ['agent:claude-*', 'user:*'] } } },
    async attempt(scene) {
      const { host, secret } = scene
      const team = await host.set('team', secret.value, { namespace: 'shared:team' })
      const closed = await Promise.all(
        ['shared:team2', 'custom:team', 'org:acme'].map(namespace =>
          host.set('closed', secret.value, { namespace }),
        ),
      )
      const member = await scene.victim({ id: 'claude-1' })
      await member.act('get', team.refId)
      toldTo(scene, member)
      for (const id of ['mallory', 'claude', 'Claude-1', 'xclaude-1', 'shared:team', 'acme']) {
        const attacker = await scene.attacker({ id })
        for (const { refId } of [team, ...closed]) await looksUnknown(scene, attacker, refId)
      }
      const insider = await scene.attacker({ id: 'claude-2' })
      for (const { refId } of closed) await looksUnknown(scene, insider, refId)
    },
  },
  {
    id: 'other-organization',
    tries: 'the place of an organization to which the attacker does not belong',
    guardedBy: 'src/access/namespace.ts',
    needs: ['actors'],
    async attempt(scene) {
      const { host, secret } = scene
      const places = await Promise.all(
        ['org:acme', 'org:acme:user:alice', 'org:acme:user:alice:session:s1'].map(namespace =>
          host.set('org', secret.value, { namespace }),
        ),
      )
      const alice = await scene.victim({ id: 'alice', org: 'acme', session: 's1' })
      for (const { refId } of places) {
        expect((await alice.act('get', refId)).code).toBeUndefined()
      }
      for (const org of ['acme2', 'acm', 'ACME', '*', 'acme:user:alice', 'org:acme', '']) {
        const attacker = await scene.attacker({ id: 'alice', org, session: 's1' })
        for (const { refId } of places) await looksUnknown(scene, attacker, refId)
      }
      const colleague = await scene.attacker({ id: 'mallory', org: 'acme', session: 's1' })
      for (const { refId } of places.slice(1)) await looksUnknown(scene, colleague, refId)
    },
  },
]
