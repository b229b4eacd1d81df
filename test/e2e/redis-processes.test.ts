import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { redisStore } from '../../src/stores/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import { complete, NOW, until } from '../../src/testing/store-drafts.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'
import { program } from './fixtures/programs.ts'

const CHILD = program('store-child')
const PROCESSES = ['one', 'two', 'three', 'four']

describe.skipIf(!redisIsInstalled)('several processes on one Redis', () => {
  let server: RedisServer
  let store: Store

  beforeEach(async () => {
    server = await startRedis()
    store = redisStore(server.url, { operationTimeout: '20s' })
  })
  afterEach(async () => {
    await store?.close()
    await server?.stop()
  })

  it('win each key exactly once', async () => {
    const outputs = await Promise.all(PROCESSES.map(name => run('claim', name, '200')))
    const won = outputs.map(output => JSON.parse(output) as number[])
    expect(won.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, number) => number))
    const entries = await store.list({ cacheName: 'files', limit: 1000 })
    expect(entries).toHaveLength(200)
    for (const { key, label } of entries) {
      expect(won[PROCESSES.indexOf(label!)]).toContain(Number(key?.slice('key '.length)))
    }
  })

  it('lose no update', async () => {
    const counter = complete()
    await store.claim(counter, NOW)
    await Promise.all(PROCESSES.map(name => run('count', name, '100')))
    expect((await store.get(counter.refId))?.version).toBe(401)
  })

  it('hear of what the others change', async () => {
    const watched = complete()
    await store.claim(watched, NOW)
    let calls = 0
    const end = store.watch(watched.refId, () => calls++)
    await until(() => calls > 0, 'the subscription to be in force')
    calls = 0
    await run('count', 'one', '1')
    await until(() => calls > 0, 'the change to be heard of')
    end()
  })

  it('keep what one that was killed had written, and no half of anything', async () => {
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, [CHILD, 'write', server.url, `round ${round}`], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      await writing(child)
      await sleep(10 + round * 17)
      child.kill('SIGKILL')
      await once(child, 'exit')
      await expectWhole()
    }
  })

  async function run(job: string, name: string, count: string): Promise<string> {
    const arguments_ = [CHILD, job, server.url, name, count]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, arguments_)
    expect(stderr).toBe('')
    return stdout
  }

  async function writing(child: ChildProcess): Promise<void> {
    assert.ok(child.stdout)
    const [line] = await once(child.stdout, 'data')
    assert.match(String(line), /writing/)
  }

  /** Each entry's label is the digest of its value; a child that wrote four pairs before its death left at least these. */
  async function expectWhole(): Promise<void> {
    const entries = await store.list({ cacheName: 'files', limit: 100_000 })
    expect(entries.length).toBeGreaterThanOrEqual(4)
    for (const { refId, label } of entries) {
      const value = await store.read(refId, 'value')
      assert.ok(value)
      expect(createHash('sha256').update(value).digest('hex')).toBe(label)
    }
  }
})
