import { mayHoldReserved } from '../../agent/arguments.ts'
import { present } from '../../agent/present.ts'
import type { TaskCallOptions } from '../../agent/tasks/service.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import type { Entry, Progress } from '../../core/entry.ts'
import { InvalidArgument, ProtocolFailure, TaskFailed, WorkerLost } from '../../core/errors.ts'
import type { TaskContext } from '../../core/handler.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CallResponse } from '../../core/response.ts'
import type { CachedTool } from '../../flow/call/options.ts'
import type { RefCache } from '../../ref-cache.ts'
import { ADAPTERS } from '../../ref-cache-adapters.ts'
import { errorTextOf } from '../../values/call-result.ts'
import { asOutcome, type CallOutcome, NotKept } from '../call-outcome.ts'
import { FollowedJobs, noteOnJob } from '../follow/followed-jobs.ts'
import type { Log } from '../log.ts'
import type { Quotas } from '../quotas.ts'
import { type CallSettings, SettingsByTool, somePassBy, unlistedTools } from '../settings.ts'
import { QuickCall, type QuickCallEvents } from '../upstream/quick-call.ts'
import type { UpstreamTasks } from '../upstream/tasks.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { cachedOptions, cacheName } from './cached-options.ts'
import { type CallerIdentity, type CallInput, paramsOf, prepare, type ToolCall } from './call-input.ts'
import { type KnownTool, type ListingOptions, NOT_DECLARED } from './catalog.ts'

/** A client may make up names; each costs memory. */
const MAX_TOOLS = 1_000
/** And so may a server. Tools beyond this are known when they are called. */
const MAX_LISTED_TOOLS = 10_000

/** One client of this process, and the server that is its own. */
export interface ProxiedClient extends CallerIdentity {
  /** Absent: nobody in particular, whose calls are not limited. */
  readonly quotas?: Quotas | undefined
  readonly upstream: Upstream
  readonly tasks: UpstreamTasks
}

export interface CallContext {
  signal: AbortSignal
  onProgress(progress: Progress): void
  /** What the client can take. */
  readonly limits: AnswerLimits
}

/** A tool of the wrapped server, as the cache knows it. */
interface RegisteredTool {
  readonly declared: KnownTool
  /** What the cache calls it. */
  readonly name: string
  readonly call: CachedTool<CallInput>
  readonly memoize: boolean
  /** Its calls are jobs, which take longer than their first answer. */
  readonly isJob: boolean
}

/** Calls of the wrapped server's tools, through the cache. One for the process, whatever the number of clients. */
export class ToolCalls {
  readonly #tools = new Map<string, RegisteredTool>()
  /** By scope. */
  readonly #callers = new Map<string, Set<ProxiedClient>>()
  readonly #settingsByTool: SettingsByTool
  readonly #jobs: FollowedJobs
  /** Those whose servers have listed their tools, or take calls without. */
  readonly #ready = new WeakSet<ProxiedClient>()
  #checked = false

