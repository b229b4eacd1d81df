import { openSync, readSync } from 'node:fs'
import { duration, type Row } from './row.ts'

export interface Pauses {
  readonly longestPause: number
  /** The longest pause in CPU time of the thread: a busy machine adds nothing to it. Absent: this system does not tell. */
  readonly longestWork?: number
  /** Bytes of memory at the most. */
  readonly peak: number
}

export interface Timing extends Pauses {
  readonly ms: number
}

/** Watches the event loop: a timer ticks each millisecond, and the longest gap between ticks is the longest pause. */
export class LoopWatch {
  #last = performance.now()
  #lastCpu = cpuTime()
  #longestPause = 0
  #longestWork = 0
  #peak = 0
  readonly #ticking = setInterval(() => this.#tick(), 1)

  /** What was before does not count. */
  begin(): void {
    this.#tick()
    this.#longestPause = 0
    this.#longestWork = 0
    this.#peak = 0
  }

  /** Since it was begun. */
  read(): Pauses {
    this.#tick()
    const longestWork = Number.isNaN(this.#lastCpu) ? {} : { longestWork: this.#longestWork }
    return { longestPause: this.#longestPause, ...longestWork, peak: this.#peak }
  }

  end(): void {
    clearInterval(this.#ticking)
  }

  #tick(): void {
    const cpu = cpuTime()
    this.#longestPause = Math.max(this.#longestPause, performance.now() - this.#last)
    this.#longestWork = Math.max(this.#longestWork, cpu - this.#lastCpu)
    this.#peak = Math.max(this.#peak, process.memoryUsage.rss())
    this.#lastCpu = cpu
    this.#last = performance.now()
  }
}

/** Runs it, and watches the loop meanwhile. */
export async function timed<T>(run: () => Promise<T>): Promise<Timing & { outcome: T }> {
  const watch = new LoopWatch()
  await new Promise(resolve => setTimeout(resolve, 5))
  watch.begin()
  const start = performance.now()
  const outcome = await run()
  const ms = performance.now() - start
  const pauses = watch.read()
  watch.end()
  return { ms, ...pauses, outcome }
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

export function alone(what: string, timing: Omit<Timing, 'peak'>): Row {
  return { what, ours: pauseOf(timing) }
}

export function pauseOf({ ms, longestPause, longestWork }: Omit<Timing, 'peak'>): string {
  const work = longestWork === undefined ? '' : ` (${duration(longestWork)} of CPU)`
  return `${duration(ms)}, longest pause ${duration(longestPause)}${work}`
}
