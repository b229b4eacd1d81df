import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** Each call is another process's way into one store. */
const STORES: Array<[string, () => () => Store]> = [
  [
    'memory',
    () => {
      const store = memoryStore()
      const shared = { ...store.capabilities, shared: true }
      return () => Object.assign(surviving(store), { capabilities: shared })
    },
  ],
  [
    'SQLite',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-retries-'))
      folders.push(folder)
      return () => sqliteStore(join(folder, 'cache.db'))
    },
  ],
]

/** The store of a process that ends without taking it along. */
function surviving(store: Store): Store {
  const { claim, findByKey, get, read, stage, readSegment, update, list, clear, prune, watch } = store
  const { peek, match, count, caches, changes } = store
  const { beat, owners, tasksOf } = store
  const bound = {
    claim,
    findByKey,
    get,
    read,
    stage,
    readSegment,
    update,
    list,
    clear,
    prune,
    peek,
    match,
    count,
    caches,
    changes,
    watch,
    beat,
    owners,
    tasksOf,
    delete: store.delete,
  }
  for (const [name, method] of Object.entries(bound)) {
    Object.assign(bound, { [name]: (method as (...args: unknown[]) => unknown).bind(store) })
  }
  return { ...bound, capabilities: store.capabilities, close: async () => {} }
}

/** Processes on one store, each with a clock that stops when it is killed. */
function processes(open: () => Store, options: object) {
  const runs: Array<{ process: number; at: number }> = []
  let started = 0
  let clock = new FakeClock()
  const start = () => {
    const process = started++
    clock = new FakeClock(clock.now())
    const cache = new RefCache({ name: 't', clock, store: open() })
    const tool = cache.cached({ name: 'flaky', asyncTimeout: 0, ...options }, () => {
      runs.push({ process, at: clock.now() })
      throw new Error(`run ${runs.length} failed`)
    })
    return { cache, tool, clock }
  }
  return { runs, start }
}

describe.each(STORES)('retries on %s', (_, opener) => {
  it.each([
    ['a tool', false, 'killed'],
    ['an idempotent tool', true, 'killed'],
    ['a tool', false, 'closed'],
    ['an idempotent tool', true, 'closed'],
  ])(
    'of %s (idempotent: %s) are counted over processes that are %s in each delay',
    async (_, idempotent, how) => {
      const options = { idempotent, maxRetries: 2, retryDelay: '10s', retryBackoffFactor: 1 }
      const { runs, start } = processes(opener(), options)
      let now = start()
      const { refId } = await now.tool({})
      await now.clock.advance(0)
      for (let process = 1; process < 6; process++) {
        expect(runs.length).toBeLessThanOrEqual(3)
        if (how === 'closed') await now.cache.close()
        now = start()
        const before = runs.length
        for (let s = 0; s < 45 && runs.length === before; s++) await now.clock.advance('1s')
      }
      expect(runs).toHaveLength(3)
      expect(new Set(runs.map(({ process }) => process)).size).toBe(3)
      expect(await now.cache.get(refId)).toMatchObject({ status: 'failed', error: 'run 3 failed' })
    },
  )

  it('begin when they are due, not when somebody takes them over', async () => {
    const { runs, start } = processes(opener(), { maxRetries: 1, retryDelay: '60s' })
    const first = start()
    await first.tool({})
    await first.clock.advance(0)
    await first.cache.close()
    const second = start()
    await second.clock.advance('25s')
    expect(runs).toHaveLength(1)
    await second.clock.advance('40s')
    expect(runs).toHaveLength(2)
    expect(runs[1]?.at).toBeGreaterThanOrEqual((runs[0]?.at ?? 0) + 30_000)
    await second.cache.close()
  })

  it('wait no longer than the longest delay, whatever the clock of another process said', async () => {
    const open = opener()
    const { runs, start } = processes(open, { maxRetries: 1, retryDelay: '60s' })
    const ahead = start()
    ahead.clock.jump(24 * 3_600_000)
    await ahead.tool({})
    await ahead.clock.advance(0)
    await ahead.cache.close()
    const behind = processes(open, { maxRetries: 1, retryDelay: '60s' }).start()
    await behind.clock.advance('75s')
    await behind.cache.close()
    expect(runs).toHaveLength(1)
  })
})

it('begun by hand, a task has all its retries again', async () => {
  const { runs, start } = processes(() => memoryStore(), { maxRetries: 2 })
  const { cache, tool, clock } = start()
  const { refId } = await tool({})
  await clock.advance('10s')
  expect(runs).toHaveLength(3)
  await cache.retryTask(refId)
  await clock.advance('10s')
  expect(runs).toHaveLength(6)
})
