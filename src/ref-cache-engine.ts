import { hostname } from 'node:os'
import type { AuditEvent } from './access/audit.ts'
import { Access } from './access/authorize.ts'
import { policyChecker } from './access/decision.ts'
import { namespaceRules } from './access/namespace.ts'
import { type Clock, systemClock, toDate } from './core/clock.ts'
import { Emitter } from './core/emitter.ts'
import { InvalidArgument } from './core/errors.ts'
import { History } from './core/history.ts'
import { Keys } from './core/key.ts'
import { tell } from './core/listener.ts'
import { type Logger, safeLogger } from './core/logger.ts'
import { NewestSet } from './core/newest-set.ts'
import { checkCount } from './core/options.ts'
import type { RefId } from './core/ref.ts'
import { checkCacheName, pooledRandom } from './core/ref.ts'
import { type Due, Timers } from './core/timers.ts'
import type { Tool } from './core/tool.ts'
import { type Dispatcher, localDispatcher } from './execution/dispatcher.ts'
import type { Executor } from './execution/executor.ts'
import { inProcessExecutor } from './execution/in-process.ts'
import { InputBudget } from './flow/call/input-budget.ts'
import { LateClaims } from './flow/call/late-claims.ts'
import { PassingCalls } from './flow/call/passing-calls.ts'
import { SharedRuns } from './flow/call/shared-runs.ts'
import { AwaitedCallers } from './flow/control/awaited-callers.ts'
import { recoverStray } from './flow/control/recover.ts'
import { queryTool } from './flow/derive/query.ts'
import type { Engine, Settings } from './flow/engine.ts'
import { Entries } from './flow/entries.ts'
import { EntryClock } from './flow/entry-clock.ts'
import { Savings } from './flow/operate/savings.ts'
import { EqualRefusals } from './flow/read/equal-refusals.ts'
import { SourceCache } from './flow/read/values.ts'
import { HandOvers } from './flow/run/hand-over.ts'
import { Heartbeat } from './flow/run/heartbeat.ts'
import { ProgressListeners } from './flow/run/progress.ts'
import { type SharedCapacity, TaskQueue } from './flow/run/queue.ts'
import { RunningTasks } from './flow/run/running.ts'
import { take, takeFollower } from './flow/run/take.ts'
import { ThrownErrors } from './flow/run/thrown.ts'
import { openSql } from './query/open.ts'
import { checkOptions, type RefCacheOptions, toSettings, toSqlOptions } from './ref-cache-options.ts'
import { memoryStore } from './stores/memory.ts'
import { observed } from './stores/observed.ts'
import type { Store } from './stores/store.ts'
import { channels, inThisContext } from './telemetry/channels.ts'
import { RESULT_PROJECTIONS } from './values/result-projections.ts'

/** So many keys that gave a hit lately are known. */
const RECENT_HITS = 1_000

/** Puts a cache together: where the defaults meet. */
export function createEngine(
  options: RefCacheOptions,
  ends: { closing: AbortSignal; stopping: AbortSignal },
): Engine {
  checkOptions(options)
  const name = checkCacheName(options.name ?? 'cache')
  const random = options.random ?? pooledRandom()
  const settings = toSettings(options)
  const logger = safeLogger(checkLogger(options.logger))
  const medium = openStore(options, logger, name)
  const clock = new EntryClock(options.clock ?? systemClock, medium, name)
  const errors = new ThrownErrors(clock)
  const store = new LateClaims(medium, clock, refId => errors.isAwaited(refId))
  const events = new Emitter(
    event => withoutUnstored(store, event),
    event => {
      if (channels.event.hasSubscribers) channels.event.publish({ cache: name, event })
    },
  )
  const access = createAccess(options, settings, clock, store)
  const executors = checkExecutors(options.executors)
  const dispatcher = checkDispatcher(options.dispatcher ?? localDispatcher())
  const instance = `${nameOfHost()}/${process.pid}/${Buffer.from(random(6)).toString('hex')}`
  const parts = runParts(options, settings, clock, {
    takeFollower: (refId, follows) => takeFollower(engine, refId, follows),
    capacityFor: tool => capacityOf(executors, engine.tools.get(tool)),
  })
  const own = { name, instance, store, clock, running: parts.running }
  const engine: Engine = {
    name,
    instance,
    store,
    equalRefusals: new EqualRefusals(store, access, name),
    entries: new Entries(store, clock),
    lateClaims: store,
    clock,
    timers: new Timers(clock, asWhoWaits),
    random,
    settings,
    audit: options.audit,
    logger,
    access,
    projections: { ...RESULT_PROJECTIONS, ...options.projections },
    toolLabel: options.toolLabel ?? (name => name),
    tools: new Map(),
    awaitedCallers: new AwaitedCallers(),
    sources: new SourceCache(clock),
    savings: new Savings(settings.preview.sizeMode, name),
    errors,
    ...parts,
    heartbeat: new Heartbeat(own, settings.leaseDuration, refId => recoverStray(engine, refId)),
    dispatcher,
    executors,
    executorOf: tool => executorOf(executors, tool),
    encoding: { maxBytes: settings.maxValueBytes, compress: store.capabilities.durable },
    encodeElsewhere: encoderOf(executors),
    history: new History(),
    sharedRuns: new SharedRuns(clock),
    recentHits: new NewestSet(RECENT_HITS),
    keys: new Keys(),
    passing: new PassingCalls(clock),
    events,
    sql: openSql(toSqlOptions(options.query), logger),
    ...ends,
  }
  addTool(engine, queryTool(engine))
  dispatcher.listen?.(refId => take(engine, refId), logger)
  return engine
}

