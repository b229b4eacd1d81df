import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { redisIsInstalled, startRedis } from '../redis-server.ts'
import { Random, SEED } from './fault/random.ts'
import { Front, type Polled, startWorker } from './queue-processes.ts'

const TASKS = 500
const FAULT_EVERY_MS = 1_500
const PATIENCE_MS = 180_000

interface Handle {
  readonly refId: string
  readonly tool: 'safe' | 'once'
  readonly n: number
}

describe.skipIf(!redisIsInstalled)(
  'two fronts and three workers, killed at random, and a Redis that crashes',
  () => {
    it('lose no result, run nothing twice that must run once, and settle everything', async () => {
      const random = new Random(SEED)
      const seed = SEED
      const redis = await startRedis({ durable: true })
      onTestFinished(() => redis.stop())
      const record = join(redis.folder, 'record')
      const newFront = () => Front.start(redis.url, record)
      const newWorker = () => startWorker(redis.url, record)
      // Whoever calls waits for the front that comes after one that was killed.
      const fronts = [newFront(), newFront()] as [Promise<Front>, Promise<Front>]
      const workers = await Promise.all([newWorker(), newWorker(), newWorker()])
      let over = false
      const faults = async () => {
        for (let at = 1; !over; at++) {
          await sleep(FAULT_EVERY_MS)
          if (over) return
          if (at % 6 === 3) {
            await redis.kill()
            await sleep(300)
            await redis.start()
          } else if (at % 3 === 0) {
            const place = random.pick([0, 1] as const)
            fronts[place] = fronts[place].then(front => front.kill()).then(newFront)
            await fronts[place]
          } else {
            const place = random.pick([0, 1, 2])
            await workers[place]?.kill()
            workers[place] = await newWorker()
          }
        }
      }
      const broken = faults()
      onTestFinished(async () => {
        over = true
        await broken.catch(() => {})
        await Promise.all([...(await Promise.all(fronts)), ...workers].map(one => one.kill()))
      })

      const handles: Handle[] = []
      for (let n = 0; n < TASKS; n++) {
        const tool = n % 2 === 0 ? 'safe' : 'once'
        // A call whose front is killed has no handle; one that has, has it for good.
        const front = await fronts[n % 2 === 0 ? 0 : 1]
        const refId = await front.call(tool, { n, ms: 20 + (n % 7) * 20 }).catch(() => undefined)
        if (refId !== undefined) handles.push({ refId, tool, n })
        await sleep(10)
      }
      over = true
      await broken
      expect(handles.length, `seed ${seed}`).toBeGreaterThan(TASKS * 0.8)

      const end = Date.now() + PATIENCE_MS
      const settled = async ({ refId }: Handle, front: Front): Promise<Polled> => {
        for (;;) {
          const polled = await front.poll(refId, '2s')
          if (/complete|failed|cancelled/.test(polled.status)) return polled
          expect(Date.now(), `${refId} is ${polled.status}; seed ${seed}`).toBeLessThan(end)
        }
      }
      const [even, odd] = await Promise.all(fronts)
      const answers = await Promise.all(
        handles.map((handle, at) => settled(handle, at % 2 === 0 ? even : odd)),
      )
      const runs = readFileSync(record, 'utf8').trim().split('\n')
      for (const [at, { tool, n, refId }] of handles.entries()) {
        const { status, value, errorCode } = answers[at] as Polled
        const times = runs.filter(run => run === `${tool} ${n}`).length
        const what = `${tool} ${n} ${refId} ${status} ${errorCode}; seed ${seed}`
        if (status === 'complete') expect(value, what).toEqual({ n, square: n * n })
        else expect([tool, errorCode], what).toEqual(['once', 'worker_lost'])
        if (tool === 'once') expect(times, what).toBeLessThanOrEqual(1)
        else expect(times, what).toBeGreaterThanOrEqual(1)
      }
    })
  },
)
