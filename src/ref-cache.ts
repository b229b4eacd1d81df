import { type ActorLike, toActor } from './access/actor.ts'
import type { Decision } from './access/decision.ts'
import type { Namespace } from './access/namespace.ts'
import type { Permission } from './access/permission.ts'
import type { EntryInfo } from './core/entry-info.ts'
import type { CacheEventType, CacheListener } from './core/events.ts'
import type { Handler } from './core/handler.ts'
import type { JsonValue } from './core/json.ts'
import type { RefId } from './core/ref.ts'
import type { CallResponse } from './core/response.ts'
import type { StandardSchema } from './core/standard-schema.ts'
import { defineTool } from './core/tool.ts'
import type { ToolOptions } from './core/tool-options.ts'
import type { Dispatcher } from './execution/dispatcher.ts'
import { type ActorOption, actorOf, type OnBehalfOption, onBehalfOf } from './flow/actor-option.ts'
import { cachedTool } from './flow/call/call.ts'
import type { CachedTool } from './flow/call/options.ts'
import { type CacheReference, type SetOptions, set } from './flow/call/set.ts'
import type { WriteEnd } from './flow/call/shared-runs.ts'
import { answer } from './flow/control/answer.ts'
import { cancel } from './flow/control/cancel.ts'
import { type CloseOptions, closeEngine, readCloseOptions } from './flow/control/close.ts'
import { clear, remove } from './flow/control/delete.ts'
import { type Invalidation, invalidate } from './flow/control/invalidate.ts'
import { retry } from './flow/control/retry.ts'
import { Sweeper } from './flow/control/sweep.ts'
import { type EditedReference, type EditOptions, edit } from './flow/derive/edit.ts'
import { type QueryOptions, query } from './flow/derive/query.ts'
import type { Engine } from './flow/engine.ts'
import { type EntryPage, inspect, type ListOptions, list } from './flow/operate/inspect.ts'
import { type CacheStats, type StatsOptions, stats } from './flow/operate/stats.ts'
import { type ListTasksOptions, listTasks, type TaskList } from './flow/operate/tasks.ts'
import { exists, find, findAnd } from './flow/read/find.ts'
import { type GetOptions, poll } from './flow/read/poll.ts'
import { replyStatus } from './flow/read/reply.ts'
import { type ResolveOptions, resolve } from './flow/read/resolve.ts'
import { watch } from './flow/read/watch.ts'
import { ADAPTERS, AdapterAccess } from './ref-cache-adapters.ts'
import { ActorCache } from './ref-cache-as.ts'
import { addTool, createEngine } from './ref-cache-engine.ts'
import type { RefCacheOptions } from './ref-cache-options.ts'
import type { Edit } from './values/edit/edits.ts'

/**
 * References for tool results: put values in, get whole values, previews and pages out, and run tools so that slow
 * ones become handles.
 *
 * Whoever asks for a reference and says no more is an anonymous agent, the least trusted caller. `set`, `delete` and `clear`
 * without an actor are acts of the host program. So are `list`, `inspect` and `stats`.
 */
export class RefCache implements AsyncDisposable {
  readonly #engine: Engine
  readonly #sweeper: Sweeper
  readonly #closing = new AbortController()
  readonly #stopping = new AbortController()
  /** @internal */
  readonly [ADAPTERS]: AdapterAccess
  #closed: Promise<void> | undefined

