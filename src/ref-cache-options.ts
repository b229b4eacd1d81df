import { hostname } from 'node:os'
import type { AuditEvent, AuditSink } from './access/audit.ts'
import { Access } from './access/authorize.ts'
import { type PermissionChecker, policyChecker } from './access/decision.ts'
import { type NamespaceOptions, type NamespaceResolver, namespaceRules } from './access/namespace.ts'
import { type Clock, systemClock, toDate } from './core/clock.ts'
import { type Duration, toLimit, toMilliseconds, toPositiveMilliseconds } from './core/duration.ts'
import { Emitter } from './core/emitter.ts'
import { InvalidArgument } from './core/errors.ts'
import { History } from './core/history.ts'
import { tell } from './core/listener.ts'
import { type Logger, safeLogger } from './core/logger.ts'
import { checkCount, checkNames, checkPreview, type Names } from './core/options.ts'
import type { RefId } from './core/ref.ts'
import { checkCacheName, pooledRandom, type RandomBytes } from './core/ref.ts'
import type { Tool } from './core/tool.ts'
import { type Dispatcher, localDispatcher } from './execution/dispatcher.ts'
import type { Executor } from './execution/executor.ts'
import { inProcessExecutor } from './execution/in-process.ts'
import { InputBudget } from './flow/call/input-budget.ts'
import { LateClaims } from './flow/call/late-claims.ts'
import { SharedRuns } from './flow/call/shared-runs.ts'
import type { Engine, Settings } from './flow/engine.ts'
import { Entries } from './flow/entries.ts'
import { EntryClock } from './flow/entry-clock.ts'
import { EqualRefusals } from './flow/read/equal-refusals.ts'
import { SourceCache } from './flow/read/values.ts'
import { take } from './flow/run/dispatch.ts'
import { ProgressListeners } from './flow/run/progress.ts'
import { TaskQueue } from './flow/run/queue.ts'
import { RunningTasks } from './flow/run/running.ts'
import { ThrownErrors } from './flow/run/thrown.ts'
import type { PreviewStrategy, SizeMode } from './preview/preview.ts'
import { memoryStore } from './stores/memory.ts'
import { observed } from './stores/observed.ts'
import type { Store } from './stores/store.ts'
import type { Projections } from './values/projection.ts'
import { RESULT_PROJECTIONS } from './values/result-projections.ts'

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
  clock?: Clock | undefined
  random?: RandomBytes | undefined
}

const MIB = 1024 * 1024

const OPTIONS: Names<RefCacheOptions> = {
  name: true,
  store: true,
  executors: true,
  dispatcher: true,
  defaultTtl: true,
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
  clock: true,
  random: true,
}

/** Where the defaults meet. */
export function createEngine(
  options: RefCacheOptions,
  ends: { closing: AbortSignal; stopping: AbortSignal },
): Engine {
  checkNames(options, OPTIONS, 'RefCache')
  const name = checkCacheName(options.name ?? 'cache')
  const { maxConcurrentTasks = 100, maxQueuedTasks = 1000 } = options
  const random = options.random ?? pooledRandom()
  const settings = toSettings(options)
  const logger = safeLogger(checkLogger(options.logger))
  const given = checkStore(options.store ?? memoryStore())
  given.warnTo?.(message => logger.warn(message))
  const medium = observed(given, logger, options.clock ?? systemClock)
  const clock = new EntryClock(options.clock ?? systemClock, medium, name)
  const thrown = new ThrownErrors(clock)
  const store = new LateClaims(medium, clock, refId => thrown.isAwaited(refId))
  const events = new Emitter(event => withoutUnstored(store, event))
  const access = createAccess(options, settings, clock, store)
  const executors = checkExecutors(options.executors)
  const dispatcher = checkDispatcher(options.dispatcher ?? localDispatcher())
  const engine: Engine = {
    name,
    instance: `${nameOfHost()}/${process.pid}/${Buffer.from(random(6)).toString('hex')}`,
    store,
    equalRefusals: new EqualRefusals(store, access, name),
    entries: new Entries(store, clock),
    lateClaims: store,
    clock,
    random,
    settings,
    audit: options.audit,
    logger,
    access,
    projections: { ...RESULT_PROJECTIONS, ...options.projections },
    toolLabel: options.toolLabel ?? (name => name),
    tools: new Map(),
    sources: new SourceCache(clock),
    thrown,
    queue: new TaskQueue(
      checkCount(maxConcurrentTasks, 'maxConcurrentTasks'),
      maxQueuedTasks === 0 ? 0 : checkCount(maxQueuedTasks, 'maxQueuedTasks'),
    ),
    suspects: new TaskQueue(1, Number.POSITIVE_INFINITY),
    inputs: new InputBudget(settings.maxInputMemoryBytes, clock),
    running: new RunningTasks(clock, settings.abortGrace),
    progress: new ProgressListeners(),
    dispatcher,
    executors,
    executorOf: tool => executorOf(executors, tool),
    encoding: { maxBytes: settings.maxValueBytes, compress: store.capabilities.durable },
    history: new History(),
    sharedRuns: new SharedRuns(clock),
    events,
    ...ends,
  }
  dispatcher.listen?.(refId => take(engine, refId))
  return engine
}

