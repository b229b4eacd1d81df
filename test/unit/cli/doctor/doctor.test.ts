import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { checkClients } from '../../../../src/cli/doctor/check-clients.ts'
import { checkNode } from '../../../../src/cli/doctor/check-node.ts'
import { checkServer } from '../../../../src/cli/doctor/check-servers.ts'
import { checkStore } from '../../../../src/cli/doctor/check-store.ts'
import type { Transport } from '../../../../src/clients/configured-server.ts'
import { RefCache } from '../../../../src/ref-cache.ts'
import { sqliteStore } from '../../../../src/stores/sqlite.ts'
import { type RedisServer, redisIsInstalled, startRedis } from '../../../redis-server.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

async function storeAt(path: string): Promise<void> {
  const cache = new RefCache({ name: 'doctor', store: sqliteStore(path) })
  await cache.set('a', 'secret-value')
  await cache.close()
}

it('every finding that is not in order says what to do', async () => {
  writeFileSync(join(folder, 'x.db'), 'no database '.repeat(500), { mode: 0o644 })
  for (const { level, advice } of [
    ...(await checkStore(join(folder, 'x.db'))),
    ...(await checkNode('18.0.0')),
  ]) {
    if (level !== 'ok') expect(advice).toMatch(/\w{3}/)
  }
})

describe('Node', () => {
  it('is too old below 20', async () => {
    expect((await checkNode('18.20.0'))[0]).toMatchObject({
      level: 'mend',
      message: expect.stringContaining('20'),
    })
    expect((await checkNode())[0]).toMatchObject({ level: 'ok' })
  })

  it('has a SQLite, whose version is said', async () => {
    expect((await checkNode())[1]).toMatchObject({
      subject: 'SQLite',
      message: expect.stringMatching(/^3\.\d+\.\d+/),
    })
  })
})

describe('a store in a file', () => {
  it('in order is counted, and not changed', async () => {
    const path = join(folder, 'cache.db')
    await storeAt(path)
    const before = { bytes: readFileSync(path), mtimeMs: statSync(path).mtimeMs }
    const findings = await checkStore(path)
    expect(findings).toMatchObject([
      { level: 'ok', message: expect.stringContaining('1 entries'), data: { entries: 1 } },
    ])
    expect(JSON.stringify(findings)).not.toContain('secret-value')
    expect({ bytes: readFileSync(path), mtimeMs: statSync(path).mtimeMs }).toEqual(before)
  })

  it('open to others is to be mended, with the command that does', async () => {
    const path = join(folder, 'cache.db')
    await storeAt(path)
    chmodSync(path, 0o644)
    const [modes] = await checkStore(path)
    expect(modes).toMatchObject({
      level: 'mend',
      message: expect.stringContaining('644'),
      advice: expect.stringContaining(`chmod 600 '${path}'`),
    })
  })

  it('that is damaged, that is no database, or another one, is named', async () => {
    const path = join(folder, 'cache.db')
    await storeAt(path)
    const bytes = readFileSync(path)
    writeFileSync(path, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 7)]))
    expect((await checkStore(path)).at(-1)).toMatchObject({ level: 'mend' })
    writeFileSync(path, 'plain text, and long enough to be looked at '.repeat(100))
    expect((await checkStore(path)).at(-1)).toMatchObject({
      level: 'mend',
      message: expect.stringContaining('cannot be read'),
    })
    writeFileSync(path, '')
    expect((await checkStore(path)).at(-1)).toMatchObject({
      level: 'mend',
      message: expect.stringContaining('another program'),
    })
    expect(await checkStore(join(folder, 'none.db'))).toMatchObject([
      { level: 'mend', message: 'is not there.' },
    ])
  })

  it('of the default: none is in order, and each that is there is looked at', async () => {
    vi.stubEnv('XDG_CACHE_HOME', folder)
    expect(await checkStore(undefined)).toMatchObject([
      { level: 'ok', message: expect.stringContaining('not there yet') },
    ])
    mkdirSync(join(folder, 'mcp-refcache'))
    await storeAt(join(folder, 'mcp-refcache', 'cache-3.db'))
    expect(await checkStore(undefined)).toMatchObject([{ level: 'ok', data: { entries: 1 } }])
    expect(await checkStore('memory')).toEqual([])
  })
})

