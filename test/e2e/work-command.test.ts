import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { redisIsInstalled, startRedis } from '../redis-server.ts'
import { Front, startWorker } from './queue-processes.ts'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const run = promisify(execFile)

async function failed(...args: string[]): Promise<{ code: number; stderr: string }> {
  return run(process.execPath, [MAIN, 'work', ...args]).then(
    () => expect.fail('It ended well.'),
    error => error as { code: number; stderr: string },
  )
}

describe.skipIf(!redisIsInstalled)('mcp-refcache work, a front and a worker as processes', () => {
  it('does what the front is called for; on SIGTERM it finishes what runs, and leaves the rest to others', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const record = join(redis.folder, 'record')
    const front = await Front.start(redis.url, record)
    onTestFinished(() => front.kill())
    const first = await startWorker(redis.url, record, '--concurrency', '1')
    onTestFinished(() => first.kill())
    const running = await front.call('once', { n: 3, ms: 1_500 })
    await expect.poll(() => front.poll(running)).toMatchObject({ status: 'processing' })
    const waiting = await front.call('once', { n: 4, ms: 10 })
    const ended = once(first.child, 'exit')
    first.child.kill('SIGTERM')
    expect(await ended).toEqual([143, null])
    expect(await front.poll(running)).toMatchObject({ status: 'complete', value: { n: 3, square: 9 } })
    expect((await front.poll(waiting)).status).toBe('pending')
    const second = await startWorker(redis.url, record)
    onTestFinished(() => second.kill())
    await expect.poll(() => front.poll(waiting)).toMatchObject({ status: 'complete', value: { n: 4 } })
    expect(readFileSync(record, 'utf8')).toBe('once 3\nonce 4\n')
  })

  it('says what is wrong with a module', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const module = join(redis.folder, 'tools.mjs')
    const start = () => failed('--module', module, '--store', redis.url)
    expect(await start()).toMatchObject({ code: 2, stderr: expect.stringContaining('does not load') })
    writeFileSync(module, 'export const tools = []')
    expect(await start()).toMatchObject({ code: 2, stderr: expect.stringContaining('registerTools(cache)') })
    writeFileSync(module, "export default cache => cache.cached({ name: '' }, () => 1)")
    expect(await start()).toMatchObject({ code: 2, stderr: expect.stringContaining('name') })
  })
})
