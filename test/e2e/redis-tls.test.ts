import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, type RedisServer, redisIsInstalled, startRedis } from '../redis-server.ts'

/** Certificates are made anew for each run: one in the repository would run out one day. */
const possible = redisIsInstalled && spawnSync('openssl', ['version']).status === 0

describe.skipIf(!possible)('TLS (needs redis-server and openssl)', () => {
  let server: RedisServer
  let tlsPort: number
  beforeAll(async () => {
    tlsPort = await freePort()
    server = await startRedis({ password: 'secret', settings: tlsSettings })
  })
  afterAll(() => server?.stop())

  it('is used for rediss://, by both connections, and checks who the server is', async () => {
    const ca = join(server.folder, 'certificate.pem')
    expect(await run({ NODE_EXTRA_CA_CERTS: ca })).toBe('written\nheard')
    expect(await run({})).toMatch(/^store_unavailable .*self-signed certificate/)
  })

  /** In a process of its own, because Node reads the trusted authorities once. */
  async function run(env: Record<string, string>): Promise<string> {
    const script = `
      import { redisStore } from './dist/stores/redis.js'
      const refId = 'files:' + '0'.repeat(32)
      const url = 'rediss://:secret@localhost:${tlsPort}'
      const options = { operationTimeout: '5s', pollInterval: '1h' }
      const [writer, listener] = [redisStore(url, options), redisStore(url, options)]
      try {
        await writer.claim({ refId, createdAt: 0, version: 1, namespace: 'public', status: 'complete' }, 0)
        console.log('written')
        await new Promise(resolve => listener.watch(refId, resolve))
        console.log('heard')
      } catch (error) {
        console.log(error.code, error.message)
      }
      await writer.close()
      await listener.close()`
    const options = {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, ...env },
    }
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', script],
      options,
    )
    return stdout.trim()
  }

  function tlsSettings(folder: string): string[] {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
    const made = spawnSync('openssl', [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', certificate],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ])
    if (made.status !== 0) throw new Error(String(made.stderr))
    return [
      ...['--tls-port', String(tlsPort), '--tls-cert-file', certificate, '--tls-key-file', key],
      ...['--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no'],
    ]
  }
})
