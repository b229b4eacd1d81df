import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { type Actor, actor } from '../../src/access/actor.ts'
import { Permission } from '../../src/access/permission.ts'
import type { CachedTool } from '../../src/flow/call/options.ts'
import { RefCache } from '../../src/ref-cache.ts'
import { FakeClock } from '../../src/testing/fake-clock.ts'
import { Gates } from './attacks/gates.ts'
import { STORES, type StoreKind } from './attacks/stores.ts'

/** What one actor does is no other actor's affair: whatever Alice does, Bob sees what he would have seen without her. */

const BOB = actor.agent({ id: 'bob' })

/** Alice, as all that she may come as; none of them is inside of Bob's namespace. */
const ALICES: readonly Actor[] = [
  actor.agent({ id: 'alice' }),
  actor.user({ id: 'alice' }),
  actor.agent({ id: 'alice', sessionId: 'bob', orgs: ['bob'] }),
  actor.agent({ sessionId: 'bob' }),
  actor.user(),
  actor.agent(),
]

interface World {
  readonly cache: RefCache
  readonly tools: ReadonlyMap<string, CachedTool<Record<string, unknown>, unknown>>
  readonly gates: Gates
  close(): Promise<void>
}

async function openWorld(kind: StoreKind): Promise<World> {
  const { store, remove } = await kind.open()
  const cache = new RefCache({ name: 'v', store, clock: new FakeClock() })
  const gates = new Gates()
  const handlers: Record<string, (input: Record<string, unknown>) => unknown> = {
    echo: ({ value }) => value ?? null,
    hold: async ({ value }) => {
      await gates.pass('held')
      return value ?? null
    },
    fail: ({ value }) => {
      throw new Error(`no luck with ${JSON.stringify(value)}`)
    },
  }
  const tools = new Map(
    Object.entries(handlers).map(([name, handler]) => [
      name,
      cache.cached<Record<string, unknown>>({ name }, handler),
    ]),
  )
  return {
    ...{ cache, tools, gates },
    async close() {
      gates.openAll()
      await cache.close()
      await remove()
    },
  }
}

/** Bob's things: values and tasks in every state, private ones, and ones that others may use or read. */
async function settle({ cache, tools }: World): Promise<string[]> {
  const namespace = 'user:bob'
  const options = { actor: BOB, namespace, asyncTimeout: 0 } as const
  const { READ, EXECUTE } = Permission
  const value = await cache.set('value', { rows: [1, 2, 3], note: 'private' }, { namespace })
  const values = [
    value,
    await cache.set(
      'long',
      Array.from({ length: 600 }, (_, n) => ({ n })),
      { namespace },
    ),
    await cache.set('usable', [7], { policy: { user: EXECUTE, agent: EXECUTE } }),
    await cache.set('readable', [8], { policy: { user: READ, agent: READ } }),
  ]
  const tasks = []
  for (const [tool, input] of [
    ['echo', { value: [value.refId] }],
    ['echo', { value: values[2]?.refId }],
    ['hold', { value: 1 }],
    ['hold', { value: 2 }],
    ['fail', { value: 3 }],
  ] as const) {
    const answer = await tools.get(tool)?.(input, options)
    tasks.push(answer?.refId ?? '')
  }
  await cache.cancelTask(tasks[3] ?? '', { actor: BOB })
  for (const index of [0, 1, 4])
    await cache.get(tasks[index] ?? '', { actor: BOB, wait: '1m' }).catch(() => {})
  return [...values.map(({ refId }) => refId), ...tasks]
}

/** All that Bob can learn of his things, and what his calls of before answer now. */
async function viewOf({ cache, tools }: World, refIds: readonly string[]): Promise<string> {
  const seen: unknown[] = []
  const note = async (ask: () => Promise<unknown>) => {
    seen.push(await ask().catch(error => ({ code: error.code, message: error.message })))
  }
  for (const refId of refIds) {
    for (const asking of [{}, { page: 2 }, { full: true }, { responseFormat: 'full' as const }]) {
      await note(() => cache.get(refId, { actor: BOB, ...asking }))
    }
    await note(() => cache.taskStatus(refId, { actor: BOB }))
    await note(() => cache.resolve(refId, { actor: BOB }))
    await note(() => cache.resolve(refId, { actor: BOB, permission: Permission.EXECUTE }))
    await note(() => cache.exists(refId, { actor: BOB }))
  }
  const options = { actor: BOB, namespace: 'user:bob', asyncTimeout: 0 } as const
  for (const value of [[refIds[0]], refIds[2]])
    await note(async () => tools.get('echo')?.({ value }, options))
  await note(async () => tools.get('hold')?.({ value: 1 }, options))
  return JSON.stringify(seen)
}