  constructor(options: RefCacheOptions = {}) {
    this.#engine = createEngine(options, {
      closing: this.#closing.signal,
      stopping: this.#stopping.signal,
    })
    this[ADAPTERS] = new AdapterAccess(this.#engine)
    this.#sweeper = new Sweeper(this.#engine)
    this.#sweeper.begin()
  }

  /** The name that every reference of this cache begins with. */
  get name(): string {
    return this.#engine.name
  }

  /** Who takes the work of its tools, as it was given. */
  get dispatcher(): Dispatcher {
    return this.#engine.dispatcher
  }

  /** The methods that take an actor, bound to one: `cache.as(actor.user({ id: 'ada' })).get(refId)`. @throws InvalidArgument */
  as(who: ActorLike): ActorCache {
    return new ActorCache(this, toActor(who))
  }

  /** What sizes and budgets are counted in. */
  get sizeMode(): 'token' | 'character' {
    return this.#engine.settings.preview.sizeMode
  }

  /**
   * Stores a value under a new reference.
   * @throws NotSerializable, CircularReference, ValueTooLarge, InvalidArgument
   */
  set(label: string, value: unknown, options: SetOptions = {}): Promise<CacheReference> {
    return set(this.#engine, label, value, options)
  }

  /**
   * What a reference stands for: the value or as much of it as fits, or how its task stands.
   * @throws NotFound, PermissionDenied, InvalidArgument, ValueTooLarge (with `full`)
   */
  get(refId: RefId, options: GetOptions = {}): Promise<CallResponse> {
    return poll(this.#engine, refId, options)
  }

  /**
   * The value itself, as a fresh copy, for the program's own use. Give a `schema` that checks it; a type alone is only
   * believed.
   * @throws NotFound, PermissionDenied, TaskFailed, TaskCancelled; TaskNotReady while the task runs; InvalidArgument where
   *   the schema refuses the value
   */
  resolve(refId: RefId, options?: ResolveOptions & { schema?: undefined }): Promise<JsonValue>
  resolve<Value>(refId: RefId, options?: ResolveOptions<Value>): Promise<Value>
  resolve<Value>(refId: RefId, options: ResolveOptions<Value> = {}): Promise<Value> {
    return resolve(this.#engine, refId, options)
  }

  /**
   * Makes a changed copy of a value, by JSON Patch on what is JSON or by exact find-and-replace on a text; all edits or none. What no
   * edit touches stays byte for byte, also in JSON that came as a text. The copy is for whom the original is for, and is kept as long.
   * A `value` or `replace` may be a reference (READ or EXECUTE; what guards its value guards the copy) or name a part.
   * @throws NotFound, PermissionDenied, ValueTooLarge; TaskNotReady; InvalidArgument, with the number of the edit, where one cannot
   *   be made
   */
  edit(refId: RefId, edits: readonly Edit[], options: EditOptions = {}): Promise<EditedReference> {
    return edit(this.#engine, refId, edits, options)
  }

  /**
   * Asks a value in SQL, or searches it, without showing it whole. The answer is a new entry, for whom the value is: it pages, goes into other tools, and
   * can be asked itself. The same question about the same value again is answered from it.
   * @throws NotFound, PermissionDenied; InvalidArgument for a question that cannot be understood, and where there is no SQL;
   *   QueryLimit for one that takes too long or too much memory; TaskFailed, TaskCancelled where there will be no value
   */
  query(refId: RefId, options: QueryOptions): Promise<CallResponse> {
    return query(this.#engine, refId, options)
  }

  /** Whether the actor may know of a live entry of this reference. Never throws for what it is given. */
  async exists(refId: RefId, options: ActorOption = {}): Promise<boolean> {
    return exists(this.#engine, refId, actorOf(options, '`exists`'))
  }

  /**
   * Whether an actor has a right to a reference, and which rule decides: for operators, since it tells more than the
   * actor may know.
   */
  async explain(refId: RefId, who: ActorLike, permission: Permission): Promise<Decision> {
    return this.#engine.access.decide(await find(this.#engine, refId), toActor(who), permission)
  }

  /**
   * Deletes an entry for good: for the host program itself, as `set` puts it in, or on behalf of an actor. What `set` put in for an
   * actor, the same actor may delete. Name the actor wherever the reference comes from a request.
   * @throws NotFound; PermissionDenied for an actor without the DELETE right
   */
  delete(refId: RefId, options: OnBehalfOption = {}): Promise<true> {
    return remove(this.#engine, refId, onBehalfOf(options, '`delete`'))
  }

  /** Deletes this cache's entries, or those of one namespace; says how many. */
  clear(namespace?: Namespace): Promise<number> {
    return clear(this.#engine, namespace)
  }

  /**
   * Frees the keys of memoized results that are outdated, by tags or tool, in every namespace: the next identical call runs anew,
   * in every process of the store, also where a run is in flight. References that were given stay. Says how many keys were freed.
   * For one input, see `CachedTool.invalidate`.
   * @throws InvalidArgument, StoreUnavailable
   */
  invalidate(invalidation: Invalidation): Promise<number> {
    return invalidate(this.#engine, invalidation)
  }

  /** A page of what is in this cache, without values, inputs and words. For operators. @throws InvalidArgument */
  list(options: ListOptions = {}): Promise<EntryPage> {
    return list(this.#engine, options)
  }

  /** What is known of one entry, without its value, input and words. For operators. @throws NotFound */
  inspect(refId: RefId): Promise<EntryInfo> {
    return inspect(this.#engine, refId)
  }

  /** How much is in this cache, or in one namespace of it. For operators. @throws InvalidArgument */
  stats(options: StatsOptions = {}): Promise<CacheStats> {
    return stats(this.#engine, options)
  }

  /**
   * Registers a tool and returns it as a function whose calls go through the cache. A call that is not answered
   * within `asyncTimeout` answers with a handle; the work goes on, and is never started again by that.
   *
   * A handler that throws while a caller waits rejects that caller with its own error.
   */
  cached<Input, Output, Parsed>(
    options: ToolOptions<Input, Parsed> & { input: StandardSchema<Input, Parsed> },
    handler: Handler<Parsed, Output>,
  ): CachedTool<Input, Output>
  cached<Input = Record<string, never>, Output = unknown>(
    options: ToolOptions<Input>,
    handler: Handler<Input, Output>,
  ): CachedTool<Input, Output>
  cached<Input, Output, Parsed>(
    options: ToolOptions<Input, Parsed>,
    handler: Handler<Parsed, Output>,
  ): CachedTool<Input, Output> {
    const tool = defineTool(options, handler)
    addTool(this.#engine, tool, options.replace)
    return cachedTool(this.#engine, tool)
  }

  /**
   * Says that something changes which tools with `readOnly: true` read: for writes that are no calls of this cache's tools. No
   * call follows the run of another one that began before the returned function is called; `'stopped'` says that the write was
   * given up and may still take effect.
   */
  beginWrite(): WriteEnd {
    return this.#engine.sharedRuns.beginWrite()
  }

  /** Says that the last answer about a reference did not reach its caller: an identical call may still have the result. */
  notDelivered(refId: RefId): void {
    this.#engine.sharedRuns.undeliver(refId)
  }

  /** How many tasks of that namespace this process has that run, or wait for their turn or for their next attempt. */
  unfinishedTasks(namespace: string): number {
    const { running, passing } = this.#engine
    return running.countOf(namespace) + passing.countOf(namespace)
  }

  /** How a task stands, without its value. @throws NotFound */
  async taskStatus(refId: RefId, options: ActorOption = {}): Promise<CallResponse> {
    const who = actorOf(options, '`taskStatus`')
    return findAnd(this.#engine, refId, who, entry =>
      replyStatus(this.#engine, entry, who, { action: 'status', refId }),
    )
  }

  /**
   * Cancels a task; answers with its status after that. Twice is safe, and a finished task stays as it is.
   * @throws NotFound; PermissionDenied unless the actor started it or has the UPDATE right
   */
  cancelTask(refId: RefId, options: ActorOption = {}): Promise<CallResponse> {
    return cancel(this.#engine, refId, actorOf(options, '`cancelTask`'))
  }

  /**
   * Begins a failed or cancelled task again; answers with its status after that: under the same reference, but for a task of MCP,
   * which keeps the status that it ended with. A new entry tries that again: its `retryOf` and the old one's `retriedAs` say so.
   * @throws NotFound; PermissionDenied unless the actor started it or has the UPDATE right; InvalidArgument for a task
   *   that runs or has finished, or whose tool this process lacks
   */
  retryTask(refId: RefId, options: ActorOption = {}): Promise<CallResponse> {
    return retry(this.#engine, refId, actorOf(options, '`retryTask`'))
  }

  /**
   * Answers what a task asks (`inputRequests` of its status), by key, one question or several; answers with its status
   * after that. What is not asked, or has its answer already, is passed over: the first answer stands.
   * @throws NotFound; PermissionDenied unless the actor started it or has the UPDATE right; InvalidArgument for an
   *   answer of the wrong shape; ValueTooLarge
   */
  answerTask(
    refId: RefId,
    answers: Readonly<Record<string, unknown>>,
    options: ActorOption = {},
  ): Promise<CallResponse> {
    return answer(this.#engine, refId, answers, actorOf(options, '`answerTask`'))
  }

  /**
   * The tasks that the actor itself started, page by page. Whoever has neither an id nor a session shares the list
   * with everybody like that.
   * @throws InvalidArgument for a cursor that this list did not give
   */
  listTasks(options: ListTasksOptions = {}): Promise<TaskList> {
    return listTasks(this.#engine, options)
  }

  /**
   * Calls `onChange` soon after each change of an entry in any process; what changed is asked for then. Gives the end
   * of it, which is the caller's to call.
   * @throws NotFound
   */
  watch(refId: RefId, options: ActorOption, onChange: () => unknown): Promise<() => void> {
    return watch(this.#engine, refId, actorOf(options, '`watch`'), onChange)
  }

  /**
   * Calls `listener` for each event of a type in this process, or for all events (`'*'`); returns the end of it. A listener that
   * throws or rejects harms nothing. The same function registered twice is called twice.
   * @throws InvalidArgument for an event that there is not
   */
  on<Type extends CacheEventType | '*'>(type: Type, listener: CacheListener<Type>): () => void {
    return this.#engine.events.on(type, listener)
  }

  /** As `on`, for the next event only. */
  once<Type extends CacheEventType | '*'>(type: Type, listener: CacheListener<Type>): () => void {
    return this.#engine.events.on(type, listener, true)
  }

  /**
   * Takes no more calls, gives running tasks `drain` to finish, stops the rest, and closes the store. Tasks that may be
   * run again are let go of, so that another process on the store takes them over at once; others fail with
   * `worker_lost`. Safe to call twice.
   */
  close(options: CloseOptions = {}): Promise<void> {
    const { drain, waitFor } = readCloseOptions(options)
    this.#closed ??= this.#close(drain)
    return waitFor(this.#closed)
  }

  /** `await using cache = new RefCache()`: as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #close(drain: number): Promise<void> {
    this.#closing.abort()
    this.#sweeper.end()
    return closeEngine(this.#engine, drain, () => this.#stopping.abort())
  }
}
