import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Store } from '../../../src/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { type Step, World } from './model-world.ts'

const process = fc.nat(1)
const ref = fc.nat(3)

const single: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('call'),
      process,
      tool: fc.constantFrom('safe', 'unsafe'),
      n: fc.nat(1),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constantFrom('poll', 'cancel', 'retry', 'retry', 'delete'), process, ref }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('finish', 'finish', 'fail'), run: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('crash', 'pause', 'resume', 'resume', 'find', 'find'),
      process,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('loseIn'), process, operations: fc.nat(8) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crashIn'), process, halfSteps: fc.nat(15) }) },
) as fc.Arbitrary<Step>

/** Long enough to lose a lease, or to expire in some steps; never so long that two things happen in one step. */
const advance = fc.record({
  do: fc.constant('advance' as const),
  ms: fc.constantFrom(400, 2_000, 4_500, 20_000),
})
const together = fc.record({
  do: fc.constant('together' as const),
  steps: fc.array(single, { minLength: 2, maxLength: 4 }),
})
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: single },
    { weight: 2, arbitrary: advance },
    { weight: 2, arbitrary: together },
  ),
  { maxLength: 40, size: 'max' },
)

/** A run takes some hundredths of a second. */
const patience = (runs: number) => 120_000 + runs * 1_000
const HARD_PARTS = [
  'takeover while pending',
  'takeover while processing',
  'failure: worker_lost',
  'cancel',
  'retry by hand',
]
const TOTALS: Record<string, number> = {}

async function hold(open: () => Store, played: readonly Step[]): Promise<void> {
  const world = new World(open)
  try {
    await world.play(played)
  } finally {
    for (const [what, count] of Object.entries(world.seen)) TOTALS[what] = (TOTALS[what] ?? 0) + count
    await world.close()
  }
}

function check(
  seed: number,
  numRuns: number,
  open: () => { handle: () => Store; end: () => void },
): Promise<void> {
  const property = fc.asyncProperty(steps, async played => {
    const { handle, end } = open()
    try {
      await hold(handle, played)
    } finally {
      end()
    }
  })
  return fc.assert(property, { seed, numRuns, endOnFailure: false })
}

/** Plays that many runs of what two processes may do, on each store that a test can look into. */
export function modelRuns(seed: number, inMemory: number, inFile: number): void {
  it('keeps the law of entries in memory, whatever two processes do', {
    timeout: patience(inMemory),
  }, async () => {
    await check(seed, inMemory, () => {
      const store = memoryStore()
      return { handle: () => store, end: () => void store.close() }
    })
    console.log(`Model in memory, seed ${seed}: ${JSON.stringify(TOTALS)}`)
    // A model that never gets to the hard parts proves nothing.
    if (inMemory >= 100) expect(Object.keys(TOTALS)).toEqual(expect.arrayContaining(HARD_PARTS))
  })

  it('keeps the law of entries in an SQLite file, whatever two processes do', {
    timeout: patience(inFile),
  }, async () => {
    await check(seed, inFile, () => {
      const folder = mkdtempSync(join(tmpdir(), 'mcp-refcache-model-'))
      const handles: Store[] = []
      const handle = () => {
        const store = sqliteStore(join(folder, 'cache.db'))
        handles.push(store)
        return store
      }
      const end = () => {
        for (const store of handles) void store.close()
        rmSync(folder, { recursive: true })
      }
      return { handle, end }
    })
  })
}
