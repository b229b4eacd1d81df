import { type Entry, isExpired, type RemovedEntry } from '../../core/entry.ts'
import { cacheNameOf, type RefId } from '../../core/ref.ts'
import type { Claim, ListFilter, Payload, PayloadChanges, Place, Store } from '../../stores/store.ts'
import { assertSame, bytesOf, complete, NOW, next, pending, refIdOf } from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

const IN_FLIGHT = ['pending', 'processing'] as const
const STEPS = 300
const CACHES = ['files', 'files2']
const NAMESPACES = ['public', 'user:a', 'user:雪']
const KEYS = ['k1', 'k2', 'k3', undefined]

export const modelCases: readonly StoreCase[] = [1, 2, 3].map(seed => ({
  title: `does what a naive model does, step by step (seed ${seed})`,
  async run({ store, secondHandle }) {
    const handles = secondHandle ? [store, await secondHandle()] : [store]
    const model = new Model()
    const random = randomFrom(seed)
    for (let step = 0; step < STEPS; step++) {
      const handle = handles[random(handles.length)]!
      const play = nextPlay(random, model, step)
      assertSame(await play(handle), await play(model))
    }
    for (const cacheName of CACHES) {
      const entries = await model.list({ cacheName, limit: STEPS })
      assertSame(await store.list({ cacheName, limit: STEPS }), entries)
      for (const { refId } of entries) await compareParts(store, model, refId)
    }
  },
}))

type Played = Pick<Store, 'claim' | 'get' | 'read' | 'update' | 'delete' | 'list' | 'clear' | 'prune'>
type Play = (store: Played) => Promise<unknown>
type Random = (below: number) => number

function nextPlay(random: Random, model: Model, step: number): Play {
  const pick = <T>(from: readonly T[]): T => from[random(from.length)]!
  const now = NOW + step
  const known = [...model.entries.values()]
  const some = known.length > 0 ? pick(known) : pending()
  const cacheName = pick(CACHES)
  const key = pick(KEYS)
  // As real keys are: those of two caches never meet.
  const keyIn = (cacheName: string) => key && `${cacheName} ${key}`
  const createdAt = now - random(3)
  const fields = {
    namespace: pick(NAMESPACES),
    key: keyIn(cacheName),
    expiresAt: now + random(40),
    createdAt,
  }
  const parts: PayloadChanges = pick<PayloadChanges>([
    {},
    { value: bytesOf(`value ${step}`) },
    { input: undefined },
    { input: bytesOf(`input ${step}`), value: undefined },
  ])
  const roll = random(20)
  if (roll < 8) {
    const refId = refIdOf(cacheName, random(2 ** 31) * 1000 + step)
    const draft = random(2)
      ? complete({ ...fields, refId })
      : pending({ ...fields, refId, expiresAt: undefined })
    return store => store.claim(draft, now, parts)
  }
  if (roll < 13) {
    const changed = next<Entry>(
      some,
      random(2) ? { key: keyIn(cacheNameOf(some.refId)) } : { namespace: fields.namespace },
    )
    const expectedVersion = some.version - (random(5) === 0 ? 1 : 0)
    return store => store.update(changed, expectedVersion, parts)
  }
  if (roll < 15) return store => store.get(some.refId)
  if (roll < 16) return store => store.delete(some.refId)
  if (roll < 17) return store => inOrder(store.prune(now, 1000))
  if (roll === 17 && random(5) === 0) return store => inOrder(store.clear(cacheName, fields.namespace))
  const after = { namespace: fields.namespace, after: some, limit: 1 + random(5) }
  const newestFirst = random(2) === 0
  const filter = { cacheName, newestFirst, ...(random(2) ? after : { statuses: IN_FLIGHT }) }
  return store => store.list(filter)
}

/** Removed entries come in any order. */
async function inOrder(removed: Promise<RemovedEntry[]>): Promise<RemovedEntry[]> {
  return (await removed).sort((a, b) => (a.refId < b.refId ? -1 : 1))
}

