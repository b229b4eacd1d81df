import type { AuditSink } from './access/audit.ts'
import type { PermissionChecker } from './access/decision.ts'
import type { NamespaceOptions, NamespaceResolver } from './access/namespace.ts'
import type { Clock } from './core/clock.ts'
import { type Duration, toLimit, toMilliseconds, toPositiveMilliseconds } from './core/duration.ts'
import { InvalidArgument } from './core/errors.ts'
import type { Logger } from './core/logger.ts'
import { checkCount, checkNames, checkPreview, type Names } from './core/options.ts'
import type { RandomBytes } from './core/ref.ts'
import type { Dispatcher } from './execution/dispatcher.ts'
import type { Executor } from './execution/executor.ts'
import type { Settings } from './flow/engine.ts'
import type { PreviewStrategy, SizeMode } from './preview/preview.ts'
import type { SqlOptions } from './query/open.ts'
import type { Store } from './stores/store.ts'
import type { Projections } from './values/projection.ts'

/** Options of a cache. All have defaults. */
export interface RefCacheOptions {
  /** What every reference of this cache begins with. Caches of one name on one store share entries. @defaultValue 'cache' */
  name?: string | undefined
  /** @defaultValue memoryStore() */
  store?: Store | undefined
  /**
   * What runs handlers elsewhere than in this process, by a name of your choice. A tool names one with its option `executor`. They
   * belong to the cache, which closes them.
   */
  executors?: Readonly<Record<string, Executor>> | undefined
  /** Who takes the tasks that begin here. It belongs to the cache, which closes it. @defaultValue localDispatcher() */
  dispatcher?: Dispatcher | undefined
  /** How long values are kept unless their tool or `set` says otherwise; null for ever. @defaultValue '1h' */
  defaultTtl?: Duration | null | undefined
  /** The longest that a reader can have a value kept from now (`get` with `keep`); null for ever. @defaultValue '24h' */
  maxTtl?: Duration | null | undefined
  preview?:
    | {
        /** Budget of an answer's value, in `sizeMode`. @defaultValue 1000 */
        maxSize?: number | undefined
        /** Tokens (o200k) or UTF-16 units of the compact JSON. @defaultValue 'token' */
        sizeMode?: SizeMode | undefined
        /** @defaultValue 'sample' */
        strategy?: PreviewStrategy | undefined
      }
    | undefined
  /** Largest value that is stored, in bytes of JSON. @defaultValue 256 MiB */
  maxValueBytes?: number | undefined
  /** Largest input of a tool with values in the places of its references, in characters of JSON. @defaultValue 64 MiB */
  maxInputBytes?: number | undefined
  /**
   * Memory for the inputs of running tasks with values in the places of their references, in bytes, as estimated. One input
   * takes at most that; where others take it, a task waits up to 30 s for its part and then fails with `QueueFull`.
   * @defaultValue 256 MiB
   */
  maxInputMemoryBytes?: number | undefined
  /** Largest value that `full` hands out, in bytes of JSON. @defaultValue 1 MiB */
  fullLimitBytes?: number | undefined
  /** How long failed and cancelled tasks keep their record; null for ever. @defaultValue '1h' */
  taskRetention?: Duration | null | undefined
  /** How long a process may be silent before its tasks count as lost. @defaultValue '30s' */
  leaseDuration?: Duration | undefined
  /**
   * How long a result that a full store does not take is tried again, at most until the hard timeout; then the task
   * fails with `store_full`.
   * @defaultValue '5m'
   */
  storeFullTimeout?: Duration | undefined
  /** How often expired entries and lost tasks are looked for. @defaultValue '10s' */
  sweepInterval?: Duration | undefined
  /** Who is inside of `custom:` and `shared:` namespaces, and what holds in namespaces of a kind or of a name. */
  namespaces?: NamespaceOptions | undefined
  /** Says what namespaces mean, instead of the built-in rules and `namespaces`. */
  namespaceResolver?: NamespaceResolver | undefined
  /** Decides instead of the built-in order: denied, session, namespace, allowed, owner, role. */
  permissionChecker?: PermissionChecker | undefined
  /** Is told of every decision. `auditFile` of `mcp-refcache/audit` writes them down. */
  audit?: AuditSink | undefined
  /**
   * Hears of trouble: a store that fails, once when that begins and once when it is over. `console`, or a logger of pino or
   * winston; only `warn` and `error` are called, each with one line of text.
   * @defaultValue lines on stderr
   */
  logger?: Logger | undefined
  /** How many tasks run at once in this process. @defaultValue 100 */
  maxConcurrentTasks?: number | undefined
  /**
   * How many more may wait for their turn, or for a running reference in their input; beyond that calls are refused
   * with `QueueFull`. @defaultValue 1000
   */
  maxQueuedTasks?: number | undefined
  /**
   * How long a handler that ignores its aborted signal keeps its place among those that run at once, and how long a
   * retry waits for it. `stats` counts those that go on beyond it.
   * @defaultValue '30s'
   */
  abortGrace?: Duration | undefined
  /** Named projections that tools can choose with `projection`: what previews and pages of their values show. */
  projections?: Projections | undefined
  /** How answers call a tool whose name in the cache says more than its callers know. @defaultValue that name */
  toolLabel?: ((toolName: string) => string) | undefined
  /** Questions in SQL (`RefCache.query`), which a process of their own answers. False: there are none. */
  query?: QuerySettings | false | undefined
  clock?: Clock | undefined
  random?: RandomBytes | undefined
}

