import { describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { Permission } from '../../../src/access/permission.ts'
import type { RefId } from '../../../src/core/ref.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { deferred, scene } from './scene.ts'

const USER = actor.user({ id: 'u' })
const AGENT = actor.agent({ id: 'a' })

/** What a task is made of can show while it runs: here a public task waits for a list, which names a private value. */
async function untoldSource() {
  const store = memoryStore()
  const { cache, clock } = scene({ store })
  const { READ, EXECUTE } = Permission
  const policy = { user: READ | EXECUTE, agent: EXECUTE }
  const secret = await cache.set('salary', 'hunter2', { policy })
  const named = deferred<RefId[]>()
  const list = await cache.cached({ name: 'list', asyncTimeout: 0 }, () => named.promise)({})
  const collect = cache.cached(
    { name: 'collect', asyncTimeout: 0, resolveRefs: 'deep' },
    ({ of }: { of: unknown }) => of as string[],
  )
  const { refId } = await collect({ of: list.refId }, { actor: USER })
  await clock.advance(0)
  return { ...{ cache, clock, store, refId }, tell: () => named.resolve([secret.refId]) }
}

describe('a task that uses what nobody knows the sources of yet', () => {
  it('is not shared by callers who may not see the same', async () => {
    const { cache, clock, refId, tell } = await untoldSource()
    const echo = cache.cached(
      { name: 'echo', asyncTimeout: 0, memoize: true },
      ({ of }: { of: unknown }) => of as string[],
    )
    const users = await echo({ of: refId }, { actor: USER })
    const agents = await echo({ of: refId }, { actor: AGENT })
    expect(agents.refId).not.toBe(users.refId)
    tell()
    await clock.advance(0)
    expect(await cache.get(users.refId, { actor: USER })).toMatchObject({ value: ['hunter2'] })
    const seen = await cache.get(agents.refId, { actor: AGENT }).catch((error: Error) => error.message)
    expect(JSON.stringify(seen)).not.toContain('hunter2')
  })

  it('is authorized again when it has ended, for who waited to resolve it', async () => {
    const { cache, clock, refId, tell } = await untoldSource()
    const waiting = cache.resolve(refId, { actor: AGENT, wait: '1m' }).catch((error: unknown) => error)
    await clock.advance(0)
    tell()
    await clock.advance(0)
    expect(await waiting).toMatchObject({ code: 'permission_denied' })
    expect(await cache.resolve(refId, { actor: USER })).toEqual(['hunter2'])
  })

  it.each([
    ['whose caller took the handle', 0],
    // Nothing else would notice it: so soon after its start it is not looked at again before the handler begins.
    ['whose caller waits', undefined],
  ])(
    'does not begin where its process lost it meanwhile: what it is made of could not be written; %s',
    async (_, asyncTimeout) => {
      const store = memoryStore()
      const { cache, clock } = scene({ store })
      const secret = await cache.set('salary', 'hunter2', { policy: { agent: Permission.EXECUTE } })
      const inner = await cache.set('inner', [secret.refId])
      const handler = vi.fn(({ of }: { of: unknown }) => of as string[])
      // News of other processes comes late.
      store.watch = () => () => {}
      const read = store.read.bind(store)
      let taken: RefId | undefined
      store.read = async (refId, payload) => {
        // Another process takes the task over while its input is filled.
        const [entry] = await store.list({ cacheName: 't', statuses: ['processing'] })
        if (refId === inner.refId && entry && 'lease' in entry) {
          const stolen = { ...entry, lease: { ...entry.lease, owner: 'other/1' }, version: entry.version + 1 }
          expect(await store.update(stolen, entry.version)).toBe(true)
          taken = entry.refId
        }
        return read(refId, payload)
      }
      const tool = cache.cached({ name: 'use', asyncTimeout, resolveRefs: 'deep' }, handler)
      void tool({ of: inner.refId })
      await clock.advance(0)
      expect(handler).not.toHaveBeenCalled()
      expect(taken).toBeDefined()
      expect(await store.get(taken as RefId)).not.toHaveProperty('derivedFrom')
    },
  )
})
