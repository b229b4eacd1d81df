import { duration, type Row } from './row.ts'

export interface Timing {
  readonly ms: number
  readonly longestPause: number
  readonly peak: number
}

/** Runs it while a timer ticks each millisecond: the longest gap between ticks is the longest pause. */
export async function timed<T>(run: () => Promise<T>): Promise<Timing & { outcome: T }> {
  let last = performance.now()
  let longestPause = 0
  let peak = 0
  const tick = () => {
    longestPause = Math.max(longestPause, performance.now() - last)
    peak = Math.max(peak, process.memoryUsage.rss())
    last = performance.now()
  }
  const ticking = setInterval(tick, 1)
  await new Promise(resolve => setTimeout(resolve, 5))
  longestPause = 0
  const start = performance.now()
  const outcome = await run()
  const ms = performance.now() - start
  tick()
  clearInterval(ticking)
  return { ms, longestPause, peak, outcome }
}

export function idle(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, 1000))
}

/** What the machine itself takes away from a loop that is never held. */
export async function spin(): Promise<void> {
  for (const start = performance.now(); performance.now() - start < 1000; ) {
    await new Promise(resolve => setImmediate(resolve))
  }
}

export function alone(what: string, { ms, longestPause }: Pick<Timing, 'ms' | 'longestPause'>): Row {
  return { what, ours: `${duration(ms)}, longest pause ${duration(longestPause)}` }
}
