import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { describeActor } from '../src/access/actor.ts'
import { actor, RefCache, type Store } from '../src/index.ts'
import { complete, pending } from '../src/testing/store-drafts.ts'
import { type Kind, refId, STORE_KINDS } from './filled-stores.ts'
import { alone, timed } from './pause.ts'
import { duration, type Row } from './row.ts'

const MANY = Number(process.env.MANY_ENTRIES ?? 1_000_000)
/** Which stores, of `memory`, `sqlite` and `redis`; all of them by default. */
const STORES = process.env.MANY_STORES?.split(',')
const FEW = 10_000
const LIVE = 100_000
const EXPIRED = 20_000
const CALLS = 1_000
const YEAR = 365 * 24 * 3_600_000
/** A folder for filled files, which the next run takes: filling one with a million entries takes a minute. */
const KEPT = process.env.MANY_FOLDER

/** What a store of a million entries costs beyond one of 10,000, and how long a process or a sweep holds up others. */
export async function manyEntriesBench(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [name, withStores] of Object.entries(STORE_KINDS)) {
    if (STORES && !STORES.includes(name)) continue
    rows.push(...(await withStores(2 * (MANY + LIVE), kind => compare(kind('few'), kind('many')))))
  }
  return rows
}

async function compare(few: Kind, many: Kind): Promise<Row[]> {
  const small = await measure(few, FEW)
  await small.store.close()
  const large = await measure(many, MANY)
  const { name } = many
  const against = (what: 'set' | 'get'): Row => ({
    what: `${name}: ${what}, of ${MANY.toLocaleString('en')} entries`,
    ours: duration(large[what]),
    against: `of ${FEW.toLocaleString('en')}: ${duration(small[what])}`,
    ratio: large[what] / small[what],
  })
  return [
    { what: `${name}: open, and the first get`, ours: duration(large.start) },
    against('set'),
    against('get'),
    ...(await steps(many, large.store)),
  ]
}

async function measure(kind: Kind, count: number) {
  await filled(kind, count)
  const now = Date.now()
  const begun = performance.now()
  const store = kind.open()
  await store.get(refId())
  const start = performance.now() - begun
  const drafts = Array.from({ length: CALLS }, () => draft(now))
  const set = await median(drafts, entry => store.claim(entry, now, { value: Buffer.from('0[1,2,3]') }))
  const get = await median(drafts, entry => store.get(entry.refId))
  return { store, start, set, get }
}

async function filled(kind: Kind, count: number): Promise<void> {
  const kept = KEPT && kind.path ? join(KEPT, `many-${count}.db`) : undefined
  if (kept && kind.path && existsSync(kept)) return copyFileSync(kept, kind.path)
  const store = kind.open()
  await kind.fill(store, draft(Date.now()), count)
  if (kind.name !== 'memory') await store.close()
  if (kept && kind.path) copyFileSync(kind.path, kept)
}

/** What goes in steps beside the work. Closes the store. */
async function steps({ name, fill }: Kind, store: Store): Promise<Row[]> {
  const now = Date.now()
  await fill(store, { ...draft(now), expiresAt: now }, EXPIRED)
  const sweep = await timed(async () => {
    // As the sweep of a cache does.
    for (let removed = 1; removed > 0; await turn()) removed = (await store.prune(now, 500)).length
  })
  const cache = new RefCache({ name: 'live', store, sweepInterval: '1h' })
  const task = () =>
    pending({ refId: refId('live'), createdAt: now, startedBy: describeActor(actor.agent()) })
  await fill(store, task(), LIVE)
  const stats = await timed(() => cache.stats())
  const tasks = await timed(() => cache.listTasks({ limit: 50 }))
  const after = (await store.list({ cacheName: 'bench', limit: 10_000 })).at(-1)
  const page = await timed(() => store.list({ cacheName: 'bench', limit: 100, ...(after ? { after } : {}) }))
  await cache.close({ drain: 0 })
  const live = LIVE.toLocaleString('en')
  return [
    alone(`${name}: sweep of ${EXPIRED.toLocaleString('en')} expired entries`, sweep),
    alone(`${name}: stats of ${live} live tasks`, stats),
    alone(`${name}: a page of listTasks beside them`, tasks),
    alone(`${name}: the 100th page of list`, page),
  ]
}

function draft(now: number) {
  const toolName = `tool-${Math.floor(Math.random() * 10)}`
  return complete({ refId: refId(), toolName, createdAt: now, completedAt: now, expiresAt: now + YEAR })
}

async function median<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (const item of items) {
    const begun = performance.now()
    await run(item)
    times.push(performance.now() - begun)
  }
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0
}
