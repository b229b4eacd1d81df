import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { LiveTasks } from './live-tasks-case.ts'
import { duration, type Row } from './row.ts'

const TASKS = 100_000
const CASES = [
  ['memory', 'queued'],
  ['memory', 'running'],
  ['sqlite', 'queued'],
  ['sqlite', 'running'],
] as const

/** A hundred thousand live tasks in one process, in which nothing changes. Each case is a process of its own. */
export async function liveTasksBench(): Promise<Row[]> {
  const rows: Row[] = []
  for (const [store, state] of CASES) rows.push(...rowsOf(`${store}, ${state}`, await measure(store, state)))
  return rows
}

async function measure(store: string, state: string): Promise<LiveTasks> {
  const script = fileURLToPath(new URL('live-tasks-case.js', import.meta.url))
  const args = ['--expose-gc', '--max-old-space-size=6000', script, store, state, String(TASKS)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout)
}

function rowsOf(name: string, measured: LiveTasks): Row[] {
  const { bytesPerTask, storeBytesPerTask, cpuPercent, idlePause, pollP99, stats, listTasks } = measured
  const kept = storeBytesPerTask > 0 ? `, of which the store ${inKb(storeBytesPerTask)}` : ''
  const timed = ({ ms, pause }: LiveTasks['stats']) => `${duration(ms)}, longest pause ${duration(pause)}`
  return [
    { what: `a live task: ${name}`, ours: `${inKb(bytesPerTask)} of heap${kept}` },
    {
      what: '  while nothing changes',
      ours: `${cpuPercent.toFixed(1)} % of a core, longest pause ${duration(idlePause)}`,
    },
    { what: '  a poll meanwhile, p99', ours: duration(pollP99) },
    { what: '  stats', ours: timed(stats) },
    { what: '  listTasks', ours: timed(listTasks) },
  ]
}

function inKb(bytes: number): string {
  return `${(bytes / 1024).toFixed(2)} KB`
}
