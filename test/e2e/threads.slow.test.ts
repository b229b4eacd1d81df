import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { threadExecutor } from '../../dist/execution/threads/index.js'
import { RefCache } from '../../dist/index.js'
import { sqliteStore } from '../../dist/stores/sqlite.js'
import { ended, MB, threads } from './thread-scene.ts'

const CHILD = fileURLToPath(new URL('./fixtures/thread-child.mjs', import.meta.url))
const modules = new URL('./fixtures/thread-tools.mjs', import.meta.url)

const ends: Array<() => unknown> = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'refcache-threads-'))
  ends.push(() => rmSync(path, { recursive: true }))
  return join(path, 'cache.db')
}

/** Another process on the same file, with the tool in threads of its own. */
function heir(path: string, idempotent: boolean): RefCache {
  const cache = new RefCache({
    name: 'killed',
    store: sqliteStore(path),
    leaseDuration: '500ms',
    sweepInterval: '200ms',
    logger: { warn: () => {}, error: () => {} },
    executors: { threads: threadExecutor({ modules, threads: 1 }) },
  })
  ends.push(() => cache.close())
  cache.cached({ name: 'report', executor: 'threads', memoize: false, idempotent }, () => {})
  return cache
}

/** Starts a process and kills it when it has said so many lines of progress; gives the reference of its task. */
async function killed(path: string, idempotent: boolean, lines: number): Promise<string> {
  const child: ChildProcess = spawn(process.execPath, [CHILD, path, String(idempotent), '2000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  ends.push(() => child.kill('SIGKILL'))
  let refId = ''
  let progress = 0
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line === 'progress') progress++
    else refId = line
    if (refId !== '' && progress >= lines) child.kill('SIGKILL')
  }
  return refId
}

describe('a thread', () => {
  it('of too much memory is followed by as many tries as the tool allows', async () => {
    const { cache, tool } = threads({ memoryLimit: 48 * MB })
    const hog = tool('hog', { asyncTimeout: 0, maxRetries: 1, retryDelay: 0, idempotent: true })
    const { refId } = await hog({ secret: 'x' })
    expect(await ended(cache, refId)).toMatchObject({ errorCode: 'worker_out_of_memory', retryCount: 1 })
  })

  it('gives a result of 50 MB, and takes it as a reference', async () => {
    const { cache, tool } = threads()
    const count = 420_000
    const { refId } = await tool('large')({ count })
    expect((await cache.inspect(refId)).valueBytes).toBeGreaterThan(50_000_000)
    expect(await tool('sum')({ rows: refId })).toMatchObject({ value: (count * (count - 1)) / 2 })
  })
})

describe('a process that is killed while its thread computes', () => {
  it.each([0, 1, 5])('leaves a task that another one runs again (%i reports)', async lines => {
    const path = folder()
    const refId = await killed(path, true, lines)
    const cache = heir(path, true)
    let answer = await cache.get(refId)
    while (answer.isAsync) answer = await cache.get(refId, { wait: '5s' })
    expect(answer.status).toBe('complete')
    expect(await cache.resolve(refId)).toBeGreaterThan(0)
  })

  it('leaves a task that failed, where it may not run again', async () => {
    const path = folder()
    const refId = await killed(path, false, 1)
    const cache = heir(path, false)
    await expect
      .poll(() => cache.get(refId))
      .toMatchObject({ status: 'failed', errorCode: 'worker_lost', canRetry: true })
  })
})
