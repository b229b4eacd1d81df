import type { Actor } from '../access/actor.ts'
import type { Namespace } from '../access/namespace.ts'
import { splitArguments } from '../agent/arguments.ts'
import { present } from '../agent/present.ts'
import { declaresArgument } from '../agent/schema.ts'
import type { TaskCallOptions } from '../agent/tasks/service.ts'
import type { ToolResult } from '../agent/wire.ts'
import type { AnswerLimits } from '../core/answer-limits.ts'
import type { Progress } from '../core/entry.ts'
import { InvalidArgument, ProtocolFailure, TaskFailed, WorkerLost } from '../core/errors.ts'
import type { TaskContext } from '../core/handler.ts'
import type { JsonObject, JsonValue } from '../core/json.ts'
import type { CallResponse } from '../core/response.ts'
import type { CachedTool } from '../flow/call/call.ts'
import type { RefCache } from '../ref-cache.ts'
import { errorTextOf } from '../values/call-result.ts'
import { PROXIED_RESULT } from '../values/result-projections.ts'
import { asOutcome, type CallOutcome, NotKept } from './call-outcome.ts'
import type { Log } from './log.ts'
import type { Quotas } from './quotas.ts'
import { metaOf, protocolMeta } from './rpc.ts'
import { type CallSettings, settingsFor, somePassBy, unlistedTools } from './settings.ts'
import { type KnownTool, NOT_DECLARED } from './tool-catalog.ts'
import type { Upstream } from './upstream.ts'
import type { UpstreamTasks } from './upstream-tasks.ts'

/** A client may make up names; each costs memory. */
const MAX_TOOLS = 1_000
/** And so may a server. Tools beyond this are known when they are called. */
const MAX_LISTED_TOOLS = 10_000

/** One client of this process, and the server that is its own. */
export interface ProxiedClient {
  /** What makes the server's answers the caller's own: other command, credentials or session, other answers. */
  readonly scope: string
  readonly actor: Actor
  readonly namespace: Namespace
  /** Several people may look like this one caller: none may be given what another one's call made. */
  readonly ambiguous?: boolean | undefined
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

/** The server's own name of a tool, which the cache knows by a longer one. */
export function nameAtServer(toolName: string): string {
  return toolName.replace(/@[^@]*$/, '')
}

/** One call as the client made it. */
export interface ToolCall {
  readonly name: string
  readonly tool: KnownTool
  /** The server's, but for the reserved argument, the progress token, and the wish for a task. */
  readonly params: JsonObject
}

/** What the handler of a tool gets, and what a call's key is made of. */
interface CallInput {
  scope: string
  /** Without the arguments: nothing in them is ours to read. */
  params: JsonObject
  /** What the caller wrote; references in it stand for their values. */
  arguments?: JsonValue
}

/** Calls of the wrapped server's tools, through the cache. One for the process, whatever the number of clients. */
export class ToolCalls {
  readonly #tools = new Map<string, { declared: KnownTool; call: CachedTool<CallInput> }>()
  readonly #callers = new Map<string, ProxiedClient>()
  #checked = false

  /**
   * @param upstream stands for the wrapped server and its credentials: in the name of each tool it keeps a wrapper of
   *   another server, or for another account, from taking over what this one leaves behind
   */
  constructor(
    private readonly cache: RefCache,
    private readonly settings: CallSettings,
    private readonly upstream: string,
  ) {}

  /** Until the returned function is called, tasks of this caller's scope run on its server. */
  admit(caller: ProxiedClient): () => void {
    this.#callers.set(caller.scope, caller)
    return () => this.#callers.delete(caller.scope)
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
    return settingsFor(this.settings, name).cache !== false
  }

  /** Whether there may be calls that the cache knows nothing of. */
  get somePassBy(): boolean {
    return somePassBy(this.settings)
  }

  /** Whether the task of that name is of this server, and of these credentials. */
  isOwn(toolName: string | undefined): boolean {
    return toolName?.endsWith(`@${this.upstream}`) ?? false
  }

  /** One call, with the answer that a client gets which knows nothing of tasks. */
  async call(caller: ProxiedClient, call: ToolCall, context: CallContext): Promise<CallOutcome> {
    try {
      const response = await this.start(caller, call, context)
      const { limits } = context
      const hasOutputSchema = call.tool.outputSchema !== undefined
      return { result: present(response, { hasOutputSchema, limits }), refId: response.refId }
    } catch (error) {
      return asOutcome(error, call.tool)
    }
  }

  /** One call, and what there is of it when it is to be answered. */
  async start(
    { actor, namespace, scope, ambiguous = false, quotas }: ProxiedClient,
    { name, tool, params: given }: ToolCall,
    context: CallContext & TaskCallOptions,
  ): Promise<CallResponse> {
    const memoize = !ambiguous && (settingsFor(this.settings, name).memoize ?? false)
    const declares = (argument: string) => declaresArgument(tool.inputSchema, argument)
    const { own, responseFormat, fresh } = splitArguments(given.arguments, declares)
    const { task: _, arguments: __, ...asked } = given
    const params = withoutToken(asked, memoize)
    const input = own === undefined ? { scope, params } : { scope, params, arguments: own as JsonValue }
    const identity = { scope, params: withoutToken(asked, true), arguments: (own ?? {}) as JsonValue }
    const options = {
      actor,
      namespace,
      memoize,
      shareRuns: !ambiguous,
      fresh,
      identity,
      responseFormat,
      cancelsWork: true,
      claim: 'late' as const,
      ...context,
    }
    const run = () => this.#tool(name, tool)(input, options)
    return quotas ? quotas.call(namespace, run) : run()
  }

