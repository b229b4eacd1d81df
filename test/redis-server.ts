import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Its data, and what else a test wants to be removed with it. */
  readonly folder: string
  readonly pid: number
  /** As a crash would: no chance to save or to say goodbye. */
  kill(): Promise<void>
  /** Again, after a kill, on the same port. */
  start(): Promise<void>
  /** Ends it, and removes its data. */
  stop(): Promise<void>
}

export interface RedisServerOptions {
  /** Keep over a restart all that was confirmed. */
  readonly durable?: boolean
  readonly password?: string
  /** Further settings, as on redis-server's command line. */
  readonly settings?: (folder: string) => readonly string[]
}

/** `--port` is taken between our look and the server's; then another one is tried. */
const PORT_TRIES = 5
const START_MS = 20_000

/**
 * Whether redis-server is installed; the tests that need it are skipped without it, except in CI, where a
 * missing server must not hide failures.
 */
export const redisIsInstalled = spawnSync('redis-server', ['--version']).status === 0

if (!redisIsInstalled && process.env.CI) {
  throw new Error('redis-server is not installed: apt-get install redis-server, or brew install redis.')
}

/** One loud line; called from one file only, so that it is said once a run. */
export function sayWhatIsSkipped(): void {
  if (redisIsInstalled) return
  console.error(
    '!!! redis-server is not installed: ALL REDIS TESTS ARE SKIPPED. apt-get install redis-server, or brew install redis !!!',
  )
}

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'mcp-refcache-redis-'))
  for (let tries = 1; ; tries++) {
    const port = await freePort()
    const start = () => launch(port, folder, options)
    try {
      return serverOf(await start(), port, folder, start, options.password)
    } catch (error) {
      if (tries < PORT_TRIES) continue
      await rm(folder, { recursive: true })
      throw error
    }
  }
}

function serverOf(
  first: ChildProcess,
  port: number,
  folder: string,
  launchAgain: () => Promise<ChildProcess>,
  password: string | undefined,
): RedisServer {
  let child = first
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }
  return {
    url: `redis://${password === undefined ? '' : `:${encodeURIComponent(password)}@`}127.0.0.1:${port}`,
    port,
    folder,
    get pid() {
      return child.pid!
    },
    kill,
    async start() {
      child = await launchAgain()
    },
    async stop() {
      await kill()
      await rm(folder, { recursive: true })
    },
  }
}

async function launch(port: number, folder: string, options: RedisServerOptions): Promise<ChildProcess> {
  const { durable = false, password, settings } = options
  const child = spawn(
    'redis-server',
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
      ...['--appendonly', durable ? 'yes' : 'no', '--appendfsync', 'always', '--daemonize', 'no'],
      ...(password === undefined ? [] : ['--requirepass', password]),
      ...(settings?.(folder) ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  // A test run that is cut short must not leave servers behind.
  const killAtExit = () => child.kill('SIGKILL')
  process.once('exit', killAtExit)
  child.once('exit', () => process.off('exit', killAtExit))
  let log = ''
  child.stdout.on('data', chunk => {
    log += chunk
  })
  for (const end = Date.now() + START_MS; Date.now() < end; await sleep(20)) {
    if (child.exitCode !== null) break
    if (await answers(port)) return child
  }
  child.kill('SIGKILL')
  throw new Error(`redis-server did not start on port ${port}:\n${log}`)
}

/** A server that wants a password is up as well. */
function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const end = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(1_000, () => end(false))
    socket.on('error', () => end(false))
    socket.on('data', data => end(/^(\+PONG|-NOAUTH)/.test(String(data))))
  })
}

/** A port on which nobody listens now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
