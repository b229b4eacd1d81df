import type { AuditSink } from '../access/audit.ts'
import type { Access } from '../access/authorize.ts'
import type { ValueEncoding } from '../core/codec.ts'
import type { Emitter } from '../core/emitter.ts'
import type { History } from '../core/history.ts'
import type { Keys } from '../core/key.ts'
import type { Logger } from '../core/logger.ts'
import type { NewestSet } from '../core/newest-set.ts'
import type { RandomBytes } from '../core/ref.ts'
import type { Timers } from '../core/timers.ts'
import type { Tool } from '../core/tool.ts'
import type { Dispatcher } from '../execution/dispatcher.ts'
import type { Executor } from '../execution/executor.ts'
import type { PreviewStrategy, SizeMode } from '../preview/preview.ts'
import type { Sql } from '../query/sql.ts'
import type { Store } from '../stores/store.ts'
import type { Projections } from '../values/projection.ts'
import type { EncodeElsewhere } from '../values/segments/encode.ts'
import type { InputBudget } from './call/input-budget.ts'
import type { LateClaims } from './call/late-claims.ts'
import type { PassingCalls } from './call/passing-calls.ts'
import type { SharedRuns } from './call/shared-runs.ts'
import type { AwaitedCallers } from './control/awaited-callers.ts'
import type { Entries } from './entries.ts'
import type { EntryClock } from './entry-clock.ts'
import type { Savings } from './operate/savings.ts'
import type { EqualRefusals } from './read/equal-refusals.ts'
import type { SourceCache } from './read/values.ts'
import type { HandOvers } from './run/hand-over.ts'
import type { Heartbeat } from './run/heartbeat.ts'
import type { ProgressListeners } from './run/progress.ts'
import type { TaskQueue } from './run/queue.ts'
import type { RunningTasks } from './run/running.ts'
import type { ThrownErrors } from './run/thrown.ts'

/** The settings of a cache, checked, in milliseconds and bytes. */
export interface Settings {
  readonly defaultTtl: number | undefined
  /** The longest that a reader can have a value kept from now. */
  readonly maxTtl: number | undefined
  readonly preview: {
    readonly maxSize: number
    /** The same where somebody set it. */
    readonly setMaxSize: number | undefined
    readonly sizeMode: SizeMode
    readonly strategy: PreviewStrategy
  }
  /** Largest value that is stored, in bytes of JSON. */
  readonly maxValueBytes: number
  /** Largest input with values in the places of its references, in characters of JSON. */
  readonly maxInputBytes: number
  /** What the filled inputs of running tasks may take in memory, as estimated; one of them at most that. */
  readonly maxInputMemoryBytes: number
  /** Largest value that `full` hands out, in bytes of JSON. */
  readonly fullLimitBytes: number
  /** How long failed and cancelled tasks keep their record. */
  readonly taskRetention: number | undefined
  readonly leaseDuration: number
  readonly sweepInterval: number
  /** How long a result is tried again that a full store does not take. */
  readonly storeFullTimeout: number
  /** How long a handler that goes on after its run has ended counts as running. */
  readonly abortGrace: number
}

/** All that the flow works with. Put together in `ref-cache.ts`. */
export interface Engine {
  readonly name: string
  /** This process, in leases. */
  readonly instance: string
  readonly store: Store
  /** Says who takes the tasks that begin here. */
  readonly dispatcher: Dispatcher
  /** Those that tools can name. */
  readonly executors: ReadonlyMap<string, Executor>
  /** What runs the handler of a tool. @throws InvalidArgument for a name that is not among `executors` */
  readonly executorOf: (tool: Tool) => Executor
  /** What runs in this process. */
  readonly running: RunningTasks
  /** That this process lives. */
  readonly heartbeat: Heartbeat
  /** What runs here for a task that was cancelled, and goes on for others. */
  readonly handOvers: HandOvers
  /** Who waits here for what runs here. */
  readonly progress: ProgressListeners
  /** By which entries are stamped and expire. */
  readonly clock: EntryClock
  /** For waits of which there may be as many as tasks. */
  readonly timers: Timers
  readonly random: RandomBytes
  readonly settings: Settings
  /** How values become bytes for the store. */
  readonly encoding: ValueEncoding
  /** Where large values become bytes. Undefined: in this thread. */
  readonly encodeElsewhere: EncodeElsewhere | undefined
  /** Decides who may do what. */
  readonly access: Access
  readonly audit: AuditSink | undefined
  /** Tells the operator of trouble. Never throws. */
  readonly logger: Logger
  readonly projections: Projections
  /** What answers call a tool. */
  readonly toolLabel: (toolName: string) => string
  readonly tools: Map<string, Tool>
  /** Whom lost tasks wait for. */
  readonly awaitedCallers: AwaitedCallers
  readonly sources: SourceCache
  /** What handlers threw, for the callers of this process. */
  readonly errors: ThrownErrors
  readonly equalRefusals: EqualRefusals
  readonly entries: Entries
  /** The same store, where it holds back what need not be stored yet. */
  readonly lateClaims: LateClaims
  readonly queue: TaskQueue
  /** Where tasks that were lost together again and again take turns, one at a time. */
  readonly suspects: TaskQueue
  readonly inputs: InputBudget
  readonly history: History
  readonly sharedRuns: SharedRuns
  /** The keys that gave a hit lately. They decide nothing: the store says who holds a key. */
  readonly recentHits: NewestSet<string>
  readonly keys: Keys
  /** What runs in this process without an entry. */
  readonly passing: PassingCalls
  readonly events: Emitter
  /** What answers to agents cost and save. */
  readonly savings: Savings
  /** Answers questions about values. */
  readonly sql: Sql
  /** Aborts when the cache begins to close: no more calls. */
  readonly closing: AbortSignal
  /** Aborts when the drain is over: what still runs is stopped. */
  readonly stopping: AbortSignal
}