/** Where questions in SQL are answered, and what one may take. */
export interface QuerySettings {
  /** The executable of Node, where this program is not Node itself (a single executable, Electron). @defaultValue `process.execPath` */
  node?: string | undefined
  /** The file that answers, where this package was bundled: `dist/query/child.mjs` of the package. @defaultValue that one */
  entry?: string | undefined
  /** How long one question may take. @defaultValue '10s' */
  timeout?: Duration | undefined
  /** How long its values may take to load. @defaultValue '60s' */
  loadTimeout?: Duration | undefined
  /** Memory of a process that answers, in bytes. @defaultValue 512 MiB */
  maxMemoryBytes?: number | undefined
}

const QUERY_SETTINGS: Names<QuerySettings> = {
  node: true,
  entry: true,
  timeout: true,
  loadTimeout: true,
  maxMemoryBytes: true,
}

const OPTIONS: Names<RefCacheOptions> = {
  name: true,
  store: true,
  executors: true,
  dispatcher: true,
  defaultTtl: true,
  maxTtl: true,
  preview: true,
  maxValueBytes: true,
  maxInputBytes: true,
  maxInputMemoryBytes: true,
  fullLimitBytes: true,
  taskRetention: true,
  leaseDuration: true,
  sweepInterval: true,
  storeFullTimeout: true,
  namespaces: true,
  namespaceResolver: true,
  permissionChecker: true,
  audit: true,
  logger: true,
  maxConcurrentTasks: true,
  maxQueuedTasks: true,
  abortGrace: true,
  projections: true,
  toolLabel: true,
  query: true,
  clock: true,
  random: true,
}

/** @throws InvalidArgument for an option that there is not */
export function checkOptions(options: RefCacheOptions): void {
  checkNames(options, OPTIONS, 'RefCache')
}

const MIB = 1024 * 1024

/** The settings that the options say, with the defaults of all others. @throws InvalidArgument */
export function toSettings(options: RefCacheOptions): Settings {
  const { maxSize = 1000, sizeMode = 'token', strategy = 'sample' } = options.preview ?? {}
  if (sizeMode !== 'token' && sizeMode !== 'character') {
    throw new InvalidArgument("preview.sizeMode is 'token' or 'character'.")
  }
  checkPreview({ maxSize, strategy })
  return {
    defaultTtl: toLimit(options.defaultTtl === undefined ? '1h' : options.defaultTtl, 'defaultTtl'),
    maxTtl: toLimit(options.maxTtl === undefined ? '24h' : options.maxTtl, 'maxTtl'),
    preview: { maxSize, setMaxSize: options.preview?.maxSize, sizeMode, strategy },
    maxValueBytes: checkCount(options.maxValueBytes ?? 256 * MIB, 'maxValueBytes'),
    maxInputBytes: checkCount(options.maxInputBytes ?? 64 * MIB, 'maxInputBytes'),
    maxInputMemoryBytes: checkCount(options.maxInputMemoryBytes ?? 256 * MIB, 'maxInputMemoryBytes'),
    fullLimitBytes: checkCount(options.fullLimitBytes ?? MIB, 'fullLimitBytes'),
    taskRetention: toLimit(
      options.taskRetention === undefined ? '1h' : options.taskRetention,
      'taskRetention',
    ),
    leaseDuration: toPositiveMilliseconds(options.leaseDuration ?? '30s', 'leaseDuration'),
    sweepInterval: toPositiveMilliseconds(options.sweepInterval ?? '10s', 'sweepInterval'),
    storeFullTimeout: toMilliseconds(options.storeFullTimeout ?? '5m', 'storeFullTimeout'),
    abortGrace: toMilliseconds(options.abortGrace ?? '30s', 'abortGrace'),
  }
}

/** Where questions in SQL are answered, and their limits, with the defaults. @throws InvalidArgument */
export function toSqlOptions(query: RefCacheOptions['query'] = {}): SqlOptions {
  const settings = query === false ? {} : query
  checkNames(settings, QUERY_SETTINGS, '`query`')
  const { node, entry, timeout = '10s', loadTimeout = '60s', maxMemoryBytes = 512 * MIB } = settings
  return {
    enabled: query !== false,
    node,
    entry,
    limits: {
      asking: toPositiveMilliseconds(timeout, 'query.timeout'),
      loading: toPositiveMilliseconds(loadTimeout, 'query.loadTimeout'),
      memory: checkCount(maxMemoryBytes, 'query.maxMemoryBytes'),
    },
  }
}
