import { backoffDelay, withJitter } from '../core/backoff.ts'
import { InvalidArgument, StoreUnavailable } from '../core/errors.ts'
import { brokenPackage, isMissing } from '../core/missing-package.ts'

export type Argument = string | Buffer

/** What the store asks of a client library. Replies have bytes where Redis has strings. */
export interface Connection {
  /** Whether a command would reach the server now, and not wait in a queue. */
  isReady(): boolean
  /** Begins to connect, and goes on trying. */
  open(): void
  send(args: readonly [command: string, ...rest: Argument[]]): Promise<unknown>
  subscribe(channels: readonly string[]): Promise<unknown>
  unsubscribe(channels: readonly string[]): Promise<unknown>
  /** A connection of its own to the same server, for subscriptions; not open yet. */
  duplicate(): Connection
  /** Hears what happens to the connection; unheard, an `error` event would end the process. */
  observe(observer: ConnectionObserver): void
  /** Ends the connection, or the interest in it where it is the user's. */
  destroy(): void
}

export interface ConnectionObserver {
  readonly onReady: () => void
  readonly onDown: (error?: unknown) => void
  readonly onMessage: (channel: string, message: string) => void
}

/** What node-redis and ioredis clients have in common. */
interface Client {
  on(event: string, listener: (...args: unknown[]) => void): unknown
  off(event: string, listener: (...args: unknown[]) => void): unknown
}

/** The slice of a client of `@redis/client` (or `redis`), version 5.12 or newer, that the store uses. */
export interface NodeRedisClient extends Client {
  readonly isReady: boolean
  sendCommand(args: ReadonlyArray<Argument>, options?: object): Promise<unknown>
  subscribe(channels: string[], listener: (message: string, channel: string) => unknown): Promise<unknown>
  unsubscribe(channels: string[]): Promise<unknown>
  duplicate(overrides?: object): NodeRedisClient
  connect(): Promise<unknown>
  destroy(): void
}

/** The slice of an `ioredis` client, or cluster of them, that the store uses. */
export interface IoredisClient extends Client {
  readonly status: string
  callBuffer(command: string, args: Argument[]): Promise<unknown>
  subscribe(...channels: string[]): Promise<unknown>
  unsubscribe(...channels: string[]): Promise<unknown>
  duplicate(): IoredisClient
  connect(): Promise<unknown>
  disconnect(): void
}

/** node-redis's number for Redis's strings (`RESP_TYPES.BLOB_STRING`). */
const AS_BYTES = { typeMapping: { 36: Buffer } }
const RECONNECT = { firstMs: 50, maxMs: 1_000 }

/** Whether the store ends the client, or the user who handed it in does. */
type Ownership = 'owned' | 'borrowed'

/** Gives the connection of the store: one of its own for a URL, else the one behind the client. */
export function connector(server: string | NodeRedisClient | IoredisClient, silenceMs: number) {
  if (typeof server === 'string') return () => createConnection(server, silenceMs)
  const connection = adapt(server)
  return async () => connection
}

/**
 * The connection behind a client of the user's, who connects it and ends it.
 *
 * @throws InvalidArgument when it is no client that the store can use.
 */
function adapt(client: NodeRedisClient | IoredisClient): Connection {
  if ('callBuffer' in client) return ioredis(client, 'borrowed')
  if ('sendCommand' in client && !('masters' in client)) return nodeRedis(client, 'borrowed')
  throw new InvalidArgument(
    'redisStore needs a URL, a client of node-redis (createClient), or one of ioredis (Redis or Cluster).',
  )
}

/**
 * A client of our own, not open yet.
 *
 * @param silenceMs a connection on which the server says nothing for as long is given up, and made anew.
 * @throws StoreUnavailable when `@redis/client` is not installed or does not load.
 */
async function createConnection(url: string, silenceMs: number): Promise<Connection> {
  const { createClient } = await loadDriver()
  const client = createClient({
    url,
    name: 'mcp-refcache',
    // What cannot be sent now fails now: a queue would grow for as long as the server is away.
    disableOfflineQueue: true,
    // The store has a deadline of its own; a timer for each command in the client halves its speed.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
    pingInterval: silenceMs / 2,
    socket: { connectTimeout: 2_000, socketTimeout: silenceMs, reconnectStrategy: reconnectDelay },
  })
  return nodeRedis(client, 'owned')
}

const MISSING =
  'The Redis store needs the package @redis/client (npm install @redis/client), or a client of node-redis or ioredis that is handed to it.'

async function loadDriver() {
  try {
    return await import('@redis/client')
  } catch (cause) {
    throw new StoreUnavailable(
      isMissing('@redis/client', cause) ? MISSING : brokenPackage('@redis/client', cause),
      { cause },
    )
  }
}

function reconnectDelay(retries: number): number {
  return withJitter(backoffDelay(RECONNECT, retries), Math.random())
}

function nodeRedis(client: NodeRedisClient, ownership: Ownership): Connection {
  let observer: ConnectionObserver | undefined
  let stopListening = () => {}
  let ended = false
  const end = () => {
    try {
      client.destroy()
    } catch {
      // Version 5 throws where nothing is open, also where it is about to be: then it ends as soon as it is.
    }
  }
  // One function for all, because node-redis keeps a list of listeners for each channel.
  const listener = (message: string, channel: string) => observer?.onMessage(channel, message)
  return {
    isReady: () => client.isReady,
    open() {
      // Failures come as events, so the promise has nothing to add.
      if (ownership === 'owned')
        client.connect().then(
          () => ended && end(),
          () => {},
        )
    },
    send: args => client.sendCommand(args, AS_BYTES),
    subscribe: channels => client.subscribe([...channels], listener),
    unsubscribe: channels => client.unsubscribe([...channels]),
    duplicate: () => nodeRedis(client.duplicate({ disableOfflineQueue: true }), 'owned'),
    observe(given) {
      observer = given
      const { onReady, onDown } = given
      stopListening = listen(client, { ready: onReady, error: onDown, end: () => onDown() })
    },
    destroy() {
      if (ownership === 'borrowed') return stopListening()
      ended = true
      end()
    },
  }
}

function ioredis(client: IoredisClient, ownership: Ownership): Connection {
  let stopListening = () => {}
  return {
    isReady: () => client.status === 'ready',
    open() {
      // A client that is to connect with its first command would wait for ever, because none is sent before.
      if (client.status === 'wait') client.connect().catch(() => {})
    },
    send: ([command, ...rest]) => client.callBuffer(command, rest),
    subscribe: channels => client.subscribe(...channels),
    unsubscribe: channels => client.unsubscribe(...channels),
    duplicate: () => ioredis(client.duplicate(), 'owned'),
    observe({ onReady, onDown, onMessage }) {
      const message = (channel: unknown, text: unknown) => onMessage(String(channel), String(text))
      stopListening = listen(client, { ready: onReady, error: onDown, close: () => onDown(), message })
    },
    destroy: () => (ownership === 'owned' ? client.disconnect() : stopListening()),
  }
}

function listen(client: Client, listeners: Record<string, (...args: unknown[]) => void>): () => void {
  for (const [event, listener] of Object.entries(listeners)) client.on(event, listener)
  return () => {
    for (const [event, listener] of Object.entries(listeners)) client.off(event, listener)
  }
}
