import { afterEach, describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { weightOf } from '../../../src/core/weight.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { deferred, scene } from './scene.ts'

const caches: RefCache[] = []
function open(options?: Parameters<typeof scene>[0]) {
  const made = scene(options)
  caches.push(made.cache)
  return made
}
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

const MIB = 1024 * 1024
const agent = actor.agent({ id: 'claude-1' })
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )

describe('the weight of a JSON text', () => {
  it('counts what takes memory, and nothing within strings', () => {
    const empty = JSON.stringify(Array.from({ length: 1_000 }, () => ({})))
    expect(weightOf(empty)).toBeGreaterThan(60 * 1_000)
    for (const text of ['[{,:', '\\"[{,:', '"', '\\', '\\\\"[']) {
      const json = JSON.stringify(text)
      expect(weightOf(json), json).toBe(json.length)
    }
    expect(weightOf('{"a":[1,"b:{"]}')).toBe(15 + 2 * 48 + 2 * 16)
    expect(weightOf('"not closed')).toBe(11)
  })
})

describe('a filled input', () => {
  const many = Array.from({ length: 20_000 }, () => ({}))

  it('that is small to write and large to hold is refused before it is made', async () => {
    const { cache } = open()
    const { refId } = await cache.set('many', many)
    const count = cache.cached({ name: 'count' }, (input: { all: unknown[] }) => input.all.length)
    expect(await codeOf(count({ all: Array(1_118).fill(refId) }))).toBe('value_too_large')
    expect(await count({ all: Array(10).fill(refId) })).toMatchObject({ value: 10 })
    const list = await cache.set('list', Array(1_000).fill(refId))
    const deep = cache.cached(
      { name: 'deep', resolveRefs: 'deep' },
      (input: { all: unknown[] }) => input.all.length,
    )
    expect(await codeOf(deep({ all: [list.refId] }))).toBe('value_too_large')
  })

  it('of texts that an argument wants as the JSON they are counts as that JSON', async () => {
    const { cache } = open()
    const { refId } = await cache.set('many', JSON.stringify(many))
    const inputJsonSchema = { properties: { all: { items: { type: 'array' } } } }
    const count = cache.cached(
      { name: 'count', inputJsonSchema },
      (input: { all: unknown[] }) => input.all.length,
    )
    expect(await codeOf(count({ all: Array(1_118).fill(refId) }))).toBe('value_too_large')
    expect(await count({ all: Array(10).fill(refId) })).toMatchObject({ value: 10 })
  })

  it('of references in very many places is refused, however small the value is', async () => {
    const { cache } = open()
    const { refId } = await cache.set('one', 1)
    const count = cache.cached({ name: 'count' }, (input: { all: unknown[] }) => input.all.length)
    expect(await codeOf(count({ all: Array(10_001).fill(refId) }))).toBe('invalid_argument')
    expect(await count({ all: Array(10_000).fill(refId) })).toMatchObject({ value: 10_000 })
  })

  it('of one value that takes more than the memory for inputs is refused', async () => {
    const { cache } = open({ maxInputMemoryBytes: MIB })
    const { refId } = await cache.set('many', many)
    const tool = cache.cached({ name: 'tool' }, () => 1)
    expect(await codeOf(tool({ refId } as never))).toBe('value_too_large')
  })

  it('has a copy for each place, or one for all where its handler only reads', async () => {
    const { cache } = open()
    const { refId } = await cache.set('list', [1])
    const same = ({ a, b }: { a: unknown; b: unknown }) => a === b
    const input = { a: refId, b: refId }
    expect(await cache.cached({ name: 'own' }, same)(input)).toMatchObject({ value: false })
    const shared = cache.cached({ name: 'shared', sharedInput: true }, same)
    expect(await shared(input)).toMatchObject({ value: true })
  })

  it('that is shared takes the memory of one copy, and no more characters than any', async () => {
    const { cache } = open({ maxInputBytes: MIB, maxInputMemoryBytes: 2 * MIB })
    const { refId } = await cache.set('many', many)
    const options = { name: 'shared', sharedInput: true, memoize: false }
    const tool = cache.cached(options, ({ all }: { all: unknown[] }) => all.length)
    expect(await tool({ all: Array(10).fill(refId) })).toMatchObject({ value: 10 })
    expect(await codeOf(tool({ all: Array(20).fill(refId) }))).toBe('value_too_large')
  })

  it('cannot change what is cached, shared or not', async () => {
    const { cache } = open()
    const { refId } = await cache.set('list', [[1]])
    for (const sharedInput of [false, true]) {
      const spoil = cache.cached({ name: 'spoil', replace: true, sharedInput, memoize: false }, ({ list }) =>
        (list as unknown as number[][])[0]?.push(2),
      )
      await spoil({ list: refId } as never)
      expect(await cache.resolve(refId)).toEqual([[1]])
    }
  })
})

