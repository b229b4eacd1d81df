import { describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { type Ask, actorsLook, jsonOf, operatorLooks } from './looking.ts'

const ADA = actor.user('ada')
const BOB = actor.user('bob')

/** A tool that makes a list of the lists that it is given. */
function joinIn(cache: RefCache) {
  const join = cache.cached({ name: 'join', memoize: false }, ({ lists }: { lists: unknown[][] }) =>
    lists.flat(),
  )
  return async (refs: readonly string[], who = ADA) =>
    (await join({ lists: refs as never }, { actor: who })).refId
}

async function graph(ask: Ask, ref: string) {
  const { nodes, edges, more } = await jsonOf(ask(`api/graph?ref=${ref}`))
  const levels = Object.fromEntries(
    nodes.map(({ ref: one, level }: { ref: string; level: number }) => [one, level]),
  )
  return { nodes, levels, edges, more }
}

describe('the graph of what was made of what', () => {
  it('has inputs, questions, edits and guards, and both sides of one that has both', async () => {
    const { cache, ask } = operatorLooks()
    const join = joinIn(cache)
    const source = (await cache.set('source', [{ n: 1 }, { n: 2 }], { actor: ADA, namespace: 'user:ada' }))
      .refId
    const other = (await cache.set('other', [3], { actor: ADA })).refId
    const joined = await join([source, other])
    const found = (await cache.query(joined, { search: '2', actor: ADA })).refId
    const edited = (await cache.edit(joined, [{ op: 'remove', path: '/0' }], { actor: ADA })).refId
    const last = await join([edited, other])
    const { nodes, levels, edges, more } = await graph(ask, joined)
    expect(levels).toEqual({ [joined]: 0, [source]: -1, [other]: -1, [found]: 1, [edited]: 1, [last]: 2 })
    expect(nodes).toContainEqual({ ref: other, label: 'other', status: 'complete', level: -1 })
    expect(nodes).toContainEqual({ ref: last, tool: 'join', status: 'complete', level: 2 })
    expect(edges).toHaveLength(6)
    expect(edges).toEqual(
      expect.arrayContaining([
        { from: source, to: joined, how: 'input' },
        { from: joined, to: found, how: 'guard' },
        { from: joined, to: edited, how: 'input' },
        { from: edited, to: last, how: 'input' },
        { from: other, to: joined, how: 'input' },
        { from: other, to: last, how: 'input' },
      ]),
    )
    expect(more).toBeUndefined()
    // From its end all of it is upwards, the nearest way.
    const up = await graph(ask, last)
    expect(up.levels).toEqual({ [last]: 0, [edited]: -1, [other]: -1, [joined]: -2, [source]: -3 })
    expect(up.edges).toContainEqual({ from: other, to: joined, how: 'input' })
  })

  it('has what was asked of a value while it grew', async () => {
    const { cache, clock, ask } = operatorLooks()
    const grow = cache.cached({ name: 'grow', asyncTimeout: 0, memoize: false }, async (_: object, task) => {
      await task.append([{ n: 1 }])
      return new Promise(() => {})
    })
    const { refId } = await grow({})
    await clock.advance('1s')
    const answer = await cache.query(refId, { search: '1' })
    expect((await graph(ask, refId)).levels).toEqual({ [refId]: 0, [answer.refId]: 1 })
    expect((await jsonOf(ask(`api/entry?ref=${answer.refId}`))).uses).toMatchObject([{ ref: refId }])
    const { entries } = await jsonOf(ask('api/entries?find=grow'))
    expect(entries).toMatchObject([{ ref: refId, usedBy: 1, may: expect.arrayContaining(['read']) }])
  })

  it('ends after three steps and sixty entries, and says how many it leaves out', async () => {
    const { cache, ask } = operatorLooks()
    const join = joinIn(cache)
    const chain = [(await cache.set('first', [1])).refId]
    for (let step = 0; step < 8; step++) chain.push(await join([chain.at(-1) as string]))
    const middle = await graph(ask, chain[4] as string)
    expect(Object.values(middle.levels)).toEqual([0, -1, 1, -2, 2, -3, 3])
    expect(middle.more).toBe(2)
    const hub = (await cache.set('hub', [1])).refId
    for (let n = 0; n < 80; n++) await join([hub])
    const around = await graph(ask, hub)
    expect([around.nodes.length, around.edges.length, around.more]).toEqual([60, 59, 21])
    const low = await graph(ask, await join([hub, ...chain.slice(0, 4)]))
    expect(low.nodes.length).toBeLessThanOrEqual(60)
    expect((await ask('api/graph')).status).toBe(400)
    expect((await ask(`api/graph?ref=t:${'0'.repeat(32)}`)).status).toBe(404)
  })

  it('has for an actor what it had made, or had given as input, and ends where others went on', async () => {
    const known = { ada: ADA, bob: BOB } as const
    const { cache, as } = actorsLook(({ headers }) => known[headers.get('who') as 'ada' | 'bob'])
    const join = joinIn(cache)
    const source = (await cache.set('source', [1], { actor: ADA })).refId
    const adas = await join([source], ADA)
    const bobs = await join([adas], BOB)
    const again = await join([bobs], ADA)
    const bob = await graph(as('bob'), bobs)
    // Bob gave Ada's list himself; what that was made of, and what Ada made of his, is hers.
    expect(bob.levels).toEqual({ [bobs]: 0, [adas]: -1 })
    expect(bob.more).toBeUndefined()
    const ada = await graph(as('ada'), source)
    // The step over Bob's is not told, so nothing beyond it is.
    expect(ada.levels).toEqual({ [source]: 0, [adas]: 1 })
    // What she had made is told wherever it turns up.
    expect((await graph(as('ada'), again)).levels).toEqual({
      [again]: 0,
      [bobs]: -1,
      [adas]: -2,
      [source]: -3,
    })
  })

  it('does not tell an actor of what it may not know', async () => {
    const { cache, as } = actorsLook(() => BOB)
    const { refId } = await cache.set('hidden', [1], { namespace: 'user:ada' })
    const [one, other] = await Promise.all(
      [refId, `t:${'0'.repeat(32)}`].map(ref => as('')(`api/graph?ref=${ref}`)),
    )
    expect([one?.status, await one?.text()]).toEqual([other?.status, await other?.text()])
  })
})
