import { createClient } from '@redis/client'
import { type Job, Queue } from 'bullmq'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { actor } from '../../src/access/actor.ts'
import { AccessPolicy } from '../../src/access/policy.ts'
import { bullmqDispatcher, type RunningWorker, runWorker } from '../../src/execution/bullmq/index.ts'
import type { BullmqOptions } from '../../src/execution/bullmq/options.ts'
import type { WorkerOptions } from '../../src/execution/bullmq/worker.ts'
import { RefCache } from '../../src/ref-cache.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'

/** Registers what a front and its workers have in common. */
type Tools = (cache: RefCache) => unknown

type Call = (input: unknown, options?: object) => Promise<{ refId: string; status: string }>

const LEASE = { leaseDuration: '2s', sweepInterval: '500ms' } as const

let server: RedisServer
let places = 0
let warnings: string[]

const storePrefix = () => `store-${places}:`
const queuePrefix = () => `bull-${places}`

function open(options: Partial<BullmqOptions> = {}): RefCache {
  const cache = new RefCache({
    ...LEASE,
    name: 'queued',
    store: redisStore(server.url, { prefix: storePrefix() }),
    dispatcher: bullmqDispatcher({ connection: server.url, prefix: queuePrefix(), ...options }),
    logger: { warn: message => warnings.push(message), error: message => warnings.push(message) },
  })
  onTestFinished(() => cache.close())
  return cache
}

async function work(
  tools: Tools,
  options: WorkerOptions<RefCache> = {},
  dispatcher: Partial<BullmqOptions> = {},
): Promise<RunningWorker> {
  const worker = await runWorker(open(dispatcher), { tools, ...options })
  onTestFinished(() => worker.close())
  return worker
}

/** The queue, as BullMQ's own tools see it. */
function queueNamed(name = 'mcp-refcache-queued'): Queue {
  const connection = createClient({ url: server.url }).on('error', () => {})
  const queue = new Queue(name, { connection: connection as never, prefix: queuePrefix() })
  onTestFinished(async () => {
    await queue.close()
    connection.destroy()
  })
  return queue
}

const statusOf = (cache: RefCache, refId: string) => cache.get(refId).then(({ status }) => status)

function gate() {
  let open: () => void = () => {}
  const opened = new Promise<void>(resolve => {
    open = resolve
  })
  return { opened, open }
}

