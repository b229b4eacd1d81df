import { describe, expect, it } from 'vitest'
import { InvalidArgument } from '../../../src/core/errors.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { deferred, scene } from './scene.ts'

/** What a program without types could write. */
const wrong: never = { actr: 'user' } as never

describe('a misspelled option', () => {
  const acts: Record<string, (cache: RefCache, refId: string) => unknown> = {
    get: (cache, refId) => cache.get(refId, wrong),
    resolve: (cache, refId) => cache.resolve(refId, wrong),
    exists: (cache, refId) => cache.exists(refId, wrong),
    delete: (cache, refId) => cache.delete(refId, wrong),
    taskStatus: (cache, refId) => cache.taskStatus(refId, wrong),
    cancelTask: (cache, refId) => cache.cancelTask(refId, wrong),
    retryTask: (cache, refId) => cache.retryTask(refId, wrong),
    answerTask: (cache, refId) => cache.answerTask(refId, {}, wrong),
    watch: (cache, refId) => cache.watch(refId, wrong, () => {}),
    list: cache => cache.list(wrong),
    listTasks: cache => cache.listTasks(wrong),
    stats: cache => cache.stats(wrong),
    set: cache => cache.set('v', 1, wrong),
    close: cache => cache.close(wrong),
    'a call': cache => cache.cached({ name: 'called', replace: true }, () => 1)({}, wrong),
    'a call for its value': cache =>
      cache.cached({ name: 'called', replace: true }, () => 1).value({}, wrong),
    cached: cache => cache.cached({ ...(wrong as object), name: 'tool' }, () => 1),
    'a preview': cache => cache.set('v', 1, { preview: wrong }),
  }

  it.each(Object.keys(acts))('of %s is refused', async name => {
    const { cache } = scene()
    const { refId } = await cache.set('v', 1)
    const act = async () => acts[name]?.(cache, refId)
    await expect(act()).rejects.toThrow(InvalidArgument)
    await expect(act()).rejects.toThrow(/has no option 'actr'/)
  })

  it('is answered with the one that was meant', async () => {
    const { cache } = scene()
    const { refId } = await cache.set('v', 1)
    await expect(cache.get(refId, wrong)).rejects.toThrow("`get` has no option 'actr'. Did you mean 'actor'?")
  })

  it('is no way to change a call that was made: nothing runs', async () => {
    const { cache } = scene()
    let runs = 0
    const tool = cache.cached({ name: 'tool' }, () => ++runs)
    await expect(tool({}, wrong)).rejects.toThrow("A call of 'tool' has no option")
    expect(runs).toBe(0)
  })
})

describe('two tools of one name', () => {
  it('are refused, and the first stays', async () => {
    const { cache } = scene()
    const first = cache.cached({ name: 'tool' }, () => 1)
    expect(() => cache.cached({ name: 'tool' }, () => 2)).toThrow(/There is a tool 'tool' already/)
    expect(await first.value()).toBe(1)
  })

  it('are one after the other with `replace`; what runs goes on with its own handler', async () => {
    const { cache, clock } = scene()
    const work = deferred<string>()
    const first = cache.cached({ name: 'tool', asyncTimeout: 0, memoize: false }, () => work.promise)
    const { refId } = await first()
    const second = cache.cached({ name: 'tool', replace: true, memoize: false }, () => 'second')
    expect(await second.value()).toBe('second')
    work.resolve('first')
    await clock.advance(0)
    expect(await cache.resolve(refId)).toBe('first')
  })
})

it('a missing handler is refused', () => {
  const { cache } = scene()
  expect(() => cache.cached({ name: 'tool' }, undefined as never)).toThrow("Tool 'tool' needs a handler")
})

it('an option that is undefined is as one that is absent', async () => {
  const { cache } = scene({ defaultTtl: undefined, preview: { maxSize: undefined } })
  const tool = cache.cached(
    {
      name: 'tool',
      ttl: undefined,
      memoize: undefined,
      hardTimeout: undefined,
      preview: { maxSize: undefined },
    },
    () => 1,
  )
  expect(await tool({}, { memoize: undefined })).toMatchObject({ value: 1 })
  expect(await cache.set('v', 1, { ttl: undefined, preview: { strategy: undefined } })).toHaveProperty(
    'expiresAt',
  )
})
