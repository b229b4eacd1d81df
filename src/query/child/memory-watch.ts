import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

/** How often it looks, in milliseconds. */
const EVERY = 20

/**
 * Ends this process when it takes too much memory, or when its parent is gone. A question holds the main thread until SQLite has its
 * answer, so another thread looks: from now on.
 */
export async function watchMemory(maxBytes: number): Promise<void> {
  const watch = `
    const { workerData } = require('node:worker_threads')
    const parent = process.ppid
    setInterval(() => {
      if (process.memoryUsage.rss() > workerData || process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
    }, ${EVERY})`
  const worker = new Worker(watch, { eval: true, workerData: maxBytes })
  await once(worker, 'online')
  worker.unref()
}