const stderrLogger: Logger = {
  warn: message => process.stderr.write(`mcp-refcache warn: ${message}\n`),
  error: message => process.stderr.write(`mcp-refcache error: ${message}\n`),
}

function checkStore(store: Store): Store {
  if (typeof store?.claim === 'function') return store
  throw new InvalidArgument(
    'store is what memoryStore(), sqliteStore(path) or redisStore(url) gives, or a store of your own.',
  )
}

function checkExecutors(executors: RefCacheOptions['executors'] = {}): ReadonlyMap<string, Executor> {
  for (const [name, executor] of Object.entries(executors)) {
    if (typeof executor?.execute === 'function') continue
    throw new InvalidArgument(`executors.${name} needs a method execute: see Executor.`)
  }
  return new Map(Object.entries(executors))
}

/** The default costs nothing: it calls the handler that the tool was registered with. */
function executorOf(executors: ReadonlyMap<string, Executor>, tool: Tool): Executor {
  if (tool.executor === undefined) return inProcessExecutor([tool])
  const executor = executors.get(tool.executor)
  if (executor) return executor
  const known = [...executors.keys()].map(name => `'${name}'`).join(', ') || 'none'
  throw new InvalidArgument(
    `Tool '${tool.name}' wants the executor '${tool.executor}', and this cache has ${known}. Give it to the cache as executors: { ${tool.executor} }.`,
  )
}

function checkDispatcher(dispatcher: Dispatcher): Dispatcher {
  if (typeof dispatcher?.dispatch === 'function') return dispatcher
  throw new InvalidArgument('dispatcher needs a method dispatch: see Dispatcher.')
}

function checkLogger(logger: Logger = stderrLogger): Logger {
  if (typeof logger?.warn === 'function' && typeof logger.error === 'function') return logger
  throw new InvalidArgument(
    'logger needs the methods warn and error, as console and loggers of pino or winston have.',
  )
}

/** Only for people who read leases; Deno may forbid it. */
function nameOfHost(): string {
  try {
    return hostname()
  } catch {
    return 'host'
  }
}

/** Events and audit tell of a call without an entry like of any other, but for the reference, which names nothing. */
function withoutUnstored<Told extends { readonly refId?: RefId }>(store: LateClaims, told: Told): Told {
  const { refId, ...rest } = told
  return refId !== undefined && store.isUnstored(refId) ? (rest as Told) : told
}

function createAccess(
  options: RefCacheOptions,
  { defaultTtl }: Settings,
  clock: Clock,
  store: LateClaims,
): Access {
  const { audit } = options
  const namespaces = options.namespaceResolver ?? namespaceRules(options.namespaces, defaultTtl)
  const record =
    audit &&
    // A record that cannot be written is no reason to refuse the work.
    ((event: Omit<AuditEvent, 'at'>) =>
      tell(recorded => audit.write(recorded), { at: toDate(clock.now()), ...withoutUnstored(store, event) }))
  return new Access(options.permissionChecker ?? policyChecker(namespaces), namespaces, record)
}

function toSettings(options: RefCacheOptions): Settings {
  const { maxSize = 1000, sizeMode = 'token', strategy = 'sample' } = options.preview ?? {}
  if (sizeMode !== 'token' && sizeMode !== 'character') {
    throw new InvalidArgument("preview.sizeMode is 'token' or 'character'.")
  }
  checkPreview({ maxSize, strategy })
  return {
    defaultTtl: toLimit(options.defaultTtl === undefined ? '1h' : options.defaultTtl, 'defaultTtl'),
    preview: { maxSize, sizeMode, strategy },
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
