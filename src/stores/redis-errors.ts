import { MissingSegments, RefCacheError, StoreFull, StoreUnavailable, ValueTooLarge } from '../core/errors.ts'
import { unknownFormat } from './format.ts'

const CREDENTIALS = 'refused the credentials: check the user and the password'
const NOT_YET = 'is not ready: try again in a moment'
const CLUSTER =
  'is a cluster, and the client knows one node only: pass a cluster client of node-redis or ioredis'

/** Redis begins its error replies with a word that says what kind they are. */
const ADVICE = new Map<string, string>([
  [
    'OOM',
    'is out of memory: raise its maxmemory, or let entries expire sooner. Keep maxmemory-policy at noeviction',
  ],
  ['NOAUTH', CREDENTIALS],
  ['WRONGPASS', CREDENTIALS],
  [
    'NOPERM',
    'does not let this user do it: allow the commands, keys and channels that the store needs (docs/redis.md)',
  ],
  ['READONLY', 'is a replica, which cannot be written: connect to the primary'],
  ['MISCONF', 'cannot write to its disk, and takes no more changes: free some space on the server'],
  ['WRONGTYPE', 'holds data of another program under these keys: choose another prefix'],
  ['LOADING', NOT_YET],
  ['BUSY', NOT_YET],
  ['MASTERDOWN', NOT_YET],
  ['CLUSTERDOWN', NOT_YET],
  ['TRYAGAIN', NOT_YET],
  ['MOVED', CLUSTER],
  ['ASK', CLUSTER],
])

/** There is no room: for more memory, or on the disk of its snapshots. */
const FULL = new Set(['OOM', 'MISCONF'])

/** Older servers put a word of their own before the error of a script's command. */
const IN_SCRIPT = /^ERR .*: -?(OOM|MISCONF) /

/** How scripts say that they do not know the format of a cache. */
const FORMAT = /^(?:ERR .*: -?)?FORMAT (\S+)/

/** How scripts say that segments are missing that an entry names. */
const SEGMENTS = /^(?:ERR .*: -?)?SEGMENTS /

/** Redis's own bound, where the server sets a lower one than 512 MB. */
const TOO_LONG = /invalid bulk length|exceeds maximum allowed size/

/** What a failure of the driver or the server means to a caller. `where` names the server, without credentials. */
export function asStoreError(error: unknown, where: string, secrets: readonly string[]): RefCacheError {
  if (error instanceof RefCacheError) return error
  const cause = withoutSecrets(error, secrets)
  if (TOO_LONG.test(cause.message)) {
    return new ValueTooLarge(`The value is larger than ${where} takes (proto-max-bulk-len).`, { cause })
  }
  const format = FORMAT.exec(cause.message)?.[1]
  if (format !== undefined) return unknownFormat(format, where, 'prefix')
  if (SEGMENTS.test(cause.message)) return new MissingSegments()
  const kind = IN_SCRIPT.exec(cause.message)?.[1] ?? cause.message.split(' ', 1)[0] ?? ''
  const advice = ADVICE.get(kind)
  if (advice && FULL.has(kind)) return new StoreFull(`${where} ${advice}. (${cause.message})`, { cause })
  if (advice) return new StoreUnavailable(`${where} ${advice}. (${cause.message})`, { cause })
  return new StoreUnavailable(`${where} failed: ${cause.message}.`, { cause })
}

/**
 * The driver's error, but nothing that it carries beside its message: ioredis keeps a command's arguments there,
 * which may be a password or a value.
 */
export function withoutSecrets(error: unknown, secrets: readonly string[]): Error {
  const { name = 'Error', code } = error as { name?: string; code?: unknown }
  let message = messageOf(error)
    .replace(/,? with args beginning with.*/s, '')
    .replace(/\.$/, '')
  for (const secret of secrets) message = message.replaceAll(secret, '***')
  return Object.assign(new Error(message), { name }, code === undefined ? {} : { code })
}

/** A host with several addresses fails with one error for each. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map(messageOf).join('; ')
  }
  return error instanceof Error ? error.message : String(error)
}