  /**
   * @param upstream stands for the wrapped server and its credentials: in the name of each tool it keeps a wrapper of
   *   another server, or for another account, from taking over what this one leaves behind
   */
  constructor(
    private readonly cache: RefCache,
    private readonly settings: CallSettings,
    private readonly upstream: string,
  ) {
    this.#settingsByTool = new SettingsByTool(settings)
    this.#jobs = new FollowedJobs(cache, (...asked) => this.#run(...asked))
    cache[ADAPTERS].awaitedCallers.ask(task => this.#awaitsCaller(task))
  }

  /** Until the returned function is called, tasks of this caller's scope run on its server. */
  admit(caller: ProxiedClient): () => void {
    const { scope } = caller
    const callers = this.#callers.get(scope) ?? new Set()
    this.#callers.set(scope, callers.add(caller))
    return () => {
      callers.delete(caller)
      if (callers.size === 0 && this.#callers.get(scope) === callers) this.#callers.delete(scope)
    }
  }

  /** On whose server a call runs. What an earlier session left behind, or another process, any server of the scope may do. */
  #callerOf({ scope, session }: CallInput): ProxiedClient | undefined {
    const callers = [...(this.#callers.get(scope) ?? [])]
    return callers.find(one => one.session === session) ?? callers[0]
  }

  /** Only its caller's server can run a task. What was left behind by a session waits for nobody: sessions do not come back. */
  #awaitsCaller({ toolName, namespace }: Pick<Entry, 'toolName' | 'namespace'>): boolean {
    if (!this.isOwn(toolName) || namespace.startsWith('session:')) return false
    for (const callers of this.#callers.values()) {
      for (const caller of callers)
        if (caller.namespace === namespace && this.#ready.has(caller)) return false
    }
    return true
  }

  #isBack(caller: ProxiedClient): void {
    if (this.#ready.has(caller)) return
    this.#ready.add(caller)
    this.cache[ADAPTERS].awaitedCallers.returned()
  }

  /** Whether work that the caller asked for is not finished. */
  hasWork(caller: ProxiedClient): boolean {
    return this.unfinished(caller) > 0
  }

  /** Calls of the caller that run or wait here, also those that nobody waits for. */
  unfinished({ namespace }: ProxiedClient): number {
    return this.cache.unfinishedTasks(namespace)
  }

  goesThrough(name: string): boolean {
    return this.#settingsByTool.of(name).cache !== false
  }

  /** How the tools of the server are listed. */
  get listing(): ListingOptions {
    const { listReserved = false, notes = false, instructionsFirst = false } = this.settings
    return {
      listReserved,
      notes,
      instructionsFirst,
      takesReferences: name => this.#settingsByTool.of(name).resolveRefs !== false,
      hasCard: name => this.#settingsByTool.of(name).card === true,
      noteOnJob: name => noteOnJob(this.#settingsByTool.of(name).follow),
    }
  }

  /** Whether there may be calls that the cache knows nothing of. */
  get somePassBy(): boolean {
    return somePassBy(this.settings)
  }

  /** Whether the task of that name is of this server, and of these credentials. */
  isOwn(toolName: string | undefined): boolean {
    return toolName?.endsWith(cacheName('', this.upstream)) ?? false
  }

  /** One call, with the answer that a client gets which knows nothing of tasks. */
  call(caller: ProxiedClient, call: ToolCall, context: CallContext): Promise<CallOutcome> {
    return this.answer(call, context, () => this.start(caller, call, context))
  }

  /** What a call is answered with, however it was made. */
  async answer(
    { tool }: ToolCall,
    { limits }: CallContext,
    make: () => Promise<CallResponse>,
  ): Promise<CallOutcome> {
    try {
      const response = await make()
      const hasOutputSchema = tool.outputSchema !== undefined
      return { result: present(response, { hasOutputSchema, limits }), refId: response.refId }
    } catch (error) {
      return asOutcome(error, tool)
    }
  }

  /**
   * Asks the caller's server at once, and lets the call pass without an entry until something needs one. Undefined where something
   * does from the start, or the server cannot be asked so: then the call is made by `call` or `start`.
   */
  pass(
    caller: ProxiedClient,
    call: ToolCall,
    limits: AnswerLimits,
    events: QuickCallEvents,
  ): QuickCall | undefined {
    const { name, tool, params } = call
    const known = this.#tools.get(name)
    if (known?.declared !== tool || known.isJob || caller.quotas) return undefined
    if (mayHoldReserved(params.arguments)) return undefined
    const { input, options } = prepare(caller, call, known.memoize)
    const late = { ...options, limits }
    const passing = this.cache[ADAPTERS].pass(known.name, input, late, () => quick.need())
    if (!passing) return undefined
    const quick: QuickCall = new QuickCall(caller.upstream, passing, events)
    if (caller.tasks.begin(paramsOf(input), tool.asTask, quick)) return quick
    passing.end()
    return undefined
  }

  /** One call, and what there is of it when it is to be answered. */
  async start(
    caller: ProxiedClient,
    call: ToolCall,
    context: CallContext & TaskCallOptions,
  ): Promise<CallResponse> {
    const run = () => {
      const tool = this.#tool(call.name, call.tool)
      this.#isBack(caller)
      const { input, options } = prepare(caller, call, tool.memoize)
      return tool.call(input, { ...options, ...context })
    }
    return this.counted(caller, run)
  }

  /** Runs what is no call of a tool, such as a retry or a question, and counts as one. @throws QueueFull, QuotaFull */
  counted<Answer>({ namespace, quotas }: ProxiedClient, run: () => Promise<Answer>): Promise<Answer> {
    return quotas ? quotas.call(namespace, run) : run()
  }

  /** Makes the tool known to the cache, so that its failed tasks can be tried again without a call before. */
  register(name: string, tool: KnownTool): void {
    if (this.goesThrough(name) && this.#tools.size < MAX_LISTED_TOOLS) this.#tool(name, tool)
  }

  /**
   * Hears of all tools of a caller's server. Says once what the settings name that is none of them, and what they memoize at
   * somebody's risk.
   */
  listed(caller: ProxiedClient, tools: ReadonlyMap<string, KnownTool>, log: Log): void {
    this.#isBack(caller)
    if (this.#checked || tools.size === 0) return
    this.#checked = true
    for (const { pattern, meant } of unlistedTools(this.settings, [...tools.keys()])) {
      const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`
      log.warn(
        'unknown_tool',
        `There are settings for '${pattern}', but the server lists no such tool.${hint}`,
      )
    }
    for (const [name, { readOnly }] of tools) {
      if (readOnly || !this.#settingsByTool.of(name).memoize) continue
      log.warn(
        'memoized_write',
        `'${name}' is memoized but does not say that it only reads (readOnlyHint): an identical call does not reach the server again.`,
      )
    }
  }

  #tool(name: string, declared: KnownTool): RegisteredTool {
    const known = this.#tools.get(name)
    // A tool may be called before it is listed, and may be declared anew.
    if (known?.declared === declared) return known
    if (!known && declared === NOT_DECLARED && this.#tools.size >= MAX_TOOLS)
      throw new InvalidArgument(`There is no tool '${name.slice(0, 100)}'.`)
    const settings = this.#settingsByTool.of(name)
    const { memoize = false, follow, hardTimeout } = settings
    const { readOnly, idempotent, asTask } = declared
    const options = cachedOptions(name, this.upstream, declared, settings)
    const call = this.cache.cached<CallInput, JsonObject>(options, (input, task, begun) =>
      follow
        ? this.#jobs.run({
            toolName: options.name,
            input,
            asTask,
            mayRepeat: readOnly || idempotent,
            task,
            settings: follow,
            hardTimeout,
          })
        : this.#run(input, asTask, task, begun),
    )
    const tool = { declared, name: options.name, call, memoize, isJob: follow !== undefined }
    this.#tools.set(name, tool)
    return tool
  }

  /** The handler of every tool: asks the server of the caller that the call was made for. */
  async #run(input: CallInput, asTask: boolean, task: TaskContext, begun?: unknown): Promise<JsonObject> {
    const caller = this.#callerOf(input)
    if (!caller) throw new WorkerLost('The wrapped server that this call was for is gone.')
    const { tasks } = caller
    const params = paramsOf(input)
    const isBegun = begun instanceof QuickCall
    const response = await (isBegun ? tasks.goOn(begun, params, task) : tasks.call(params, asTask, task))
    if ('error' in response) {
      // The server refused the request itself.
      const { message, ...rpc } = response.error
      throw new ProtocolFailure(message, rpc)
    }
    const { result } = response
    if (result.isError === true) throw new TaskFailed(errorTextOf(result), { value: result })
    if (result.resultType !== undefined && result.resultType !== 'complete') {
      throw new NotKept(
        result,
        `The tool answered with '${result.resultType}' instead of a result. Call it again.`,
      )
    }
    return result
  }
}
