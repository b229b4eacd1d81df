import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'
import type { Attack } from './door.ts'
import { hidden, looksUnknown, madeUp, refOf, settled, toldTo, unharmed, unusable } from './steps.ts'

/** Attacks with the name of a reference that is not the attacker's. */
export const NAMING: readonly Attack[] = [
  {
    id: 'guessed-id',
    tries: 'ids until one fits',
    guardedBy: 'src/flow/read/find.ts',
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
    guardedBy: 'src/flow/read/find.ts',
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
    guardedBy: 'src/flow/control/delete.ts',
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
    guardedBy: 'src/flow/read/reply.ts',
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
    id: 'foreign-growing-value',
    tries: 'to see what the task of somebody else has so far, while it grows, and what is left of it',
    guardedBy: 'src/flow/read/reply.ts',
    async attempt(scene) {
      const { alice, mallory, gates } = scene
      const refId = refOf(await alice.call('grow_handle', { gate: 'g' }))
      gates.open('g before')
      await gates.reached('g')
      const ask = async () => {
        await looksUnknown(scene, mallory, refId)
        for (const part of ['', '#/0', '#/1', '#/99', '#L1']) {
          for (const asking of [{ page: 1 }, { full: true }, { page: 1, pageSize: 1 }]) {
            await mallory.act('get', `${refId}${part}`, asking)
          }
        }
        await unusable(scene, mallory, refId)
      }
      await ask()
      await alice.act('get', refId, { page: 1 })
      toldTo(scene, alice)
      gates.open('g')
      await settled(scene, refId)
      await ask()
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
    id: 'other-cache',
    tries: 'a reference of another cache on the same store',
    guardedBy: 'src/flow/read/find.ts',
    needs: ['actors'],
    aboutIdentity: false,
    async attempt(scene) {
      const { mallory, store, secret, clock } = scene
      const other = new RefCache({ name: 'other', store, clock })
      const { refId } = await other.set('hers', secret.value, { namespace: 'user:alice' })
      expect((await mallory.call('echo', { value: [refId] })).body).toMatchObject({ value: [refId] })
      for (const name of ['vault2', 'vaul', 'v', 'vault.x']) {
        const refId = `${name}:${randomBytes(16).toString('hex')}`
        expect((await mallory.act('get', refId)).code).toBe('not_found')
        // No reference of this cache: a text like any other.
        expect((await mallory.call('echo', { value: refId })).body).toMatchObject({ value: refId })
      }
    },
  },
]