describe('the memory for filled inputs', () => {
  /** Values of about 0.6 MiB each, of which two fit. */
  async function crowd(options: { maxRetries?: number } = {}) {
    const { cache, clock } = open({ maxInputMemoryBytes: 1_500_000 })
    const { refId } = await cache.set('text', 'x'.repeat(0.3 * MIB))
    const begun: number[] = []
    const gates: Array<() => void> = []
    const tool = cache.cached(
      { name: 'tool', asyncTimeout: 0, ...options },
      async ({ n }: { n: number; text: string }) => {
        begun.push(n)
        const gate = deferred<void>()
        gates[n] = () => gate.resolve()
        await gate.promise
      },
    )
    const start = async (n: number) => {
      const { refId: task } = await tool({ n, text: refId })
      await clock.advance(0)
      return task
    }
    return { cache, clock, begun, gates, start }
  }

  it('is shared by all: who finds none waits until another one ends', async () => {
    const { clock, begun, gates, start } = await crowd()
    for (const n of [1, 2, 3, 4]) await start(n)
    expect(begun).toEqual([1, 2])
    gates[1]?.()
    await clock.advance(0)
    expect(begun).toEqual([1, 2, 3])
  })

  it('is refused to who waits too long, and the next one may have it', async () => {
    const { cache, clock, begun, gates, start } = await crowd()
    const tasks = [await start(1), await start(2), await start(3)]
    await clock.advance('31s')
    expect(await cache.get(tasks[2] ?? '')).toMatchObject({ status: 'failed', errorCode: 'queue_full' })
    gates[1]?.()
    await clock.advance(0)
    await start(4)
    expect(begun).toEqual([1, 2, 4])
  })

  it('is given back by what was cancelled, when it has really ended', async () => {
    const { cache, clock, begun, gates, start } = await crowd()
    const tasks = [await start(1), await start(2), await start(3)]
    await cache.cancelTask(tasks[0] ?? '')
    await clock.advance(0)
    expect(begun).toEqual([1, 2])
    gates[1]?.()
    await clock.advance(0)
    expect(begun).toEqual([1, 2, 3])
  })

  it('does not keep small inputs waiting', async () => {
    const { cache, clock, begun, start } = await crowd()
    for (const n of [1, 2, 3]) await start(n)
    const { refId } = await cache.set('small', 'text')
    const small = cache.cached({ name: 'small' }, ({ text }: { text: string }) => text)
    expect(await small({ text: refId })).toMatchObject({ value: 'text' })
    await clock.advance(0)
    expect(begun).toEqual([1, 2])
  })

  it('does not let inputs wait for each other for ever: the first of them goes on', async () => {
    const { cache, clock } = open({ maxInputMemoryBytes: MIB })
    const refIds = await Promise.all(
      [1, 2, 3, 4].map(async n => (await cache.set('text', `${n}${'x'.repeat(0.15 * MIB)}`)).refId),
    )
    const tool = cache.cached({ name: 'tool', memoize: false }, ({ all }: { all: string[] }) => all.length)
    const calls = Array.from({ length: 8 }, () => tool({ all: refIds }))
    await clock.advance(0)
    for (const answer of await Promise.all(calls)) expect(answer).toMatchObject({ value: 4 })
  })
})

describe('the size of a value that the caller may not see', () => {
  /** What a caller hears of calls with more and more beside the value, and with the value more and more often. */
  async function measured(length: number) {
    const { cache } = open({ maxInputBytes: 100_000, preview: { sizeMode: 'character' } })
    const { refId } = await cache.set('secret', 'x'.repeat(length), { policy: AccessPolicy.executeOnly })
    const hold = { name: 'hold', resolveRefs: false, memoize: false, policy: AccessPolicy.public } as const
    const store = cache.cached(hold, (value: unknown) => value as never)
    const tool = cache.cached({ name: 'tool', memoize: false }, () => 1)
    const told: Array<string | undefined> = []
    const hear = async (input: unknown) => told.push(await codeOf(tool(input as never, { actor: agent })))
    for (let n = 1; n < 40; n++) {
      const own = await cache.set('own', 'y'.repeat(n * 3_000))
      await hear([own.refId, refId])
      await hear(Array(n).fill(refId))
      const around = await store(['y'.repeat(n * 3_000), refId] as never, { actor: agent })
      await hear(around.refId)
      const often = await store(Array(n).fill(refId) as never, { actor: agent })
      await hear([often.refId])
      await hear([often.refId, often.refId])
    }
    return told
  }

  it('is not told by what fits beside it', async () => {
    const [small, large] = [await measured(10), await measured(6_000)]
    expect(small).toEqual(large)
    expect(new Set(small)).toContain('done')
    expect(new Set(small).size).toBeGreaterThan(1)
  })
})