describe.skipIf(!redisIsInstalled)('work over BullMQ', () => {
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server?.stop())
  beforeEach(() => {
    places++
    warnings = []
  })

  it('runs in a worker, never in the front', async () => {
    const ran: string[] = []
    const tools = (place: string) => (cache: RefCache) =>
      cache.cached({ name: 'double' }, async ({ n }: { n: number }) => {
        ran.push(place)
        return n * 2
      })
    await work(tools('worker'))
    expect(await tools('front')(open())({ n: 21 })).toMatchObject({ isComplete: true, value: 42 })
    expect(ran).toEqual(['worker'])
    expect(warnings).toEqual([])
  })

  it('reports, grows, asks and ends as it does in one process', async () => {
    const { opened, open: goOn } = gate()
    const tools: Tools = cache =>
      cache.cached({ name: 'crawl', asyncTimeout: 0 }, async (_, task) => {
        task.progress(1, 2, 'half of it')
        await task.append([{ row: 1 }])
        await opened
        const { content } = await task.elicit({
          message: 'Whose?',
          requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
        })
        await task.append([{ row: content?.name as string }])
      })
    await work(tools)
    const front = open()
    const ada = { actor: actor.user({ id: 'ada' }) }
    const crawl = tools(front) as Call
    const { refId } = await crawl({}, { ...ada, interactive: true })
    await expect
      .poll(() => front.get(refId, ada))
      .toMatchObject({ progress: { current: 1, total: 2, message: 'half of it' }, available: 1 })
    goOn()
    await expect
      .poll(() => front.get(refId, ada))
      .toMatchObject({ inputRequests: { 'elicit-1': { method: 'elicitation/create' } } })
    await front.answerTask(refId, { 'elicit-1': { action: 'accept', content: { name: 'Ada' } } }, ada)
    await expect.poll(() => statusOf(front, refId)).toBe('complete')
    expect(await front.resolve(refId)).toEqual([{ row: 1 }, { row: 'Ada' }])
  })

  it('ends in the worker when the front cancels it', async () => {
    const aborted = gate()
    const tools: Tools = cache =>
      cache.cached({ name: 'endless', asyncTimeout: 0 }, async (_, task) => {
        task.progress(1)
        await new Promise(resolve => task.signal.addEventListener('abort', resolve))
        aborted.open()
      })
    await work(tools)
    const front = open()
    const { refId } = await (tools(front) as Call)({})
    await expect.poll(() => statusOf(front, refId)).toBe('processing')
    await front.cancelTask(refId)
    await aborted.opened
    expect(await statusOf(front, refId)).toBe('cancelled')
  })

  it('is tried again by hand at once, though its job may not have ended', async () => {
    let tries = 0
    const tools: Tools = cache =>
      cache.cached({ name: 'second', asyncTimeout: 0, maxRetries: 0 }, async () => {
        if (++tries < 4) throw new Error('not yet')
        return 'now'
      })
    await work(tools)
    const front = open()
    const { refId } = await (tools(front) as Call)({})
    for (let time = 0; time < 3; time++) {
      await expect.poll(() => statusOf(front, refId), { interval: 1 }).toBe('failed')
      await front.retryTask(refId)
    }
    await expect.poll(() => statusOf(front, refId)).toBe('complete')
    expect(tries).toBe(4)
  })

  it('is left to others by a worker that lacks its tool, which says so once', async () => {
    await work(() => {})
    const front = open()
    const tool = front.cached({ name: 'rare', asyncTimeout: 0 }, async (_: { n: number }) => 'never here')
    const handles = await Promise.all([1, 2].map(n => tool({ n })))
    await expect.poll(() => warnings).toHaveLength(1)
    expect(warnings[0]).toContain("lacks the tool 'rare'")
    await work(cache => cache.cached({ name: 'rare' }, async (_: { n: number }) => 'done'))
    for (const { refId } of handles) await expect.poll(() => statusOf(front, refId)).toBe('complete')
    expect(warnings).toHaveLength(1)
  })

  it('is found by a sweep where its announcement was lost', async () => {
    const front = open()
    const tool = front.cached({ name: 'late', asyncTimeout: 0 }, async () => 'never here')
    const { refId } = await tool({})
    const queue = queueNamed()
    await expect.poll(() => queue.getWaitingCount()).toBe(1)
    await queue.obliterate({ force: true })
    await work(cache => cache.cached({ name: 'late' }, async () => 'found'))
    await expect.poll(() => statusOf(front, refId)).toBe('complete')
  })

  it('waits as one job, however often it is announced', async () => {
    const front = open()
    const announce = vi.spyOn(front.dispatcher, 'dispatch')
    const recovered = vi.fn()
    front.on('task:recovered', recovered)
    const tool = front.cached({ name: 'waiting', asyncTimeout: 0 }, async () => 'never here')
    const { refId } = await tool({})
    const queue = queueNamed()
    const announced = () => announce.mock.calls.filter(([work]) => work.refId === refId).length
    await expect.poll(announced, { timeout: 60_000 }).toBe(3)
    expect(recovered).not.toHaveBeenCalled()
    expect(await queue.getJobCountByTypes('waiting', 'delayed', 'active', 'prioritized')).toBe(1)
  })

  it('is run once, whoever starts its job a second time, and a job of nothing does nothing', async () => {
    let runs = 0
    const { opened, open: goOn } = gate()
    const tools: Tools = cache =>
      cache.cached({ name: 'once', asyncTimeout: 0 }, async () => {
        runs++
        await opened
        return 'done'
      })
    await work(tools)
    await work(tools)
    const front = open()
    const { refId } = await (tools(front) as Call)({})
    await expect.poll(() => runs).toBe(1)
    const queue = queueNamed()
    const twins = [refId, refId, 'queued:00000000000000000000000000000000'].map(id =>
      queue.add('once', { refId: id }),
    )
    const jobs = await Promise.all(twins)
    await expect.poll(() => Promise.all(jobs.map(job => job.getState()))).toEqual(Array(3).fill('completed'))
    goOn()
    await expect.poll(() => statusOf(front, refId)).toBe('complete')
    expect(runs).toBe(1)
  })

  it('carries the reference alone, under the name of its tool', async () => {
    const front = open({ jobOptions: ({ toolName }) => ({ priority: toolName.length }) })
    const tool = front.cached({ name: 'secretive', asyncTimeout: 0 }, async (_: object) => 'never here')
    const { refId } = await tool({ password: 'hunter2' })
    const queue = queueNamed()
    const jobs = () => queue.getJobs(['prioritized', 'waiting'])
    await expect.poll(async () => (await jobs()).length).toBe(1)
    const [job] = (await jobs()) as [Job]
    expect(job).toMatchObject({ name: 'secretive', data: { refId }, opts: { priority: 9 } })
    const raw = createClient({ url: server.url })
    await raw.connect()
    const keys = await raw.keys(`${queuePrefix()}*`)
    const types = await Promise.all(keys.map(key => raw.type(key)))
    const hashes = keys.filter((_, at) => types[at] === 'hash')
    const held = await Promise.all(hashes.map(key => raw.hGetAll(key)))
    raw.destroy()
    expect(JSON.stringify(held)).toContain(refId)
    expect(JSON.stringify(held)).not.toContain('hunter2')
  })

  it('uses what the caller may not see, and the answer is guarded as in one process', async () => {
    const tools: Tools = cache =>
      cache.cached({ name: 'mean' }, async ({ rows }: { rows: number[] }) => {
        if (rows.length === 0) throw new Error('there are no rows')
        return rows.reduce((sum, row) => sum + row, 0) / rows.length
      })
    await work(tools)
    const front = open()
    const bob = actor.agent({ id: 'bob' })
    const { refId } = await front.set('salaries', [1000, 3000], { policy: AccessPolicy.executeOnly })
    const mean = tools(front) as Call
    const answer = await mean({ rows: refId }, { actor: bob })
    expect(answer).not.toHaveProperty('value')
    expect(answer).not.toHaveProperty('preview')
    expect(await front.resolve(answer.refId, { actor: actor.user({ id: 'ada' }) })).toBe(2000)
  })

  it('is never that of a cache of another name, also in one queue', async () => {
    const ran: string[] = []
    const tools = (place: string) => (cache: RefCache) =>
      cache.cached({ name: 'same', asyncTimeout: 0 }, async () => void ran.push(place))
    await work(tools('ours'), {}, { queue: 'one' })
    const other = new RefCache({
      ...LEASE,
      name: 'other',
      store: redisStore(server.url, { prefix: storePrefix() }),
      dispatcher: bullmqDispatcher({ connection: server.url, prefix: queuePrefix(), queue: 'one' }),
    })
    onTestFinished(() => other.close())
    const { refId } = await (tools('front') as (cache: RefCache) => Call)(other)({})
    await expect.poll(() => warnings.join()).toContain('serves a cache of another name')
    expect(await statusOf(other, refId)).toBe('pending')
    expect(ran).toEqual([])
  })

  it('goes back into the queue at once where its worker closes before it began', async () => {
    const held = gate()
    const tools = (place: string) => (cache: RefCache) =>
      cache.cached({ name: 'turns', asyncTimeout: 0, maxConcurrentTasks: 1 }, async () => {
        if (place === 'one') await held.opened
        return place
      })
    // A long lease: no sweep helps.
    const patient = () =>
      new RefCache({
        name: 'queued',
        store: redisStore(server.url, { prefix: storePrefix() }),
        dispatcher: bullmqDispatcher({ connection: server.url, prefix: queuePrefix() }),
        leaseDuration: '10m',
      })
    const one = await runWorker(patient(), { tools: tools('one'), concurrency: 5 })
    const front = patient()
    onTestFinished(() => front.close())
    const call = tools('front')(front) as unknown as Call
    const handles = await Promise.all([1, 2, 3, 4, 5].map(n => call({ n })))
    const queue = queueNamed()
    await expect.poll(() => queue.getActiveCount()).toBe(5)
    const closed = one.close({ drain: '10s' })
    held.open()
    await closed
    const two = await runWorker(patient(), { tools: tools('two') })
    onTestFinished(() => two.close())
    for (const { refId } of handles) await expect.poll(() => statusOf(front, refId)).toBe('complete')
  })

  it('holds up no end of a process while the queue is away', async () => {
    const queueServer = await startRedis()
    const front = open({ connection: queueServer.url })
    const tool = front.cached({ name: 'unheard', asyncTimeout: 0 }, async (_: object) => 'never here')
    const worker = await runWorker(open({ connection: queueServer.url }))
    await tool({})
    await queueServer.stop()
    await tool({ again: true })
    // Each waits for seconds, not for the queue.
    await Promise.all([front.close(), worker.close()])
  })

  it('waits, and nothing is put into a queue, while its queue cannot be named', async () => {
    let name = 'not:a:name'
    const queue = () => name
    const front = open({ queue })
    const tool = front.cached({ name: 'unnamed', asyncTimeout: 0 }, async () => 'never here')
    const { refId } = await tool({})
    await expect.poll(() => warnings.join()).toContain('without colons')
    expect(await queueNamed('mcp-refcache').getJobCounts('waiting')).toEqual({ waiting: 0 })
    name = 'named'
    await work(cache => cache.cached({ name: 'unnamed' }, async () => 'done'), { queue: name }, { queue })
    await expect.poll(() => statusOf(front, refId)).toBe('complete')
  })

  it('has queues of its own for tools that want one, and some that run in the front', async () => {
    const ran: string[] = []
    const tools = (place: string) => (cache: RefCache) =>
      ['fast', 'slow', 'local'].map(name =>
        cache.cached({ name }, async () => void ran.push(`${name} ${place}`)),
      )
    const queue = (toolName: string) => (toolName === 'local' ? undefined : `for-${toolName}`)
    await expect(runWorker(open({ queue }))).rejects.toThrow('say which `queue`')
    await work(tools('one'), { queue: 'for-fast' }, { queue })
    await work(tools('two'), { queue: 'for-slow' }, { queue })
    for (const tool of tools('front')(open({ queue }))) await tool({})
    expect(ran.sort()).toEqual(['fast one', 'local front', 'slow two'])
  })

  it('finishes, or is given away, when its worker closes', async () => {
    const held = gate()
    const places: string[] = []
    const tools = (place: string) => (cache: RefCache) => [
      cache.cached({ name: 'short', asyncTimeout: 0 }, async () => {
        places.push(`short ${place}`)
        await held.opened
        return 'finished'
      }),
      cache.cached({ name: 'long', asyncTimeout: 0, idempotent: true }, async (_, task) => {
        places.push(`long ${place}`)
        if (place === 'two') return 'taken over'
        await new Promise(resolve => task.signal.addEventListener('abort', resolve))
        throw new Error('aborted')
      }),
    ]
    const one = await work(tools('one'))
    const front = open()
    const [short, long] = tools('front')(front) as Call[]
    const { refId: shortId } = await short!({})
    const { refId: longId } = await long!({})
    await expect.poll(() => places.length).toBe(2)
    const closed = one.close({ drain: '5s' })
    held.open()
    await closed
    expect(await front.resolve(shortId)).toBe('finished')
    await work(tools('two'))
    await expect.poll(() => statusOf(front, longId)).toBe('complete')
    expect(places).toEqual(['short one', 'long one', 'long two'])
  })

  it('waits while the queue is away, which is said once, and goes on when it is back', async () => {
    const queueServer = await startRedis({ durable: true })
    onTestFinished(() => queueServer.stop())
    const connection = queueServer.url
    const tools: Tools = cache => cache.cached({ name: 'patient', asyncTimeout: 0 }, async () => 'done')
    await work(tools, {}, { connection })
    const front = open({ connection })
    const tool = tools(front) as Call
    const before = await tool({ n: 1 })
    await expect.poll(() => statusOf(front, before.refId)).toBe('complete')
    await queueServer.kill()
    const meanwhile = await tool({ n: 2 })
    await expect.poll(() => warnings.join()).toContain('BullMQ is in trouble')
    await queueServer.start()
    await expect.poll(() => statusOf(front, meanwhile.refId), { timeout: 60_000 }).toBe('complete')
  })
})

describe('options of BullMQ work', () => {
  it('are checked', async () => {
    const connect = (options: object) => () => bullmqDispatcher(options as BullmqOptions)
    expect(connect({})).toThrow('`connection` is the URL')
    expect(connect({ connection: 'localhost' })).toThrow('`connection` is the URL')
    expect(connect({ connection: 'redis://localhost', queue: 'a:b' })).toThrow('without colons')
    expect(connect({ connection: 'redis://localhost', nope: 1 })).toThrow('nope')
    await using cache = new RefCache()
    await expect(runWorker(cache)).rejects.toThrow('bullmqDispatcher')
  })
})
