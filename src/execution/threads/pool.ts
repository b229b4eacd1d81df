import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { MessagePort } from 'node:worker_threads'
import type { Piscina } from 'piscina'
import { InvalidArgument, WorkerLost, WorkerOutOfMemory } from '../../core/errors.ts'
import { brokenPackage, isMissing } from '../../core/missing-package.ts'
import type { EncodeTask, ThreadTask } from './messages.ts'
import type { ThreadSettings } from './options.ts'

const MISSING =
  'Threads need the package piscina beside mcp-refcache: npm install piscina, where mcp-refcache is installed.'

/** What was built, also from the source: a thread runs no TypeScript. */
const WORKER = '../../../dist/execution/threads/worker.js'

const MB = 1024 * 1024

/** The threads. Each runs one task at a time, so that to kill it ends that task alone. */
export class ThreadPool {
  readonly #piscina: Piscina
  /** Tasks whose thread has not begun with them. */
  readonly #starting = new Set<AbortController>()
  #tasks = 0

  private constructor(piscina: Piscina) {
    this.#piscina = piscina
    // A thread that dies without a task has nobody to tell: the next task starts another one.
    piscina.on('error', () => {})
    piscina.on('workerDestroy', () => setImmediate(() => this.#checkStarting()))
  }

  /** @throws InvalidArgument where the package is missing */
  static async open({ idleTimeout, memoryLimit, worker }: ThreadSettings): Promise<ThreadPool> {
    const { Piscina } = await loadPiscina()
    return new ThreadPool(
      new Piscina({
        filename: workerFile(worker),
        minThreads: 0,
        // The cache's queue says how many tasks compute; more threads wait for answers.
        maxThreads: Number.MAX_SAFE_INTEGER,
        idleTimeout,
        // A thread that waits for work in Atomics.wait would stop timers and connections of the tools' modules.
        atomics: 'disabled',
        ...(memoryLimit === undefined
          ? {}
          : { resourceLimits: { maxOldGenerationSizeMb: memoryLimit / MB } }),
      }),
    )
  }

  /**
   * Resolves when the thread is done with the task.
   * @param what the export of the worker that does it
   * @param kill ends the thread
   * @throws WorkerLost, WorkerOutOfMemory when the thread is gone; what `kill` was aborted with
   */
  async run(
    what: 'run' | 'encode',
    task: ThreadTask | EncodeTask,
    transferred: MessagePort[],
    kill: AbortController,
  ): Promise<void> {
    this.#tasks++
    this.#starting.add(kill)
    try {
      await this.#piscina.run(task, {
        name: what,
        transferList: transferred,
        signal: kill.signal,
      })
    } catch (cause) {
      throw kill.signal.aborted ? kill.signal.reason : toLoss(cause)
    } finally {
      this.#starting.delete(kill)
      this.#tasks--
    }
  }

  /** The thread of that task has begun with it. */
  begun(kill: AbortController): void {
    this.#starting.delete(kill)
  }

  close(): Promise<void> {
    return this.#piscina.destroy()
  }

  /** A thread that dies while it starts leaves its task in the pool's queue, where nobody would take it. */
  #checkStarting(): void {
    const { queueSize, threads } = this.#piscina
    const busy = this.#tasks - this.#starting.size
    if (queueSize === 0 || threads.length > busy) return
    for (const kill of this.#starting) kill.abort(new WorkerLost('No thread could be started for this task.'))
  }
}

/** @throws InvalidArgument where it is not there */
function workerFile(given: string | undefined): string {
  const file = given ?? fileURLToPath(new URL(WORKER, import.meta.url))
  if (existsSync(file)) return file
  throw new InvalidArgument(
    'The file that threads run is not there. Say where it is: worker: dist/execution/threads/worker.js of the package mcp-refcache.',
  )
}

async function loadPiscina() {
  try {
    return await import('piscina')
  } catch (cause) {
    throw new InvalidArgument(isMissing('piscina', cause) ? MISSING : brokenPackage('piscina', cause), {
      cause,
    })
  }
}

/** What the pool says of a thread may hold words of the tool: they stay in the cause. */
function toLoss(cause: unknown): Error {
  const { code } = (cause ?? {}) as { code?: unknown }
  if (code === 'ERR_WORKER_OUT_OF_MEMORY') return new WorkerOutOfMemory(undefined, { cause })
  return new WorkerLost('The thread that ran this task has ended. The tool may have ended it.', { cause })
}
