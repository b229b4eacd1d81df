import { InvalidArgument } from '../core/errors.ts'

/** What may be said of a server's URL, and what may not. */
export interface Address {
  /** Names the server in errors. */
  readonly where: string
  readonly secrets: readonly string[]
}

/** @throws InvalidArgument, which does not repeat the URL: it may hold a password. */
export function parseAddress(url: string): Address {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const scheme = parsed?.protocol
  if (!parsed?.hostname || (scheme !== 'redis:' && scheme !== 'rediss:')) {
    throw new InvalidArgument(
      'The URL of a Redis server is redis://host:port, or rediss:// for TLS. For other ways to connect, pass a client.',
    )
  }
  if (!/^(?:\/\d*)?$/.test(parsed.pathname)) {
    throw new InvalidArgument('The path of a Redis URL is the number of a database, such as /0.')
  }
  const { password } = parsed
  return {
    where: `Redis at ${scheme}//${parsed.host}`,
    secrets: password === '' ? [] : [...new Set([decoded(password), password])],
  }
}

function decoded(password: string): string {
  try {
    return decodeURIComponent(password)
  } catch {
    throw new InvalidArgument('The password in the Redis URL is not percent-encoded as a URL needs it.')
  }
}

/** @throws InvalidArgument where it names no server */
export function urlOfEnvironment(): string {
  const url = process.env.REDIS_URL
  if (url) return url
  throw new InvalidArgument(
    'redisStore needs a server: give its URL (redis://host:port) or a client, or set REDIS_URL in the environment.',
  )
}
