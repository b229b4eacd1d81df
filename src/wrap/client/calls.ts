import { IdMap } from '../../agent/id-map.ts'
import { ProgressNotifier } from '../../agent/progress.ts'
import type { OwnTool, ToolContext } from '../../agent/tools/tool.ts'
import { isJsonObject } from '../../core/json.ts'
import { withPlainNumbers } from '../../core/map-json.ts'
import type { RefCache } from '../../ref-cache.ts'
import {
  asOutcome,
  asResponse,
  asResponseText,
  type CallOutcome,
  INTERNAL_ERROR,
  refIdOf,
} from '../call-outcome.ts'
import type { Log } from '../log.ts'
import {
  notification,
  progressTokenOf,
  protocolMeta,
  type RpcError,
  RpcErrorCode,
  type RpcId,
  type RpcMessage,
  type RpcRequest,
  type RpcResult,
} from '../rpc.ts'
import type { CallContext, ProxiedClient, ToolCalls } from '../tools/calls.ts'
import { NOT_DECLARED, type ToolCatalog } from '../tools/catalog.ts'
import type { ToolListing } from '../tools/listing.ts'
import { tracedAnswer } from '../traced-requests.ts'
import type { QuickCall } from '../upstream/quick-call.ts'
import type { Presentation } from './presentation.ts'
import type { Reader } from './reader.ts'
import type { ClientTasks } from './tasks.ts'

export interface SessionCallsOptions {
  readonly cache: RefCache
  readonly caller: ProxiedClient
  readonly calls: ToolCalls
  readonly catalog: ToolCatalog
  readonly listing: ToolListing
  readonly tasks: ClientTasks
  readonly presentation: Presentation
  readonly log: Log
  readonly reader: Reader
  /** Whether the message got through, as far as the channel can tell. */
  tell(message: RpcMessage, options?: { relatedTo?: RpcId; text?: string | undefined }): Promise<boolean>
}

/** The requests of one client that are answered here: calls of tools, and whatever else is not the server's alone to answer. */
export class SessionCalls {
  readonly #answering = new IdMap<AbortController>()
  /** Those that pass without an entry. */
  readonly #quick = new IdMap<QuickCall>()
  #inFlow = 0

  constructor(private readonly options: SessionCallsOptions) {}

  /** What the server logs may be about work of a client that is gone: no stranger to it hears that. */
  get areNotAlone(): boolean {
    const { calls, caller } = this.options
    const open = this.#inFlow + this.#quick.ids().length
    return (caller.ambiguous ?? false) && calls.unfinished(caller) > open
  }

