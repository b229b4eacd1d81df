import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { memoryStore, RefCache } from '../src/index.ts'
import { sqliteStore } from '../src/stores/sqlite.ts'
import { loadDriver, type SqliteDatabase } from '../src/stores/sqlite-driver.ts'
import type { Store } from '../src/stores/store.ts'

/** One process with many live tasks, measured: `live-tasks-case.js memory queued 100000` prints a line of JSON. */
const [kind = 'memory', state = 'queued', count = '100000'] = process.argv.slice(2)
const TASKS = Number(count)
/** How many calls are under way at once while the tasks are made. */
const WIDTH = 500
/** Longer than a third of a lease, with several sweeps in it. */
const IDLE_MS = 20_000
const POLLS = 400
/** So many of a queue run. */
const RUNNING_OF_QUEUE = 100

export interface LiveTasks {
  /** To make all of them, without waiting for the disk. */
  readonly setUpMs: number
  readonly bytesPerTask: number
  /** Of these: what a memory store takes for the same entries. */
  readonly storeBytesPerTask: number
  readonly cpuPercent: number
  readonly idlePause: number
  readonly pollP99: number
  readonly stats: Timed
  readonly listTasks: Timed
}

interface Timed {
  readonly ms: number
  readonly pause: number
}

const folder = mkdtempSync(join(tmpdir(), 'refcache-live-'))
const quota = { maxEntries: 2 * TASKS }
const { driver, sync } = await syncedDriver()
const store =
  kind === 'memory' ? memoryStore(quota) : sqliteStore(join(folder, 'live.db'), { ...quota, driver })
const maxConcurrentTasks = state === 'running' ? TASKS : RUNNING_OF_QUEUE
const cache = new RefCache({ store, maxConcurrentTasks, maxQueuedTasks: TASKS })
const work = cache.cached(
  { name: 'work', asyncTimeout: 0, hardTimeout: '1h' },
  (_: { n: number }) => new Promise(() => {}),
)

const refIds: string[] = []
await work({ n: -1 })
const empty = heap()
const setUpAt = performance.now()
// A power cut matters to nobody while the tasks are made; what is measured then is as users have it.
sync('OFF')
for (let n = 0; n < TASKS; n += WIDTH) {
  const calls = Array.from({ length: WIDTH }, (_, i) => work({ n: n + i }))
  for (const { refId } of await Promise.all(calls)) refIds.push(refId)
}
sync('NORMAL')
const setUpMs = performance.now() - setUpAt
await sleep(1_000)
const bytesPerTask = (heap() - empty) / TASKS

const cpu = process.cpuUsage()
const begunAt = performance.now()
const { pause: idlePause } = await watched(() => sleep(IDLE_MS))
const { user, system } = process.cpuUsage(cpu)
const cpuPercent = (user + system) / 10 / (performance.now() - begunAt)

const result: LiveTasks = {
  setUpMs,
  bytesPerTask,
  cpuPercent,
  idlePause,
  pollP99: await polls(),
  stats: await watched(() => cache.stats()),
  listTasks: await watched(() => cache.listTasks({ actor: 'user' })),
  storeBytesPerTask: await storeBytes(),
}
console.log(JSON.stringify(result))
rmSync(folder, { recursive: true, force: true })
process.exit(0)

/** SQLite's driver, and a switch of whether the file waits for the disk. */
async function syncedDriver() {
  const { DatabaseSync } = await loadDriver()
  let database: SqliteDatabase | undefined
  class Known extends DatabaseSync {
    constructor(...args: ConstructorParameters<typeof DatabaseSync>) {
      super(...args)
      database = this
    }
  }
  const sync = (how: 'OFF' | 'NORMAL') => database?.exec(`PRAGMA synchronous = ${how}`)
  return { driver: { DatabaseSync: Known }, sync }
}

/** After collection. */
function heap(): number {
  for (let round = 0; round < 3; round++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** How long it took, and how long the loop stood still at the most meanwhile. */
async function watched(run: () => Promise<unknown>): Promise<Timed> {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  await sleep(20)
  delays.reset()
  const start = performance.now()
  await run()
  const ms = performance.now() - start
  await sleep(5)
  delays.disable()
  return { ms, pause: delays.max / 1e6 }
}

async function polls(): Promise<number> {
  const times: number[] = []
  for (let n = 0; n < POLLS; n++) {
    const refId = refIds[Math.floor((n * TASKS) / POLLS)] as string
    const start = performance.now()
    await cache.get(refId)
    times.push(performance.now() - start)
    await sleep(10)
  }
  return times.sort((a, b) => a - b)[Math.floor(POLLS * 0.99)] as number
}

/** On SQLite none: the entries are in the file. */
async function storeBytes(): Promise<number> {
  if (kind !== 'memory') return 0
  const sample = refIds.slice(0, 10_000)
  const copy: Store = memoryStore(quota)
  const before = heap()
  for (const refId of sample) {
    const entry = await store.get(refId)
    const input = await store.read(refId, 'input')
    if (entry) await copy.claim(structuredClone(entry), 0, { input })
  }
  const bytes = (heap() - before) / sample.length
  await copy.close()
  return bytes
}
