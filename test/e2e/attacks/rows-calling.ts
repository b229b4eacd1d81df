import { expect } from 'vitest'
import type { Attack } from './door.ts'
import { bare, hidden, looksUnknown, reader, refOf, settled, toldTo, unusable, usable } from './steps.ts'

/** Attacks by calls: with the arguments of somebody else, or with references in the arguments that are not the attacker's. */
export const CALLING: readonly Attack[] = [
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
    guardedBy: 'src/flow/read/reply.ts',
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
    guardedBy: 'src/flow/call/call.ts',
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
    guardedBy: 'src/flow/call/references.ts',
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
    guardedBy: 'src/flow/call/references.ts',
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
    guardedBy: 'src/flow/call/references.ts',
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
    guardedBy: 'src/flow/call/references.ts',
    aboutIdentity: false,
    async attempt(scene) {
      const { mallory } = scene
      const hers = await hidden(scene)
      for (const value of [hers, [hers], { x: { y: hers } }]) {
        const stored = refOf(await mallory.call('store', { value }))
        await mallory.call('echo', { value: stored })
        await mallory.call('echo', { value: { deeper: [stored] } })
        await mallory.call('many', { value: stored })
        // What the caller did not write into the call stays a text.
        expect((await mallory.call('echo_named', { value: stored })).body).toMatchObject({ value })
        const again = refOf(await mallory.call('store', { value: stored }))
        await mallory.call('echo', { value: again })
      }
    },
  },
]
