import { openSync, readSync } from 'node:fs'
import { duration, type Row } from './row.ts'

export interface Timing {
  readonly ms: number
  readonly longestPause: number
  /** The longest pause in CPU time of the thread: a busy machine adds nothing to it. Absent: this system does not tell. */
  readonly longestWork?: number
  readonly peak: number
}

/** Runs it while a timer ticks each millisecond: the longest gap between ticks is the longest pause. */
export async function timed<T>(run: () => Promise<T>): Promise<Timing & { outcome: T }> {
  let last = performance.now()
  let lastCpu = cpuTime()
  let longestPause = 0
  let longestWork = 0
  let peak = 0
  const tick = () => {
    const cpu = cpuTime()
    longestPause = Math.max(longestPause, performance.now() - last)
    longestWork = Math.max(longestWork, cpu - lastCpu)
    peak = Math.max(peak, process.memoryUsage.rss())
    lastCpu = cpu
    last = performance.now()
  }
  const ticking = setInterval(tick, 1)
  await new Promise(resolve => setTimeout(resolve, 5))
  longestPause = 0
  longestWork = 0
  const start = performance.now()
  const outcome = await run()
  const ms = performance.now() - start
  tick()
  clearInterval(ticking)
  return { ms, longestPause, ...(Number.isNaN(lastCpu) ? {} : { longestWork }), peak, outcome }
}

const schedule = openSchedule()
const line = Buffer.alloc(100)

/** What the kernel says of this thread. */
function openSchedule(): number | undefined {
  try {
    return openSync('/proc/thread-self/schedstat', 'r')
  } catch {
    return undefined
  }
}

/** Milliseconds that this thread has had a CPU. */
function cpuTime(): number {
  if (schedule === undefined) return Number.NaN
  const length = readSync(schedule, line, 0, line.length, 0)
  return Number.parseInt(line.toString('latin1', 0, length), 10) / 1e6
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

export function alone(what: string, timing: Pick<Timing, 'ms' | 'longestPause' | 'longestWork'>): Row {
  return { what, ours: pauseOf(timing) }
}

export function pauseOf({ ms, longestPause, longestWork }: Omit<Timing, 'peak'>): string {
  const work = longestWork === undefined ? '' : ` (${duration(longestWork)} of CPU)`
  return `${duration(ms)}, longest pause ${duration(longestPause)}${work}`
}