  /** Answers a call; false where it is the server's. */
  take(request: RpcRequest): boolean {
    const { cache, catalog } = this.options
    const name = request.params?.name
    const own = catalog.ownTool(request.params, cache.name)
    if (typeof name !== 'string' || !(own || this.#goesThrough(name, request))) return false
    if (own) void this.answer(request, context => this.#callOwn(request, own, context))
    else if (!this.#pass(request, name))
      void this.#throughFlow(request, context => this.#call(request, name, context))
    return true
  }

  /** The client does not want the answer any more. False where none is under way here. */
  cancel(id: RpcId): boolean {
    const quick = this.#quick.get(id)
    const answering = this.#answering.get(id)
    this.#quick.delete(id)
    quick?.cancel()
    answering?.abort()
    return quick !== undefined || answering !== undefined
  }

  cancelAll(): void {
    for (const id of [...this.#quick.ids(), ...this.#answering.ids()]) this.cancel(id)
  }

  /** Answers a request, and tells of progress meanwhile. */
  async answer(request: RpcRequest, work: (context: CallContext) => Promise<CallOutcome>): Promise<void> {
    const { cache, presentation, tell } = this.options
    const waiting = new AbortController()
    const progress = new ProgressNotifier(progressTokenOf(request.params), params =>
      tell(notification('notifications/progress', params), { relatedTo: request.id }),
    )
    // A cancelled request gets neither progress nor an answer.
    waiting.signal.addEventListener('abort', () => void progress.end())
    const limits = this.options.reader.limitsOf(request)
    const context = { signal: waiting.signal, onProgress: progress.notify, limits }
    this.#answering.set(request.id, waiting)
    // It may be about a task that an earlier wrapper left behind, which goes on once its tool is known.
    void this.options.listing.complete(protocolMeta(request.params), waiting.signal)
    const outcome = await tracedAnswer(request, this.options.caller, this.options.tasks.revision, () =>
      this.#withoutThrowing(() => work(context)),
    )
    this.#answering.delete(request.id)
    await progress.end()
    if (waiting.signal.aborted) return
    const reached = await tell(asResponse(request, presentation.ofCall(request, outcome)))
    const refId = refIdOf(outcome)
    if (!reached && refId !== undefined) cache.notDelivered(refId)
  }

  /** A wish for a task that we did not offer is the server's to judge. */
  #goesThrough(name: string, request: RpcRequest): boolean {
    const { calls, tasks } = this.options
    const wanted = isJsonObject(request.params?.task)
    return calls.goesThrough(name) && (!wanted || tasks.wishOf(request) === 'task')
  }

  /** Passes a call on at once. False where something needs its entry from the start. */
  #pass(request: RpcRequest, name: string): boolean {
    const { caller, calls, catalog, tasks } = this.options
    if (!catalog.complete || tasks.wishOf(request) !== 'answer') return false
    const call = { name, tool: catalog.known(name), params: request.params ?? {} }
    const enter = (quick: QuickCall) => {
      this.#quick.delete(request.id)
      void this.#throughFlow(request, context => calls.answer(call, context, () => quick.enter(context)))
    }
    const quick = calls.pass(caller, call, this.options.reader.limitsOf(request), {
      onNeed: enter,
      onAnswer: (quick, response, text) => {
        this.#quick.delete(request.id)
        const reached = this.#tellAnswer(request, quick, response, text)
        // The same call again finds the result.
        if (call.tool.readOnly) void reached.then(isReached => isReached || enter(quick))
      },
    })
    if (quick) this.#quick.set(request.id, quick)
    return quick !== undefined
  }

  #tellAnswer(request: RpcRequest, { id }: QuickCall, response: RpcResult, text: string): Promise<boolean> {
    const answer = asResponse(request, response)
    return this.options.tell(answer, { text: asResponseText(request, response, text, id) })
  }

  async #throughFlow(
    request: RpcRequest,
    work: (context: CallContext) => Promise<CallOutcome>,
  ): Promise<void> {
    this.#inFlow++
    try {
      await this.answer(request, work)
    } finally {
      this.#inFlow--
    }
  }

  async #call(request: RpcRequest, name: string, context: CallContext): Promise<CallOutcome> {
    const { caller, calls, catalog, listing, tasks } = this.options
    const { params = {} } = request
    await listing.complete(protocolMeta(params), context.signal)
    const answered = tasks.answeredBy(request)
    if (answered) return tasks.resume(answered, request, context)
    const call = { name, tool: catalog.known(name), params }
    if (tasks.wishOf(request) === 'answer') return calls.call(caller, call, context)
    return tasks.call(request, call.tool, options => calls.start(caller, call, { ...context, ...options }))
  }

  async #callOwn(request: RpcRequest, own: OwnTool, context: CallContext): Promise<CallOutcome> {
    const { caller, calls, listing, tasks } = this.options
    const { params = {} } = request
    // A poll needs no server; what is to run does.
    if (own.name === 'retry_task') await listing.complete(protocolMeta(params), context.signal)
    const { asTask } = own
    if (isJsonObject(params.task) && !asTask) return { error: noTask(String(params.name)) }
    const sent = params.arguments ?? {}
    const args = own.exactNumbers ? sent : withPlainNumbers(sent)
    const { actor, namespace, quotas } = caller
    const storing: ToolContext['storing'] = quotas && ((bytes, run) => quotas.store(namespace, bytes, run))
    const call = { ...context, actor, servesResources: true, storing }
    const within = <Answer>(run: () => Promise<Answer>) =>
      own.countsAsCall ? calls.counted(caller, run) : run()
    if (asTask && tasks.wishOf(request) !== 'answer')
      return tasks.callOwn(request, asTask, options => within(() => asTask.start(args, call, options)))
    try {
      return { result: await within(() => own.handle(args, call)) }
    } catch (error) {
      return asOutcome(error, NOT_DECLARED)
    }
  }

  async #withoutThrowing(work: () => Promise<CallOutcome>): Promise<CallOutcome> {
    try {
      return await work()
    } catch (error) {
      const { message } = error as Error
      this.options.log.error('call_failed', `A call failed inside of the wrapper: ${message}`)
      return { error: INTERNAL_ERROR }
    }
  }
}

function noTask(name: string): RpcError {
  return { code: RpcErrorCode.methodNotFound, message: `'${name}' cannot be called as a task.` }
}