/** @throws InvalidArgument for a name that is taken, and for an executor or a namespace that there is not */
export function addTool(engine: Engine, tool: Tool, replace = false): void {
  if (engine.tools.has(tool.name) && !replace) {
    throw new InvalidArgument(
      `There is a tool '${tool.name}' already. Give this one another name, or say \`replace: true\`.`,
    )
  }
  engine.access.rule(tool.namespace)
  engine.executorOf(tool)
  engine.tools.set(tool.name, tool)
}

function openStore(options: RefCacheOptions, logger: Logger, cache: string): Store {
  const store = checkStore(options.store ?? memoryStore())
  store.warnTo?.(message => logger.warn(message))
  return observed(store, { logger, clock: options.clock ?? systemClock, cache })
}

/** What runs in this process, and what waits for its turn. */
function runParts(
  { maxConcurrentTasks = 100, maxQueuedTasks = 1000 }: RefCacheOptions,
  { abortGrace, maxInputMemoryBytes }: Settings,
  clock: Clock,
  {
    takeFollower,
    capacityFor,
  }: {
    takeFollower: (refId: RefId, follows: RefId) => Promise<void>
    capacityFor: (tool: string) => SharedCapacity | undefined
  },
): Pick<Engine, 'queue' | 'suspects' | 'inputs' | 'running' | 'handOvers' | 'progress'> {
  const running = new RunningTasks(clock, abortGrace)
  return {
    queue: new TaskQueue(
      checkCount(maxConcurrentTasks, 'maxConcurrentTasks'),
      maxQueuedTasks === 0 ? 0 : checkCount(maxQueuedTasks, 'maxQueuedTasks'),
      capacityFor,
    ),
    suspects: new TaskQueue(1, Number.POSITIVE_INFINITY),
    inputs: new InputBudget(maxInputMemoryBytes, clock),
    running,
    handOvers: new HandOvers(running, takeFollower),
    progress: new ProgressListeners(),
  }
}

/** Whoever listens is to hear what comes of a wait as of who waits. */
function asWhoWaits(due: Due): Due {
  return channels.task.hasSubscribers ? { onDue: inThisContext(() => due.onDue()) } : due
}

const stderrLogger: Logger = {
  warn: message => process.stderr.write(`mcp-refcache warn: ${message}\n`),
  error: message => process.stderr.write(`mcp-refcache error: ${message}\n`),
}

function checkStore(store: Store): Store {
  if (typeof store?.claim !== 'function') {
    throw new InvalidArgument(
      'store is what memoryStore(), sqliteStore(path) or redisStore(url) gives, or a store of your own.',
    )
  }
  // Without these, lost tasks would stay lost, and nothing would tell of that.
  for (const method of ['beat', 'owners', 'tasksOf'] as const) {
    if (typeof store[method] === 'function') continue
    throw new InvalidArgument(`The store lacks the method ${method}. A store of your own needs it too.`)
  }
  return store
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

function encoderOf(executors: ReadonlyMap<string, Executor>): Executor['encode'] {
  const able = [...executors.values()].find(({ encode }) => encode)
  return able?.encode?.bind(able)
}

function capacityOf(
  executors: ReadonlyMap<string, Executor>,
  tool: Tool | undefined,
): SharedCapacity | undefined {
  if (tool?.executor === undefined) return undefined
  const capacity = executors.get(tool.executor)?.capacity
  return capacity === undefined ? undefined : { executor: tool.executor, capacity }
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
  if (told.refId === undefined || !store.isUnstored(told.refId)) return told
  const { refId: _, ...rest } = told
  return rest as Told
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
