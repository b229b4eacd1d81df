/**
 * Two workers do what this process is called for, and one of them is killed. It needs redis-server; compose.yaml shows what runs where
 * in production. Ends well only if all of it was really seen.
 *
 *     npm run build && node examples/workers/client.ts     (Node 22.18 or newer runs TypeScript itself)
 */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { RefCache } from 'mcp-refcache'
import { bullmqDispatcher } from 'mcp-refcache/bullmq'
import { redisStore } from 'mcp-refcache/stores/redis'
import { startRedis } from '../redis-server.ts'
import { registerTools } from './tools.ts'

const redis = await startRedis()
const connection = redis.url

const workers = [await startWorker(), await startWorker()]
const cache = new RefCache({
  store: redisStore(connection),
  dispatcher: bullmqDispatcher({ connection }),
  leaseDuration: '2s',
  sweepInterval: '1s',
})
try {
  const primes = registerTools(cache)

  const handles = await Promise.all([20_000, 21_000, 22_000, 23_000].map(below => primes({ below })))
  assert.ok(handles.every(({ status }) => status !== 'complete'))
  console.log(`${handles.length} calls have handles; ${workers.length} workers do the work.`)

  const [victim] = workers
  victim?.kill('SIGKILL')
  console.log('One worker was killed in the middle.')

  const results = await Promise.all(handles.map(({ refId }) => resultOf(refId)))
  assert.deepEqual(
    results.map(({ count }) => count),
    [2262, 2360, 2464, 2564],
  )
  assert.ok(results.every(({ worker }) => worker !== process.pid && worker !== victim?.pid))
  console.log(
    `All results are there, and none was computed here: ${results.map(({ largest }) => largest).join(', ')}.`,
  )
} finally {
  await cache.close()
  for (const worker of workers) await end(worker)
  await redis.stop()
}
console.log('All was seen.')

interface Primes {
  worker: number
  count: number
  largest: number
}

async function resultOf(refId: string): Promise<Primes> {
  for (;;) {
    const answer = await cache.get(refId, { wait: '20s' })
    if (answer.status === 'complete') return cache.resolve<Primes>(refId)
    assert.ok(answer.status !== 'failed' && answer.status !== 'cancelled', answer.message)
  }
}

async function startWorker(): Promise<ChildProcess> {
  const main = join(createRequire(import.meta.url).resolve('mcp-refcache'), '../cli/main.js')
  const [extension] = /\.\w+$/.exec(import.meta.url) ?? []
  const tools = fileURLToPath(new URL(`tools${extension}`, import.meta.url))
  const args = [main, 'work', '--module', tools, '--store', connection, '--lease', '2s', '--concurrency', '2']
  const worker = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  await new Promise<void>(resolve => {
    worker.stderr.on('data', chunk => String(chunk).includes('[working]') && resolve())
  })
  return worker
}

async function end(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return
  const ended = once(process, 'exit')
  process.kill()
  await ended
}
