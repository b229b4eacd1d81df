import { threadExecutor } from '../src/execution/threads/index.ts'
import { RefCache, type ToolOptions } from '../src/index.ts'
import { interleave, median } from './interleave.ts'
import { timed } from './pause.ts'
import { compared, duration, type Row } from './row.ts'
import { nothing, spin, wait, work } from './thread-tools.ts'

const MODULE = new URL('./thread-tools.js', import.meta.url)
/** Threads run the built package. */
const WORKER = new URL('../../../dist/execution/threads/worker.js', import.meta.url)

/** What a handler that computes costs the others, in a thread; and what a thread costs by itself. */
export async function threadsBench(): Promise<Row[]> {
  const cache = new RefCache({
    executors: { threads: threadExecutor({ modules: MODULE, worker: WORKER, threads: 2 }) },
  })
  try {
    return [
      ...(await besideASpin(cache)),
      await softTimeout(cache),
      await twoAtOnce(cache),
      await overhead(cache),
      await largeValues(cache),
    ]
  } finally {
    await cache.close()
  }
}

type Own = Pick<ToolOptions, 'asyncTimeout' | 'executor'>

const IN_THREADS = { executor: 'threads', asyncTimeout: 0 } as const

function tool<Input, Output>(
  cache: RefCache,
  handler: (input: Input) => Output,
  own: Own,
  name = handler.name,
) {
  return cache.cached<Input, Output>({ memoize: false, replace: true, name, ...own }, handler)
}

/** Polls in a row for 10 s: of a task that computes in a thread all that time, and of one that only waits there. */
async function besideASpin(cache: RefCache): Promise<Row[]> {
  const waiting = await pollsOf(cache, (await tool(cache, wait, IN_THREADS)({ ms: 10_000 })).refId)
  const spinning = await pollsOf(cache, (await tool(cache, spin, IN_THREADS)({ ms: 10_000 })).refId)
  return [
    compared('poll, p99, beside a handler that computes', spinning.p99, 'nothing computes', waiting.p99),
    compared(
      'longest pause of the loop meanwhile',
      spinning.longestPause,
      'nothing computes',
      waiting.longestPause,
    ),
  ]
}

async function pollsOf(cache: RefCache, refId: string): Promise<{ p99: number; longestPause: number }> {
  const times: number[] = []
  const { longestPause } = await timed(async () => {
    for (let isAsync = true; isAsync; ) {
      const start = performance.now()
      ;({ isAsync } = await cache.get(refId))
      times.push(performance.now() - start)
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  })
  times.sort((a, b) => a - b)
  return { p99: times[Math.floor(times.length * 0.99)] ?? 0, longestPause }
}

/** A call whose handler computes for a second answers with a handle after 50 ms. */
async function softTimeout(cache: RefCache): Promise<Row> {
  const call = (own: Own, name: string) => tool(cache, spin, { asyncTimeout: 50, ...own }, name)
  const [there, here] = [call({ executor: 'threads' }, 'spin'), call({}, 'spin here')]
  const [ours, theirs] = [await answers(cache, there), await answers(cache, here)]
  return compared('answer at a soft timeout of 50 ms', ours, 'in this process', theirs)
}

async function answers(
  cache: RefCache,
  call: (input: { ms: number }) => Promise<{ refId: string; isAsync: boolean }>,
): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const start = performance.now()
    let { refId, isAsync } = await call({ ms: 1_000 })
    times.push(performance.now() - start)
    while (isAsync) ({ isAsync } = await cache.get(refId, { wait: '5s' }))
  }
  return median(times)
}

async function twoAtOnce(cache: RefCache): Promise<Row> {
  const call = tool(cache, work, { executor: 'threads' })
  const input = { turns: 500_000_000 }
  const [both, oneByOne] = await interleave(
    [
      () => Promise.all([call(input), call(input)]),
      async () => {
        await call(input)
        await call(input)
      },
    ],
    { rounds: 3, batch: 1 },
  )
  return compared('two that compute at once', both!, 'one after the other', oneByOne!)
}

async function overhead(cache: RefCache): Promise<Row> {
  const [there, here] = await interleave(
    [tool(cache, nothing, { executor: 'threads' }), tool(cache, nothing, {}, 'nothing here')].map(
      call => () => call({}),
    ),
    { rounds: 15, batch: 200 },
  )
  const row = compared('a call that does nothing', there!, 'in this process', here!)
  return { ...row, what: `${row.what} (${duration(there! - here!)} more)` }
}

/** How long the event loop is busy while large values are stored. */
async function largeValues(cache: RefCache): Promise<Row> {
  const without = new RefCache()
  const rows = Array.from({ length: 300_000 }, (_, id) => ({
    id,
    level: 'info',
    message: `request ${id} ended well`,
  }))
  const text = rows.map(({ id, message }) => `2026-11-27T10:00:00Z INFO ${message} ${id % 977} ms`).join('\n')
  const busy = async (own: RefCache) => {
    const before = performance.eventLoopUtilization()
    for (const value of [rows, text, JSON.stringify(rows)])
      await own.delete((await own.set('large', value)).refId)
    return performance.eventLoopUtilization(before).active
  }
  const [there, here] = [[], []] as [number[], number[]]
  for (let round = 0; round < 3; round++) {
    there.push(await busy(cache))
    here.push(await busy(without))
  }
  await without.close()
  return compared(
    'the loop is busy, to store a list, a log and JSON of 20 MB each',
    median(there),
    'without threads',
    median(here),
  )
}
