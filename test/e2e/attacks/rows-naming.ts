import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import type { Attack } from './door.ts'
import {
  bare,
  hidden,
  looksUnknown,
  madeUp,
  reader,
  refOf,
  settled,
  toldTo,
  unharmed,
  unusable,
  usable,
} from './steps.ts'

/** Attacks with the name of a reference, or of a call, that is not the attacker's. */
export const NAMING: readonly Attack[] = [
  {
    id: 'guessed-id',
    tries: 'ids until one fits',
    guardedBy: 'src/flow/find.ts',
    aboutIdentity: false,
    async attempt(scene) {
      const refId = await hidden(scene)
      await scene.alice.act('get', refId)
      toldTo(scene, scene.alice)
      const last = refId.slice(-1)
      const near = [...'0123456789abcdef'].filter(digit => digit !== last).map(d => refId.slice(0, -1) + d)
      for (const guess of [...near, ...Array.from({ length: 20 }, () => madeUp(scene))]) {
        expect((await scene.mallory.act('get', guess)).code).toBe('not_found')
      }
    },
  },
  {
    id: 'foreign-id',
    tries: 'to follow the id of somebody else',
    guardedBy: 'src/access/authorize.ts',
    async attempt(scene) {
      const refId = await hidden(scene)
      await looksUnknown(scene, scene.mallory, refId)
      for (const asking of [
        { full: true },
        { page: 1 },
        { pageSize: 1 },
        { maxSize: 1 },
        { format: 'full' as const },
      ]) {
        const answer = await scene.mallory.act('get', refId, asking)
        expect(answer.code).toBe('not_found')
      }
      await scene.alice.act('get', refId)
      toldTo(scene, scene.alice)
    },
  },
  {
    id: 'odd-id',
    tries: 'the id of somebody else, written in another way',
    guardedBy: 'src/core/ref.ts',
    async attempt(scene) {
      const refId = await hidden(scene)
      const [, digits = ''] = refId.split(':')
      const odd = [
        refId.toUpperCase(),
        digits,
        `:${digits}`,
        ` ${refId}`,
        `${refId}\n`,
        `${refId}\0`,
        `other:${digits}`,
        `vault:*`,
        `vault:${'?'.repeat(32)}`,
        `vault:../${digits}`,
        `${refId},${refId}`,
        '__proto__',
        'constructor',
        '',
        [refId],
        { ref_id: refId },
        null,
      ]
      for (const act of scene.door.acts.filter(each => each !== 'list')) {
        for (const form of odd) {
          const { code, body } = await scene.mallory.act(act, form)
          if (act === 'exists') expect(body).toEqual({ value: false })
          else expect(['not_found', 'invalid_argument']).toContain(code)
        }
      }
      await looksUnknown(scene, scene.mallory, refId)
    },
  },
  {
    id: 'expired-id',
    tries: 'an id whose entry has expired, and has not been swept yet',
    guardedBy: 'src/flow/find.ts',
    aboutIdentity: false,
    cache: { sweepInterval: '1h' },
    async attempt(scene) {
      const { host, mallory, clock } = scene
      const lived = { ttl: '1m', policy: { user: 31, agent: 31 } } as const
      const his = await host.set('own', ['was here'], { namespace: 'user:mallory', ...lived })
      const hers = await host.set('hers', scene.secret.value, { namespace: 'user:alice', ...lived })
      expect((await mallory.act('get', his.refId)).body).toMatchObject({ value: ['was here'] })
      await clock.advance('2m')
      for (const { refId } of [his, hers]) {
        await looksUnknown(scene, mallory, refId)
        await unusable(scene, mallory, refId)
      }
    },
  },
  {
    id: 'deleted-id',
    tries: 'an id whose entry was deleted',
    guardedBy: 'src/flow/delete.ts',
    aboutIdentity: false,
    async attempt(scene) {
      const { host, mallory } = scene
      const { refId } = await host.set('own', ['was here'], { namespace: 'user:mallory' })
      expect((await mallory.act('get', refId)).body).toMatchObject({ value: ['was here'] })
      await host.clear('user:mallory')
      await looksUnknown(scene, mallory, refId)
      await unusable(scene, mallory, refId)
    },
  },
  {
    id: 'foreign-task',
    tries: 'to see how the task of somebody else stands, while it runs, when it is done, and when it failed',
    guardedBy: 'src/flow/reply.ts',
    async attempt(scene) {
      const { alice, mallory, gates } = scene
      for (const tool of ['hold', 'flaky']) {
        const refId = refOf(await alice.call(tool, { gate: tool }))
        await gates.reached(tool)
        await looksUnknown(scene, mallory, refId)
        gates.open(tool)
        await settled(scene, refId)
        await looksUnknown(scene, mallory, refId)
        await alice.act('get', refId)
        toldTo(scene, alice)
      }
    },
  },
  {
    id: 'foreign-steering',
    tries: 'to cancel, retry or delete what is not the own',
    guardedBy: 'src/access/authorize.ts',
    async attempt(scene) {
      const { alice, mallory, gates, door } = scene
      const steering = door.acts.filter(act => ['cancel', 'retry', 'delete'].includes(act))
      const attempt = async (refId: string) => {
        for (const act of steering) expect((await mallory.act(act, refId)).code).toBe('not_found')
      }
      for (const tool of ['wait', 'flaky']) {
        const refId = refOf(await alice.call(tool, { gate: tool }))
        await gates.reached(tool)
        await unharmed(alice, refId, () => attempt(refId))
        gates.open(tool)
        await settled(scene, refId)
        await unharmed(alice, refId, () => attempt(refId))
      }
      const value = await hidden(scene)
      await unharmed(alice, value, () => attempt(value))
    },
  },
  {
    id: 'shared-steering',
    tries: 'to cancel, retry or delete what may be seen, but is not the own',
    guardedBy: 'src/access/authorize.ts',
    async attempt(scene) {
      const { alice, mallory, gates, door } = scene
      const steering = door.acts.filter(act => ['cancel', 'retry', 'delete'].includes(act))
      const refId = refOf(await alice.call('hold_public', { gate: 'g' }))
      await gates.reached('g')
      const attempt = async () => {
        for (const act of steering) {
          // Whoever may see that it has ended may be told that there is nothing to cancel.
          const { code } = await mallory.act(act, refId)
          expect(['permission_denied', 'invalid_argument']).toContain(code)
        }
      }
      await unharmed(alice, refId, attempt)
      gates.open('g')
      await settled(scene, refId)
      await unharmed(alice, refId, attempt)
    },
  },
  {
    id: 'same-arguments',
    tries: 'to be given the result of somebody else by calling with the same arguments',
    guardedBy: 'src/core/key.ts',
    aboutIdentity: false,
    async attempt(scene) {
      const { alice, mallory } = scene
      const hers = await alice.call('mint', { value: 1 })
      toldTo(scene, alice)
      const his = await mallory.call('mint', { value: 1 })
      expect(his.body).toMatchObject({ value: { run: 2 } })
      expect(refOf(his)).not.toBe(refOf(hers))
    },
  },
  {
    id: 'same-arguments-in-flight',
    tries: 'to join the task of somebody else by calling with the same arguments',
    guardedBy: 'src/core/key.ts',
    async attempt(scene) {
      const { alice, mallory, gates } = scene
      const hers = refOf(await alice.call('hold', { gate: 'g' }))
      await gates.reached('g')
      const his = refOf(await mallory.call('hold', { gate: 'g' }))
      expect(his).not.toBe(hers)
      await looksUnknown(scene, mallory, hers)
      gates.open('g')
      await settled(scene, hers)
      await alice.act('get', hers)
      toldTo(scene, alice)
      await settled(scene, his)
    },
  },
  {
    id: 'same-arguments-private-result',
    tries: 'to be given, by calling with the same arguments, a shared result that agents may not see',
    guardedBy: 'src/flow/reply.ts',
    async attempt(scene) {
      const { mallory } = scene
      const alice = await reader(scene)
      await alice.call('mint_private', { value: 1 })
      toldTo(scene, alice)
      bare(await mallory.call('mint_private', { value: 1 }))
    },
  },
  {
    id: 'same-reference',
    tries: 'to be given what somebody else computed of a private reference, by calling with that reference',
    guardedBy: 'src/flow/call.ts',
    async attempt(scene) {
      const { alice, mallory } = scene
      const refId = await hidden(scene)
      const hers = await alice.call('public_echo', { value: refId })
      toldTo(scene, alice)
      const his = await mallory.call('public_echo', { value: refId })
      expect(his.code).toBe('not_found')
      expect(his.said).not.toContain(refOf(hers))
      await unusable(scene, mallory, refId)
    },
  },
  {
    id: 'same-reference-other-rights',
    tries:
      'to be given what somebody with more rights computed of a reference that may be used, but not seen',
    guardedBy: 'src/core/key.ts',
    async attempt(scene) {
      const { mallory } = scene
      const refId = await usable(scene)
      const alice = await reader(scene)
      await alice.call('public_echo', { value: refId })
      toldTo(scene, alice)
      bare(await mallory.call('public_echo', { value: refId }))
    },
  },
  {
    id: 'confirmed-guess',
    tries: 'to find out whether a guess of a private value is right: a hit would say so',
    guardedBy: 'src/core/key.ts',
    aboutIdentity: false,
    async attempt(scene) {
      const { alice, mallory, host } = scene
      const { refId } = await host.set('pin', 4711, { namespace: 'user:alice' })
      const hers = await alice.call('public_echo', { value: refId })
      expect(hers.body).toMatchObject({ value: 4711 })
      const guess = await mallory.call('public_echo', { value: 4711 })
      expect(refOf(guess)).not.toBe(refOf(hers))
    },
  },
  {
    id: 'nested-id',
    tries: 'the id of somebody else somewhere in an input: in objects, in lists, very deep, beside own ones',
    guardedBy: 'src/flow/references.ts',
    async attempt(scene) {
      const { alice, mallory, host } = scene
      const refId = await hidden(scene)
      const own = (await host.set('own', [1], { namespace: 'user:mallory' })).refId
      const wrappings: Array<(ref: string) => unknown> = [
        ref => ref,
        ref => ({ a: { b: [0, ref] } }),
        ref => [[[[ref]]]],
        ref => [own, { own, ref }],
        ref => Array.from({ length: 50 }).reduce<unknown>(inner => [{ inner }], ref),
        ref => ({ ref_id: ref, refId: ref, $ref: ref }),
        ref => JSON.parse(`{"__proto__":"${ref}"}`),
      ]
      for (const wrapping of wrappings) await unusable(scene, mallory, refId, wrapping)
      await alice.call('echo', { value: { a: [refId] } })
      toldTo(scene, alice)
    },
  },
  {
    id: 'id-in-words',
    tries: 'the id of somebody else as part of a text, or as the name of a member',
    guardedBy: 'src/flow/references.ts',
    aboutIdentity: false,
    async attempt(scene) {
      const refId = await hidden(scene)
      for (const value of [
        `see ${refId}`,
        `${refId} `,
        `vault/${refId}`,
        { [refId]: 1 },
        refId.toUpperCase(),
      ]) {
        const { body } = await scene.mallory.call('echo', { value })
        expect(body).toMatchObject({ value })
      }
    },
  },
  {
    id: 'confused-deputy',
    tries: "to have somebody compute with a public value that holds that person's own private reference",
    guardedBy: 'src/flow/references.ts',
    aboutIdentity: false,
    async attempt(scene) {
      const { alice, mallory } = scene
      const hers = await hidden(scene)
      const bait = refOf(await mallory.call('store_public', { value: { x: hers, y: [hers] } }))
      const result = await alice.call('public_echo', { value: bait })
      await alice.call('public_echo', { value: [bait] })
      const his = await mallory.call('public_echo', { value: bait })
      await mallory.call('public_echo', { value: [bait] })
      // What she was given she may see; where it holds her secret, he must not be told its name.
      if (scene.secret.foundIn(result.said)) expect(his.said).not.toContain(refOf(result))
      await mallory.call('echo', { value: bait })
      await mallory.act('get', bait)
    },
  },
  {
    id: 'laundered-id',
    tries: 'to store the id of somebody else, and to pass the name of what was stored',
    guardedBy: 'src/flow/references.ts',
    aboutIdentity: false,
    async attempt(scene) {
      const { mallory } = scene
      const hers = await hidden(scene)
      for (const value of [hers, [hers], { x: { y: hers } }]) {
        const stored = refOf(await mallory.call('store', { value }))
        await mallory.call('echo', { value: stored })
        await mallory.call('echo', { value: { deeper: [stored] } })
        await mallory.call('many', { value: stored })
        const again = refOf(await mallory.call('store', { value: stored }))
        await mallory.call('echo', { value: again })
      }
    },
  },
  {
    id: 'other-cache',
    tries: 'a reference of another cache on the same store',
    guardedBy: 'src/flow/find.ts',
    needs: ['actors'],
    aboutIdentity: false,
    async attempt(scene) {
      const { mallory } = scene
      for (const name of ['vault2', 'vaul', 'v', 'vault.x']) {
        const refId = `${name}:${randomBytes(16).toString('hex')}`
        expect((await mallory.act('get', refId)).code).toBe('not_found')
        // No reference of this cache: a text like any other.
        expect((await mallory.call('echo', { value: refId })).body).toMatchObject({ value: refId })
      }
    },
  },
]