describe('Redis', () => {
  it('that is away, or needs another password, is to be mended, and no password is shown', async () => {
    const findings = await checkStore('redis://:s3cr3t-password@127.0.0.1:1')
    expect(findings).toMatchObject([{ level: 'mend', message: expect.stringContaining('ECONNREFUSED') }])
    expect(JSON.stringify(findings)).not.toContain('s3cr3t')
  })

  describe.skipIf(!redisIsInstalled)('that runs', () => {
    let server: RedisServer
    beforeAll(async () => {
      server = await startRedis()
    })
    afterAll(() => server?.stop())

    it('says whether it drops entries, and whether a crash loses some', async () => {
      const { createClient } = await import('@redis/client')
      const admin = await createClient({ url: server.url }).connect()
      try {
        expect((await checkStore(server.url))[0]).toMatchObject({
          level: 'ok',
          message: expect.stringContaining('version'),
        })
        await admin.sendCommand([
          'CONFIG',
          'SET',
          'maxmemory',
          '100mb',
          'maxmemory-policy',
          'allkeys-lru',
          'appendonly',
          'no',
        ])
        expect(await checkStore(server.url)).toMatchObject([
          { level: 'ok' },
          {
            level: 'mend',
            message: expect.stringContaining('allkeys-lru'),
            advice: expect.stringContaining('noeviction'),
          },
          { level: 'note', message: expect.stringContaining('crash') },
        ])
        await admin.sendCommand(['CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'appendonly', 'yes'])
        expect((await checkStore(server.url)).map(({ level }) => level)).toEqual(['ok'])
      } finally {
        admin.destroy()
      }
    })
  })
})

describe('the clients of this machine', () => {
  const check = () =>
    checkClients({ platform: 'linux', env: {}, home: folder, folder: join(folder, 'project') })

  it('are told with their limits, and what is not behind mcp-refcache with the command that does it', () => {
    mkdirSync(join(folder, '.cursor'))
    const path = join(folder, '.cursor', 'mcp.json')
    writeFileSync(
      path,
      JSON.stringify({ mcpServers: { db: { command: 'db', env: { PASSWORD: 's3cr3t' } } } }),
      { mode: 0o644 },
    )
    const findings = check()
    expect(findings).toMatchObject([
      {
        level: 'note',
        message: expect.stringMatching(/1 of 1 servers.*\(db\).*waits 300 s/),
        advice: 'mcp-refcache init --client cursor',
      },
      { level: 'note', advice: `chmod 600 '${path}'` },
    ])
    expect(JSON.stringify(findings)).not.toContain('s3cr3t')
    writeFileSync(
      path,
      JSON.stringify({ mcpServers: { db: { command: 'mcp-refcache', args: ['wrap', '--', 'db'] } } }),
    )
    expect(check()).toMatchObject([{ level: 'ok' }])
    writeFileSync(path, '{')
    expect(check()).toMatchObject([{ level: 'mend', message: expect.stringContaining('not valid JSON') }])
  })
})

describe('a server', () => {
  const check = (transport: Transport, deadlineMs = 20_000) =>
    checkServer({ name: 'mine', place: [], disabled: false, transport }, deadlineMs)
  const node = (script: string, env = {}) =>
    ({ kind: 'stdio', command: process.execPath, args: ['-e', script], env }) as const

  it('that cannot be started says why, and gives away none of its secrets', async () => {
    const script = "console.error('the key hunter2-key is wrong'); process.exit(1)"
    const [ended] = await check(node(script, { KEY: 'hunter2-key' }))
    expect(ended).toMatchObject({ level: 'mend', message: expect.stringContaining('the key ••• is wrong') })
    expect((await check({ kind: 'stdio', command: 'no-such-command', args: [], env: {} }))[0]).toMatchObject({
      level: 'mend',
      message: expect.stringContaining('ENOENT'),
    })
    expect((await check({ kind: 'unusable', problem: 'it has no command' }))[0]).toMatchObject({
      level: 'mend',
    })
    expect((await check({ kind: 'http', url: 'http://127.0.0.1:1/mcp', headers: {} }))[0]).toMatchObject({
      level: 'mend',
    })
  })

  it('that has references itself is not compared with a wrapped one', async () => {
    const names = ['list_orders', 'get_cached_result', 'cancel_task', 'retry_task']
    const [found, ...others] = await check(node(serverWith(names)))
    expect(found).toMatchObject({ level: 'ok', data: { tools: 4 } })
    expect(found?.message).toMatch(/^4 tools, \d+ tokens in each request\. It has references itself/)
    expect(found?.data).not.toHaveProperty('tokensWrapped')
    expect(others).toEqual([])
  })

  it.each<[string, string, string[], Record<string, string>]>([
    ['in an argument', 'arg-s3cr3t', ['--token', 'arg-s3cr3t'], {}],
    ['in an argument with its name', 'pw12', ['--pin=pw12'], {}],
    ['in a URL', 'q-s3cr3t', ['https://a.example/mcp?key=q-s3cr3t'], {}],
    ['as a URL writes it', 'a%2Fb%3Dc', [], { KEY: 'a/b=c' }],
    ['that is short', '1234', [], { PIN: '1234' }],
  ])('gives away no secret %s', async (_, said, args, env) => {
    const script = join(folder, 'fails.mjs')
    writeFileSync(script, `console.error('no: ${said} is wrong'); process.exit(1)`)
    const [ended] = await check({ kind: 'stdio', command: process.execPath, args: [script, ...args], env })
    expect(ended?.message).toContain('no: ••• is wrong')
  })

  it('that hangs is given up at the deadline', async () => {
    const [hung] = await check(node('setInterval(() => {}, 1000)'), 300)
    expect(hung).toMatchObject({ level: 'mend', message: expect.stringContaining('within 0.3 s') })
  })
})

/** A program that speaks MCP on stdio and lists tools. */
function serverWith(tools: readonly string[]): string {
  const listed = tools.map(name => ({ name, inputSchema: { type: 'object' } }))
  return `
    require('node:readline').createInterface({ input: process.stdin }).on('line', line => {
      const { id, method, params } = JSON.parse(line)
      const hello = () => ({ protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'small', version: '1' } })
      const answer = { initialize: hello, 'tools/list': () => ({ tools: ${JSON.stringify(listed)} }) }[method]
      if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result: answer?.() ?? {} }))
    })`
}