  /** A retry runs a call, and counts as one. */
  async retry({ namespace, quotas }: ProxiedClient, run: () => Promise<ToolResult>): Promise<CallOutcome> {
    try {
      return { result: await (quotas ? quotas.call(namespace, run) : run()) }
    } catch (error) {
      return asOutcome(error, NOT_DECLARED)
    }
  }

  /** Makes the tool known to the cache, so that its failed tasks can be tried again without a call before. */
  register(name: string, tool: KnownTool): void {
    if (this.goesThrough(name) && this.#tools.size < MAX_LISTED_TOOLS) this.#tool(name, tool)
  }

  /** Says once what the settings name that is none of the server's tools, and what they memoize at somebody's risk. */
  check(tools: ReadonlyMap<string, KnownTool>, log: Log): void {
    if (this.#checked) return
    this.#checked = true
    for (const { pattern, meant } of unlistedTools(this.settings, [...tools.keys()])) {
      const hint = meant === undefined ? '' : ` Did you mean '${meant}'?`
      log.warn(
        'unknown_tool',
        `There are settings for '${pattern}', but the server lists no such tool.${hint}`,
      )
    }
    for (const [name, { readOnly }] of tools) {
      if (readOnly || !settingsFor(this.settings, name).memoize) continue
      log.warn(
        'memoized_write',
        `'${name}' is memoized but does not say that it only reads (readOnlyHint): an identical call does not reach the server again.`,
      )
    }
  }

  #tool(name: string, declared: KnownTool): CachedTool<CallInput> {
    const { readOnly, idempotent, inputSchema, outputSchema, asTask, resultLimit } = declared
    const known = this.#tools.get(name)
    // A tool may be called before it is listed, and may be declared anew.
    if (known?.declared === declared) return known.call
    if (!known && declared === NOT_DECLARED && this.#tools.size >= MAX_TOOLS)
      throw new InvalidArgument(`There is no tool '${name.slice(0, 100)}'.`)
    const { resolveRefs, ...settings } = settingsFor(this.settings, name)
    const { asyncTimeout, hardTimeout, ttl, maxSize, inline, strategy, invalidates = [] } = settings
    const tool = this.cache.cached<CallInput, JsonObject>(
      {
        name: `${name}@${this.upstream}`,
        replace: true,
        projection: PROXIED_RESULT,
        verbatim: true,
        resolveRefs: resolveRefs === false ? false : ['arguments'],
        ...(inputSchema === undefined ? {} : { inputJsonSchema: callSchema(inputSchema) }),
        // It is only written out.
        sharedInput: true,
        readOnly,
        invalidates: invalidates.map(outdated => `${outdated}@${this.upstream}`),
        // Another wrapper of the same server may take over what this one leaves behind.
        idempotent: readOnly || idempotent,
        preview: {
          ...(maxSize === undefined ? {} : { maxSize }),
          ...(strategy === undefined ? {} : { strategy }),
          ...(inline === undefined ? {} : { inlineLimit: inline }),
          ...(resultLimit === undefined ? {} : { maxResultCharacters: resultLimit }),
        },
        ...(asyncTimeout === undefined ? {} : { asyncTimeout }),
        ...(hardTimeout === undefined ? {} : { hardTimeout }),
        ...(ttl === undefined ? {} : { ttl }),
        ...(outputSchema === undefined ? {} : { outputSchema }),
      },
      (input, task) => this.#run(input, asTask, task),
    )
    this.#tools.set(name, { declared, call: tool })
    return tool
  }

  /** The handler of every tool: asks the server of the caller that the call was made for. */
  async #run(
    { scope, params: asked, arguments: own }: CallInput,
    asTask: boolean,
    task: TaskContext,
  ): Promise<JsonObject> {
    const caller = this.#callers.get(scope)
    if (!caller) throw new WorkerLost('The wrapped server that this call was for is gone.')
    const params = own === undefined ? asked : { arguments: own, ...asked }
    const response = await caller.tasks.call(params, asTask, task)
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

/** The schema of a call's input. The references in the tool's own go on meaning the tool's own. */
function callSchema(inputSchema: JsonObject): JsonObject {
  return { properties: { arguments: { $id: 'arguments', ...inputSchema } } }
}

/**
 * The progress token is the client's own and the server gets one of ours. Of other metadata a memoized result may only
 * depend on what the protocol itself defines: the rest differs from call to call, and makes no other call of it.
 */
function withoutToken(params: JsonObject, memoize: boolean): JsonObject {
  const { _meta, ...rest } = params
  const { progressToken, ...meta } = metaOf(params)
  const kept = memoize ? protocolMeta(params) : meta
  return kept === undefined || Object.keys(kept).length === 0 ? rest : { _meta: kept, ...rest }
}
