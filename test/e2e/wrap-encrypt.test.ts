import { randomBytes, randomUUID } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { EVERYTHING, PLAIN, Workshop } from './fixtures/wrap-harness.ts'

const KEY = randomBytes(32).toString('base64')
const NEXT_KEY = randomBytes(32).toString('base64')

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

const keys = (...ring: string[]) => ({ MCP_REFCACHE_KEYS: ring.join(',') })

it('stores no word of a call in clear, under a key that changed meanwhile no less', async () => {
  const mark = randomUUID()
  const echo = async (wrap: string[], env: Record<string, string>) => {
    const kept = [...wrap, '--memoize', 'echo-params']
    const { client } = await workshop.clientOfProcess(PLAIN, { wrap: kept, env })
    const { _meta } = await client.callTool({ name: 'echo-params', arguments: { mark } })
    return { client, refId: String(_meta?.['mcp-refcache/ref_id']) }
  }
  const first = await echo(['--encrypt'], keys(`a:${KEY}`))
  expect(isInFiles(mark)).toBe(false)
  await first.client.close()

  const second = await echo(['--encrypt'], keys(`b:${NEXT_KEY}`, `a:${KEY}`))
  const read = await second.client.callTool({
    name: 'get_cached_result',
    arguments: { ref_id: first.refId, full: true },
  })
  expect(JSON.stringify(read)).toContain(mark)
  expect(isInFiles(mark)).toBe(false)
  await second.client.close()

  await echo([], {})
  expect(isInFiles(mark)).toBe(true)
})

it('keeps its keys from the server that it wraps, encrypting or not', async () => {
  for (const wrap of [['--encrypt'], []]) {
    const env = { ...keys(`a:${KEY}`), FOR_THE_SERVER: 'this' }
    const { client } = await workshop.clientOfProcess(EVERYTHING, {
      wrap: [...wrap, '--max-size', '100000'],
      env,
    })
    const seen = JSON.stringify(await client.callTool({ name: 'get-env', arguments: {} }))
    expect(seen).toContain('FOR_THE_SERVER')
    expect(seen).not.toContain(KEY)
    expect(seen).not.toContain('MCP_REFCACHE_KEYS')
  }
})

it('has a default file of its own', async () => {
  const env = { ...keys(`a:${KEY}`), XDG_CACHE_HOME: workshop.folder }
  const raw = workshop.process(['wrap', '--encrypt', '--', ...PLAIN], env)
  await raw.initialize()
  const fileOf = (name: string) => join(workshop.folder, 'mcp-refcache', name)
  expect(existsSync(fileOf('encrypted-3.db'))).toBe(true)
  expect(existsSync(fileOf('cache-3.db'))).toBe(false)
})

it('takes its keys from a file that is for its user alone', async () => {
  const file = join(workshop.folder, 'keys')
  writeFileSync(file, `a:${KEY}\n`)
  chmodSync(file, 0o644)
  const command = ['wrap', '--encrypt-key-file', file, '--store', workshop.store, '--', ...PLAIN]
  const refused = workshop.process(command)
  expect(await refused.exit).toMatchObject({ code: 2 })
  expect(refused.stderr).toContain('is open to others')

  chmodSync(file, 0o600)
  const mark = randomUUID()
  const { client } = await workshop.clientOfProcess(PLAIN, {
    wrap: ['--encrypt-key-file', file, '--memoize', 'echo-params'],
  })
  await client.callTool({ name: 'echo-params', arguments: { mark } })
  expect(existsSync(workshop.store)).toBe(true)
  expect(isInFiles(mark)).toBe(false)
})

it('does not start without keys', async () => {
  const raw = workshop.process(['wrap', '--encrypt', '--', ...PLAIN], { MCP_REFCACHE_KEYS: KEY })
  expect(await raw.exit).toMatchObject({ code: 2 })
  expect(raw.stderr).toContain('Key 1 of MCP_REFCACHE_KEYS is malformed')
  expect(raw.stderr).not.toContain(KEY)
  expect(workshop.journal('start')).toEqual([])
})

function isInFiles(mark: string): boolean {
  return ['', '-wal', '-shm'].some(end => {
    const path = workshop.store + end
    return existsSync(path) && readFileSync(path).includes(mark)
  })
}
