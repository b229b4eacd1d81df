import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { InvalidArgument, NotFound, PermissionDenied, TaskNotReady } from '../../../src/core/errors.ts'
import type { SetOptions } from '../../../src/flow/call/set.ts'
import { scene } from './scene.ts'

const ada = actor.user({ id: 'ada' })
const bob = actor.user({ id: 'bob' })

describe('a cache as one actor', () => {
  it('asks as that actor, in every method', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', 1, { policy: { owner: 'user:ada', user: 0, agent: 0 } })
    const [hers, his] = [cache.as(ada), cache.as(bob)]
    expect(await hers.get(refId)).toMatchObject({ value: 1 })
    expect(await hers.resolve(refId)).toBe(1)
    expect(await hers.exists(refId)).toBe(true)
    expect(await hers.taskStatus(refId)).toMatchObject({ status: 'complete' })
    expect(await his.exists(refId)).toBe(false)
    for (const ask of [
      his.get(refId),
      his.resolve(refId),
      his.taskStatus(refId),
      his.cancelTask(refId),
      his.retryTask(refId),
      his.answerTask(refId, {}),
      his.watch(refId, () => {}),
      his.delete(refId),
    ]) {
      await expect(ask).rejects.toThrow(NotFound)
    }
    expect(await hers.delete(refId)).toBe(true)
  })

  it('cannot be talked into another one', async () => {
    const { cache } = scene()
    const options = { actor: actor.system() } as never
    expect(() => cache.as(ada).get('t:0', options)).toThrow(InvalidArgument)
    expect(() => cache.as({ type: 'root' } as never)).toThrow(InvalidArgument)
  })

  it('deletes what it put in, and nobody else does', async () => {
    const { cache } = scene()
    const { refId } = await cache.as(ada).set('v', 1, { policy: AccessPolicy.readOnly })
    await expect(cache.as(bob).delete(refId)).rejects.toThrow(PermissionDenied)
    expect(await cache.as(ada).delete(refId)).toBe(true)
    await expect(cache.as(ada).delete(refId)).rejects.toThrow(NotFound)
    const host = cache.as(actor.system())
    expect(await host.delete((await host.set('v', 1)).refId)).toBe(true)
  })
})

describe('without an actor, set and delete are one hand: the host program', () => {
  it.each<[string, SetOptions]>([
    ['by default', {}],
    ['under a policy', { policy: AccessPolicy.readOnly }],
    ['that nobody else may know of', { policy: { user: 0, agent: 0, owner: 'user:ada' } }],
    ['in the namespace of a user', { namespace: 'user:ada' }],
    ['for an actor', { actor: ada }],
  ])('what was put in %s', async (_, options) => {
    const { cache } = scene()
    const { refId } = await cache.set('v', 1, options)
    expect(await cache.delete(refId)).toBe(true)
    expect(await cache.exists(refId, { actor: actor.system() })).toBe(false)
    await expect(cache.delete(refId)).rejects.toThrow(NotFound)
  })

  it('and an anonymous agent is another one', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', 1)
    for (const who of ['agent', actor.agent(), actor.agent({ id: 'x' })] as const) {
      await expect(cache.delete(refId, { actor: who })).rejects.toThrow(PermissionDenied)
      await expect(cache.as(who).delete(refId)).rejects.toThrow(PermissionDenied)
    }
    expect(await cache.exists(refId)).toBe(true)
  })
})

describe('what is not finished', () => {
  it('is not ready: to resolve, or to retry', async () => {
    const { cache } = scene()
    const tool = cache.cached({ name: 'slow', asyncTimeout: 0 }, () => new Promise(() => {}))
    const { refId } = await tool()
    await expect(cache.resolve(refId)).rejects.toThrow(TaskNotReady)
    await expect(cache.retryTask(refId)).rejects.toMatchObject({ code: 'task_not_ready' })
  })
})
