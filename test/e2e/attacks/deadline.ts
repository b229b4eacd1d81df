import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

const DEADLINE_MS = 20_000
const BUILT = new URL('../../../dist/index.js', import.meta.url)

/**
 * Runs a function that stands for itself (nothing of its surroundings reaches the worker), with the built package, away from
 * this thread: one that never ends is ended. Work that grows as it should takes a moment; the deadline is for the other kind.
 */
export async function inWorker<Arguments extends unknown[]>(
  work: (...args: Arguments) => Promise<void>,
): Promise<void> {
  const code = `import(${JSON.stringify(fileURLToPath(BUILT))}).then(({ RefCache }) => (${work})(RefCache))`
  const worker = new Worker(code, { eval: true })
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`Not done after ${DEADLINE_MS} ms.`)), DEADLINE_MS)
    worker.once('error', reject)
    worker.once('exit', () => resolve())
    worker.once('exit', () => clearTimeout(late))
  }).finally(() => worker.terminate())
}