async function compareParts(store: Store, model: Model, refId: RefId): Promise<void> {
  for (const part of ['input', 'value'] as const) {
    const [actual, expected] = [await store.read(refId, part), await model.read(refId, part)]
    assertSame(actual && Buffer.from(actual).toString(), expected && Buffer.from(expected).toString())
  }
}

/** The contract at its plainest: two maps, no bounds, no concern for speed. */
class Model implements Played {
  readonly entries = new Map<RefId, Entry>()
  readonly #holders = new Map<string, RefId>()
  readonly #parts = new Map<string, Uint8Array>()

  async claim(draft: Entry, now: number, parts: PayloadChanges = {}): Promise<Claim> {
    const holder = this.entries.get(this.#holders.get(draft.key ?? '') ?? '')
    if (holder && !isExpired(holder, now)) return { won: false, entry: holder }
    if (draft.key) this.#holders.set(draft.key, draft.refId)
    this.#write(draft, parts)
    return { won: true, entry: draft }
  }

  async get(refId: RefId): Promise<Entry | undefined> {
    return this.entries.get(refId)
  }

  async read(refId: RefId, part: Payload): Promise<Uint8Array | undefined> {
    return this.#parts.get(`${refId} ${part}`)
  }

  async update(entry: Entry, expectedVersion: number, parts: PayloadChanges = {}): Promise<boolean> {
    const { refId, key } = entry
    const taken = key && this.#holders.has(key) && this.#holders.get(key) !== refId
    if (this.entries.get(refId)?.version !== expectedVersion || taken) return false
    this.#release(refId)
    if (key) this.#holders.set(key, refId)
    this.#write(entry, parts)
    return true
  }

  async delete(refId: RefId): Promise<boolean> {
    this.#release(refId)
    for (const part of ['input', 'value']) this.#parts.delete(`${refId} ${part}`)
    return this.entries.delete(refId)
  }

  async list(filter: ListFilter): Promise<Entry[]> {
    const { cacheName, namespace, statuses, after, limit = 100 } = filter
    const direction = filter.newestFirst ? -1 : 1
    const compare = (a: Place, b: Place) =>
      direction * (a.createdAt - b.createdAt || (a.refId < b.refId ? -1 : a.refId > b.refId ? 1 : 0))
    return [...this.entries.values()]
      .sort(compare)
      .filter(entry => entry.refId.startsWith(`${cacheName}:`) && (!after || compare(entry, after) > 0))
      .filter(entry => namespace === undefined || entry.namespace === namespace)
      .filter(entry => statuses === undefined || statuses.includes(entry.status))
      .slice(0, limit)
  }

  async clear(cacheName: string, namespace: string): Promise<RemovedEntry[]> {
    return this.#deleteAll(await this.list({ cacheName, namespace, limit: STEPS }))
  }

  async prune(now: number): Promise<RemovedEntry[]> {
    return this.#deleteAll([...this.entries.values()].filter(entry => isExpired(entry, now)))
  }

  async #deleteAll(entries: Entry[]): Promise<RemovedEntry[]> {
    for (const { refId } of entries) await this.delete(refId)
    return entries.map(({ refId, namespace, toolName }) => ({
      refId,
      namespace,
      ...(toolName === undefined ? {} : { toolName }),
    }))
  }

  #write(entry: Entry, parts: PayloadChanges): void {
    this.entries.set(entry.refId, entry)
    for (const [part, bytes] of Object.entries(parts)) {
      if (bytes) this.#parts.set(`${entry.refId} ${part}`, bytes)
      else this.#parts.delete(`${entry.refId} ${part}`)
    }
  }

  #release(refId: RefId): void {
    for (const [key, holder] of this.#holders) if (holder === refId) this.#holders.delete(key)
  }
}

/** mulberry32: the same numbers for the same seed, everywhere. */
function randomFrom(seed: number): Random {
  let state = seed
  return below => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}
