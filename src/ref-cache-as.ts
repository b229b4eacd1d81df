import type { Actor } from './access/actor.ts'
import { InvalidArgument } from './core/errors.ts'
import type { JsonValue } from './core/json.ts'
import type { RefId } from './core/ref.ts'
import type { CallResponse } from './core/response.ts'
import type { ActorOption } from './flow/actor-option.ts'
import type { CacheReference, SetOptions } from './flow/call/set.ts'
import type { EditedReference, EditOptions } from './flow/derive/edit.ts'
import type { QueryOptions } from './flow/derive/query.ts'
import type { ListTasksOptions, TaskList } from './flow/operate/tasks.ts'
import type { GetOptions } from './flow/read/poll.ts'
import type { ResolveOptions } from './flow/read/resolve.ts'
import type { Edit } from './values/edit/edits.ts'

type Bound<Options> = Omit<Options, 'actor'>

/** The methods of a cache that take an actor. */
interface ActorMethods {
  set(label: string, value: unknown, options: SetOptions): Promise<CacheReference>
  get(refId: RefId, options: GetOptions): Promise<CallResponse>
  resolve<Value>(refId: RefId, options: ResolveOptions<Value>): Promise<Value>
  edit(refId: RefId, edits: readonly Edit[], options: EditOptions): Promise<EditedReference>
  query(refId: RefId, options: QueryOptions): Promise<CallResponse>
  exists(refId: RefId, options: ActorOption): Promise<boolean>
  delete(refId: RefId, options: ActorOption): Promise<true>
  taskStatus(refId: RefId, options: ActorOption): Promise<CallResponse>
  cancelTask(refId: RefId, options: ActorOption): Promise<CallResponse>
  retryTask(refId: RefId, options: ActorOption): Promise<CallResponse>
  answerTask(
    refId: RefId,
    answers: Readonly<Record<string, unknown>>,
    options: ActorOption,
  ): Promise<CallResponse>
  listTasks(options: ListTasksOptions): Promise<TaskList>
  watch(refId: RefId, options: ActorOption, onChange: () => unknown): Promise<() => void>
}

/** A cache as one actor sees it (`RefCache.as`). Each method is that of the cache, and throws the same. */
export class ActorCache {
  constructor(
    private readonly cache: ActorMethods,
    private readonly actor: Actor,
  ) {}

  set(label: string, value: unknown, options: Bound<SetOptions> = {}): Promise<CacheReference> {
    return this.cache.set(label, value, this.#bind(options))
  }

  get(refId: RefId, options: Bound<GetOptions> = {}): Promise<CallResponse> {
    return this.cache.get(refId, this.#bind(options))
  }

  resolve(refId: RefId, options?: Bound<ResolveOptions> & { schema?: undefined }): Promise<JsonValue>
  resolve<Value>(refId: RefId, options?: Bound<ResolveOptions<Value>>): Promise<Value>
  resolve<Value>(refId: RefId, options: Bound<ResolveOptions<Value>> = {}): Promise<Value> {
    return this.cache.resolve<Value>(refId, this.#bind(options))
  }

  edit(refId: RefId, edits: readonly Edit[], options: Bound<EditOptions> = {}): Promise<EditedReference> {
    return this.cache.edit(refId, edits, this.#bind(options))
  }

  query(refId: RefId, options: Bound<QueryOptions>): Promise<CallResponse> {
    return this.cache.query(refId, this.#bind(options))
  }

  exists(refId: RefId): Promise<boolean> {
    return this.cache.exists(refId, this.#bind({}))
  }

  delete(refId: RefId): Promise<true> {
    return this.cache.delete(refId, this.#bind({}))
  }

  taskStatus(refId: RefId): Promise<CallResponse> {
    return this.cache.taskStatus(refId, this.#bind({}))
  }

  cancelTask(refId: RefId): Promise<CallResponse> {
    return this.cache.cancelTask(refId, this.#bind({}))
  }

  retryTask(refId: RefId): Promise<CallResponse> {
    return this.cache.retryTask(refId, this.#bind({}))
  }

  answerTask(refId: RefId, answers: Readonly<Record<string, unknown>>): Promise<CallResponse> {
    return this.cache.answerTask(refId, answers, this.#bind({}))
  }

  listTasks(options: Bound<ListTasksOptions> = {}): Promise<TaskList> {
    return this.cache.listTasks(this.#bind(options))
  }

  watch(refId: RefId, onChange: () => unknown): Promise<() => void> {
    return this.cache.watch(refId, this.#bind({}), onChange)
  }

  #bind<Options extends object>(options: Options): Options & { actor: Actor } {
    if ('actor' in options) throw new InvalidArgument('Who asks is bound by `as`: leave `actor` out.')
    return { ...options, actor: this.actor }
  }
}
