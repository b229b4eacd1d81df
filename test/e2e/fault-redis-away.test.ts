import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'
import { runsOf } from './fault/outside.ts'
import { until } from './fault/until.ts'
import { Refused, type ToolName, Worker, type WorkerConfig } from './fault/worker.ts'

/** An operator hears of trouble when it begins and when it is over; who asked for nothing meanwhile hears of none. */
const TROUBLE = /^(mcp-refcache error: The store .*\nmcp-refcache warn: .*works again.*\n)*$/

describe.skipIf(!redisIsInstalled)('redis-server killed and started again', () => {
  let server: RedisServer
  let folder: string
  let config: WorkerConfig

  beforeEach(async () => {
    server = await startRedis({ durable: true })
    folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-fault-'))
    config = { store: { kind: 'redis', at: server.url }, record: join(folder, 'record') }
  })

  afterEach(async () => {
    await server.stop()
    await rm(folder, { recursive: true })
  })

  it.each<ToolName>(['safe', 'unsafe'])('lets running tasks settle when it is back (%s tool)', async tool => {
    const gate = join(folder, 'gate')
    const [worker, other] = await Promise.all([Worker.start(config), Worker.start(config)])
    const before = await worker.call(tool, { id: 'before', size: 5_000 })
    // One ends while the server is away, one after it is back, and both report progress all the time.
    const short = await worker.call(tool, { id: 'short', ms: 600, steps: 60 }, { asyncTimeout: 0 })
    const long = await worker.call(tool, { id: 'long', ms: 500, steps: 50, gate }, { asyncTimeout: 0 })
    await worker.hears(line => line.begun === 'long')
    const polling = other.get(long.refId, { wait: 60_000 }).catch(error => error)

    await server.kill()
    const asked = [
      worker.call(tool, { id: 'new' }),
      worker.get(before.refId),
      worker.cancel(short.refId),
      other.get(long.refId),
    ]
    for (const answer of await Promise.allSettled(asked)) {
      expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } })
    }
    // Once it is known to be away, nobody waits to be told so again.
    const begin = performance.now()
    await expect(worker.get(before.refId)).rejects.toMatchObject({ code: 'store_unavailable' })
    console.log(`Refused in ${(performance.now() - begin).toFixed(1)} ms while Redis is away`)
    await worker.hears(line => line.ended === 'short')
    await sleep(500)

    await server.start()
    expect(await patiently(() => other.outcome(short.refId))).toMatchObject({
      status: 'complete',
      value: { id: 'short', by: worker.pid, intact: true },
    })
    await writeFile(gate, '')
    expect(await other.outcome(long.refId)).toMatchObject({
      status: 'complete',
      value: { by: worker.pid, intact: true },
    })
    expect(await worker.look(before.refId)).toMatchObject({ value: { intact: true } })
    expect(await worker.call(tool, { id: 'new' })).toMatchObject({ status: 'complete' })
    for (const id of ['before', 'short', 'long', 'new']) expect(runsOf(config.record, id)).toBe(1)
    // A poll that waited all the time is answered, or was told why not.
    const polled = await polling
    if (polled instanceof Refused) expect(polled.code).toBe('store_unavailable')
    else expect(polled).toMatchObject({ status: 'complete', refId: long.refId })
    await Promise.all([worker.end(TROUBLE), other.end(TROUBLE)])
  })

  it('recovers the tasks of a process that died while it was away', async () => {
    const quick = { ...config, cache: { leaseDuration: 500, sweepInterval: 100 } }
    const [victim, survivor] = await Promise.all([Worker.start(quick), Worker.start(quick)])
    const { refId } = await victim.call('safe', { id: 'lost', ms: 60_000 }, { asyncTimeout: 0 })
    const once = await victim.call('unsafe', { id: 'once', ms: 60_000 }, { asyncTimeout: 0 })
    await victim.hears(line => line.begun === 'once')
    await server.kill()
    await victim.kill()
    await server.start()
    await survivor.hears(line => line.begun === 'lost')
    expect(await patiently(() => survivor.outcome(once.refId))).toMatchObject({ errorCode: 'worker_lost' })
    expect(await survivor.look(refId)).toMatchObject({ status: 'processing' })
    await survivor.cancel(refId)
    expect(runsOf(config.record, 'once')).toBe(1)
    await survivor.end(TROUBLE)
  })
})

/** Reconnecting takes a moment, and until then every answer is that the store is away. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  let answer: { value: T } | undefined
  await until(async () => {
    try {
      answer = { value: await ask() }
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'store_unavailable') throw error
    }
    return answer !== undefined
  }, 'Redis should be there again')
  return answer!.value
}
