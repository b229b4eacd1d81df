export { type Actor, type ActorLike, actor } from './access/actor.ts'
export type { AuditAction, AuditEvent, AuditSink } from './access/audit.ts'
export {
  type Decision,
  type PermissionChecker,
  policyChecker,
  type Resource,
  type Rule,
  type Verdict,
} from './access/decision.ts'
export {
  type Namespace,
  type NamespaceOptions,
  type NamespaceResolver,
  type NamespaceRule,
  type NamespaceSettings,
  namespaceRules,
} from './access/namespace.ts'
export type { ActorPattern } from './access/pattern.ts'
export { Permission } from './access/permission.ts'
export { AccessPolicy } from './access/policy.ts'
export { type Clock, systemClock } from './core/clock.ts'
export type { EncodedValue, ValueEncoding } from './core/codec.ts'
export type { Duration } from './core/duration.ts'
export type {
  Entry,
  EntryStatus,
  FailedAttempt,
  Lease,
  PreviewSettings,
  Progress,
  RemovedEntry,
} from './core/entry.ts'
export type { EntryCounts, ToolStats } from './core/entry-counts.ts'
export type { EntryInfo } from './core/entry-info.ts'
export {
  AnswerTooLarge,
  CircularReference,
  type ErrorCode,
  HardTimeout,
  InputUnavailable,
  InvalidArgument,
  NotFound,
  NotSerializable,
  PermissionDenied,
  ProtocolFailure,
  QueryLimit,
  QueueFull,
  RefCacheError,
  type RpcError,
  StoreFull,
  StoreUnavailable,
  TaskCancelled,
  TaskFailed,
  TaskNotReady,
  UnknownStoreFormat,
  ValueTooLarge,
  WorkerLost,
  WorkerOutOfMemory,
} from './core/errors.ts'
export type { CacheEvent, CacheEventOf, CacheEventType, CacheListener } from './core/events.ts'
export type { Handler, ProgressReport, TaskContext } from './core/handler.ts'
export type { ResolveRefs } from './core/input.ts'
export type { JsonObject, JsonValue } from './core/json.ts'
export type { Logger } from './core/logger.ts'
export type { Piece } from './core/piece.ts'
export type {
  AskCapabilities,
  AskMethod,
  ElicitFormParams,
  ElicitParams,
  ElicitResult,
  ElicitUrlParams,
  InputRequest,
  Question,
} from './core/question.ts'
export type { RandomBytes, RefId } from './core/ref.ts'
export type {
  AsyncTaskResponse,
  CacheResponse,
  CallResponse,
  CancelledResponse,
  FailedResponse,
  InFlightResponse,
  PartialResponse,
  WholeResponse,
} from './core/response.ts'
export type { StandardSchema } from './core/standard-schema.ts'
export type { TokenCounts, TokenSavings } from './core/token-savings.ts'
export type { ResponseFormat, ToolOptions, TtlMode } from './core/tool-options.ts'
export { type Dispatcher, localDispatcher, type PendingWork, type TakeWork } from './execution/dispatcher.ts'
export type { Appended, ExecutionContext, Executor } from './execution/executor.ts'
export { type ErrorData, fromErrorData, toErrorData } from './execution/executor-errors.ts'
export { type ExecutableTool, runHandler } from './execution/executor-handler.ts'
export { inProcessExecutor } from './execution/in-process.ts'
export type { ActorOption, OnBehalfOption } from './flow/actor-option.ts'
export type { CachedTool, CallOptions, ValueCallOptions } from './flow/call/options.ts'
export type { CacheReference, SetOptions } from './flow/call/set.ts'
export type { CloseOptions } from './flow/control/close.ts'
export type { Invalidation } from './flow/control/invalidate.ts'
export type { EditedReference, EditOptions } from './flow/derive/edit.ts'
export type { QueryOptions } from './flow/derive/query.ts'
export type { EntryPage, ListOptions } from './flow/operate/inspect.ts'
export type { CacheStats, StatsOptions } from './flow/operate/stats.ts'
export type { TaskInfo } from './flow/operate/task-info.ts'
export type { ListTasksOptions, TaskList } from './flow/operate/tasks.ts'
export type { GetOptions } from './flow/read/poll.ts'
export type { ResolveOptions } from './flow/read/resolve.ts'
export type { PreviewStrategy, SizeMode } from './preview/preview.ts'
export { RefCache } from './ref-cache.ts'
export type { ActorCache } from './ref-cache-as.ts'
export type { QuerySettings, RefCacheOptions } from './ref-cache-options.ts'
export { memoryStore } from './stores/memory.ts'
export type {
  Claim,
  HourOfSavings,
  ListFilter,
  Payload,
  PayloadChanges,
  Store,
  StoreCapabilities,
  StoreUsage,
} from './stores/store.ts'
export type { Change } from './values/edit/change.ts'
export type { Edit, FindReplace, PatchOperation } from './values/edit/edits.ts'
export type { ProjectionPurpose, Projections } from './values/projection.ts'
