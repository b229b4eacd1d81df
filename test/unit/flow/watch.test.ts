import { describe, expect, it, vi } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { NotFound } from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import { scene } from './scene.ts'

async function watched(store: Store = memoryStore()) {
  const { cache, clock } = scene({ store })
  let task: TaskContext | undefined
  const tool = cache.cached({ name: 'slow', asyncTimeout: 0 }, (_: object, context: TaskContext) => {
    task = context
    return new Promise(() => {})
  })
  const { refId } = await tool({})
  await clock.advance(0)
  return { cache, clock, refId, task: task as unknown as TaskContext }
}

describe('watch', () => {
  it('calls for each change, up to the end and the removal, until it is ended', async () => {
    const { cache, clock, refId, task } = await watched()
    const onChange = vi.fn()
    const end = await cache.watch(refId, {}, onChange)
    expect(onChange).not.toHaveBeenCalled()
    const happened = async (what: () => unknown) => {
      onChange.mockClear()
      await what()
      await clock.advance(0)
      return onChange.mock.calls.length > 0
    }
    expect(await happened(() => {})).toBe(false)
    expect(await happened(() => task.progress(1, 2))).toBe(true)
    expect(await happened(() => cache.cancelTask(refId))).toBe(true)
    expect(await happened(() => cache.delete(refId, { actor: actor.system() }))).toBe(true)
    end()
    expect(await happened(() => clock.advance('5s'))).toBe(false)
  })

  it('sees what a store does not tell of, and is harmed by no store that is away and no listener that throws', async () => {
    const store = memoryStore()
    vi.spyOn(store, 'watch').mockReturnValue(() => {})
    const { cache, clock, refId } = await watched(store)
    const onChange = vi.fn(() => {
      throw new Error('the listener is broken')
    })
    const end = await cache.watch(refId, {}, onChange)
    const away = vi.spyOn(store, 'get').mockRejectedValue(new Error('away'))
    await clock.advance('5s')
    away.mockRestore()
    expect(onChange).not.toHaveBeenCalled()
    await cache.cancelTask(refId)
    await clock.advance('2s')
    expect(onChange).toHaveBeenCalledTimes(1)
    await clock.advance('10s')
    expect(onChange).toHaveBeenCalledTimes(1)
    end()
  })

  it('leaves no timer behind when it is ended', async () => {
    const { cache, clock, refId } = await watched()
    const before = clock.pending
    const ends = await Promise.all([cache.watch(refId, {}, () => {}), cache.watch(refId, {}, () => {})])
    expect(clock.pending).toBe(before + 2)
    for (const end of ends) end()
    expect(clock.pending).toBe(before)
  })

  it('is for whoever may know of the entry', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', 1, { namespace: 'user:ada' })
    const bob = actor.user({ id: 'bob' })
    await expect(cache.watch(refId, { actor: bob }, () => {})).rejects.toBeInstanceOf(NotFound)
    await expect(cache.watch('nonsense', {}, () => {})).rejects.toBeInstanceOf(NotFound)
  })
})