type Wish =
  | { act: 'get' | 'cancel' | 'retry' | 'delete' | 'resolve' | 'exists' | 'status'; who: number; ref: number }
  | { act: 'set' | 'call'; who: number; tool: string; namespace: string; memoize: boolean; value: unknown }

/** Stands for the reference of this number among those that Alice knows. */
const reference = fc.nat({ max: 30 }).map(number => ({ $reference: number }))

const { value: anyValue } = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    reference,
    fc.constantFrom(1, 2, 3, 'text', null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'value', '__proto__'), tie('value'), { maxKeys: 2 }),
  ),
}))

const who = fc.nat({ max: ALICES.length - 1 })
const wish: fc.Arbitrary<Wish> = fc.oneof(
  fc.record({
    act: fc.constantFrom('get', 'cancel', 'retry', 'delete', 'resolve', 'exists', 'status'),
    who,
    ref: fc.nat({ max: 30 }),
  }),
  fc.record({
    act: fc.constantFrom('set', 'call'),
    who,
    tool: fc.constantFrom('echo', 'hold', 'fail'),
    namespace: fc.constantFrom(
      'public',
      'user:alice',
      'user:bob',
      'user:bob:session:bob',
      'session:bob',
      'org:bob',
    ),
    memoize: fc.boolean(),
    value: anyValue,
  }),
)

/** Alice knows all of Bob's references, a made-up one, and whatever she is told on the way. */
async function actOut({ cache, tools }: World, wishes: readonly Wish[], known: string[]): Promise<void> {
  const pick = (number: number) => known[number % known.length] ?? ''
  for (const step of wishes) {
    const actor = ALICES[step.who] as Actor
    const told = await perform(step, actor).catch(error => error)
    known.push(...(JSON.stringify(told)?.match(/v:[0-9a-f]{32}/g) ?? []))
  }

  async function perform(step: Wish, actor: Actor): Promise<unknown> {
    switch (step.act) {
      case 'set':
        return cache.set('hers', filled(step.value, pick), { actor, namespace: step.namespace })
      case 'call': {
        const { namespace, memoize } = step
        const input = { value: filled(step.value, pick) }
        return tools.get(step.tool)?.(input, { actor, namespace, memoize, asyncTimeout: 0 })
      }
      case 'get':
        return cache.get(pick(step.ref), { actor, responseFormat: 'full' })
      case 'status':
        return cache.taskStatus(pick(step.ref), { actor })
      case 'cancel':
        return cache.cancelTask(pick(step.ref), { actor })
      case 'retry':
        return cache.retryTask(pick(step.ref), { actor })
      case 'delete':
        return cache.delete(pick(step.ref), { actor })
      case 'resolve':
        return cache.resolve(pick(step.ref), { actor })
      case 'exists':
        return cache.exists(pick(step.ref), { actor })
    }
  }
}

function filled(value: unknown, pick: (number: number) => string): unknown {
  if (Array.isArray(value)) return value.map(member => filled(member, pick))
  if (typeof value !== 'object' || value === null) return value
  if ('$reference' in value) return pick(value.$reference as number)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member, pick)]))
}

const [memory, sqlite] = STORES as readonly [StoreKind, StoreKind]

/** So many random sequences on each store. */
export function noInterference(runs: { readonly memory: number; readonly sqlite: number }): void {
  afterAll(() => Promise.all([memory, sqlite].map(store => store.end())))
  describe.for([
    { store: memory, numRuns: runs.memory },
    { store: sqlite, numRuns: runs.sqlite },
  ])('on $store.name', ({ store, numRuns }) => {
    it('no sequence of operations by one actor changes what an unrelated one sees', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(wish, { maxLength: 20 }), async wishes => {
          const world = await openWorld(store)
          try {
            const things = await settle(world)
            const before = await viewOf(world, things)
            await actOut(world, wishes, [...things, `v:${randomBytes(16).toString('hex')}`])
            expect(await viewOf(world, things)).toBe(before)
          } finally {
            await world.close()
          }
        }),
        { numRuns },
      )
    }, 120_000)
  })
}
