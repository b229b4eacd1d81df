import { createClient } from '@redis/client'
import { Queue, QueueEvents, Worker } from 'bullmq'
import { bullmqDispatcher, runWorker } from '../src/execution/bullmq/index.ts'
import { RefCache } from '../src/ref-cache.ts'
import { redisStore } from '../src/stores/redis.ts'
import { redisIsInstalled, startRedis } from '../test/redis-server.ts'
import { interleave } from './interleave.ts'
import { compared, duration, type Row } from './row.ts'

const CONCURRENCY = 20
const TASKS = 400
const PLAN = { rounds: 5, batch: 1 }
const INPUT = { text: 'what is worked on '.repeat(20) }
const RESULT = { rows: Array.from({ length: 20 }, (_, id) => ({ id, name: `row ${id}` })) }

interface Side {
  /** One task, from its call to its result. */
  run(n: number): Promise<unknown>
  close(): Promise<void>
}

/** Work over BullMQ: a front and a worker, against bare BullMQ with the same payload, concurrency and stored result. */
export async function workersBench(): Promise<Row[]> {
  if (!redisIsInstalled) return []
  const server = await startRedis({ durable: true })
  const [ours, bare] = [await cacheSide(server.url), await bareSide(server.url)]
  try {
    const [oursMs, bareMs] = await interleave([() => all(ours), () => all(bare)], PLAN)
    const perTask = (ms: number) => ms / TASKS
    return [
      compared(
        `a task over BullMQ, ${CONCURRENCY} at once`,
        perTask(oursMs!),
        'bare BullMQ',
        perTask(bareMs!),
      ),
      await pollRow(server.url, ours),
    ]
  } finally {
    await ours.close()
    await bare.close()
    await server.stop()
  }
}

let called = 0

async function all({ run }: Side): Promise<void> {
  let left = TASKS
  const lane = async () => {
    while (left-- > 0) await run(++called)
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, lane))
}

function cacheOn(connection: string): RefCache {
  return new RefCache({ store: redisStore(connection), dispatcher: bullmqDispatcher({ connection }) })
}

const registerTools = (cache: RefCache) =>
  cache.cached({ name: 'work', asyncTimeout: '60s', memoize: false }, async (_: object) => RESULT)

async function cacheSide(url: string): Promise<Side & { front: RefCache }> {
  const worker = await runWorker(cacheOn(url), { tools: registerTools, concurrency: CONCURRENCY })
  const front = cacheOn(url)
  const work = registerTools(front)
  return {
    front,
    run: n => work({ ...INPUT, n }),
    async close() {
      await front.close()
      await worker.close()
    },
  }
}

async function bareSide(url: string): Promise<Side> {
  const clients = await Promise.all(
    [1, 2, 3].map(async () => createClient({ url }).on('error', () => {}) as never),
  )
  const [forQueue, forWorker, forEvents] = clients
  const queue = new Queue('bare', { connection: forQueue! })
  // Whoever waits for a job listens.
  queue.setMaxListeners(0)
  const worker = new Worker('bare', async () => RESULT, {
    connection: forWorker!,
    concurrency: CONCURRENCY,
  })
  const events = new QueueEvents('bare', { connection: forEvents! })
  await Promise.all([worker.waitUntilReady(), events.waitUntilReady()])
  return {
    run: async n => (await queue.add('work', { ...INPUT, n })).waitUntilFinished(events),
    async close() {
      for (const part of [worker, events, queue]) await part.close()
      for (const client of clients) (client as { destroy(): void }).destroy()
    },
  }
}

const POLLS = 500

/** What a poll takes while that work runs, against reading one key. */
async function pollRow(url: string, { front, run }: Side & { front: RefCache }): Promise<Row> {
  const client = createClient({ url })
  await client.connect()
  await client.set('bench', JSON.stringify(RESULT))
  const { refId } = await front.set('polled', RESULT)
  let over = false
  const busy = Promise.all(
    Array.from({ length: CONCURRENCY / 2 }, async () => {
      while (!over) await run(++called)
    }),
  )
  const times: [number[], number[]] = [[], []]
  for (let n = 0; n < POLLS; n++) {
    times[0].push(await timeOf(() => front.get(refId)))
    times[1].push(await timeOf(() => client.get('bench')))
  }
  over = true
  await busy
  client.destroy()
  const [ours, bare] = times.map(list => list.sort((a, b) => a - b)[Math.floor(POLLS * 0.99)]!)
  return {
    what: 'a poll while that runs, p99',
    ours: duration(ours!),
    against: `GET: ${duration(bare!)}`,
    ratio: ours! / bare!,
  }
}

async function timeOf(run: () => Promise<unknown>): Promise<number> {
  const begunAt = performance.now()
  await run()
  return performance.now() - begunAt
}
