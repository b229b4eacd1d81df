import { backoffDelay, withJitter } from '../../core/backoff.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { brokenPackage, isMissing } from '../../core/missing-package.ts'

/** The slice of a client of `@redis/client` (or `redis`) that is handed in. BullMQ uses the rest. */
export interface RedisClient {
  sendCommand(args: ReadonlyArray<string | Buffer>): Promise<unknown>
  duplicate(overrides?: object): RedisClient
  on(event: 'error', listener: (error: Error) => void): unknown
  destroy(): void
}

/** A client for BullMQ, which connects it, and how it ends. */
export interface Opened {
  readonly client: RedisClient
  end(): void
}

const RECONNECT = { firstMs: 50, maxMs: 1_000 }

/** A client of its own for each URL; of one that was handed in, a duplicate: BullMQ ends what it is given. */
export async function openClient(connection: string | RedisClient): Promise<Opened> {
  const client = typeof connection === 'string' ? await createFor(connection) : connection.duplicate()
  // BullMQ tells of trouble itself; an `error` event that nobody hears would end the process.
  client.on('error', () => {})
  return { client, end: () => destroy(client) }
}

/** @throws InvalidArgument where it is neither a URL nor a client */
export function checkConnection(connection: unknown): string | RedisClient {
  if (typeof connection === 'string' && /^rediss?:\/\//.test(connection)) return connection
  const client = connection as Partial<RedisClient> | undefined
  if (typeof client?.sendCommand === 'function' && typeof client.duplicate === 'function')
    return client as RedisClient
  throw new InvalidArgument(
    '`connection` is the URL of a Redis server (redis://…), or a client of @redis/client (createClient).',
  )
}

/** @throws InvalidArgument when BullMQ is not installed, or does not load */
export async function loadBullmq(): Promise<typeof import('bullmq')> {
  return load('bullmq', () => import('bullmq'))
}

async function createFor(url: string): Promise<RedisClient> {
  const { createClient } = await load('@redis/client', () => import('@redis/client'))
  const reconnectStrategy = (retries: number) => withJitter(backoffDelay(RECONNECT, retries), Math.random())
  const client = createClient({ url, maintNotifications: 'disabled', socket: { reconnectStrategy } })
  return client as unknown as RedisClient
}

async function load<Module>(name: string, load: () => Promise<Module>): Promise<Module> {
  try {
    return await load()
  } catch (cause) {
    const missing = `bullmqDispatcher needs the package ${name} (npm install bullmq @redis/client).`
    throw new InvalidArgument(isMissing(name, cause) ? missing : brokenPackage(name, cause), { cause })
  }
}

function destroy(client: RedisClient): void {
  try {
    client.destroy()
  } catch {
    // It is not open any more.
  }
}
