import { askableOf, declaresExtension, TASKS_EXTENSION } from '../../agent/tasks/capabilities.ts'
import { onAbort } from '../../core/abort.ts'
import type { TaskContext } from '../../core/handler.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import {
  clientCapabilitiesOf,
  isStateless,
  metaOf,
  protocolMeta,
  RELATED_TASK,
  RpcErrorCode,
  type RpcNotification,
  type RpcRequest,
  type RpcResponse,
  withClientCapabilities,
} from '../rpc.ts'
import { type Asker, ask, questionsIn } from './input.ts'
import type { QuickCall } from './quick-call.ts'
import { UpstreamTask } from './task.ts'
import type { Upstream } from './upstream.ts'

const ANSWER_AFTER_CANCEL_MS = 250

/**
 * Calls of the wrapped server's tools. Where the server makes a task of a call, this is the client that follows the task; what
 * our own clients are given is the reference in front of it.
 */
export class UpstreamTasks {
  /** What the server has said of tasks when it introduced itself. Nothing before that: a client of 2026-07-28 need not ask. */
  #declared: { core: JsonObject | undefined; extension: boolean } | undefined
  readonly #followed = new Map<string, UpstreamTask>()
  /** The calls that the server runs, in the order in which they began, with their tools. */
  readonly #running = new Map<Asker, unknown>()

  /** @param shared whether the client may have tasks of the server's, too: by calls that the cache knows nothing of */
  constructor(
    private readonly upstream: Upstream,
    private readonly shared: boolean,
  ) {}

  /** The server introduces itself. */
  learn({ capabilities }: JsonObject): void {
    const declared = isJsonObject(capabilities) ? capabilities : {}
    this.#declared = {
      core: isJsonObject(declared.tasks) ? declared.tasks : undefined,
      extension: declaresExtension(declared),
    }
  }

  /** Whether requests about tasks may make sense to the server. */
  get mayHave(): boolean {
    return !this.#declared || this.#declared.extension || this.#declared.core !== undefined
  }

  /**
   * One call of a tool, at whatever revision the params are.
   * @param asTask whether the tool says that it can be called as a task of 2025-11-25
   */
  async call(params: JsonObject, asTask: boolean, task: TaskContext): Promise<RpcResponse> {
    const heard = this.upstream.hear(report => task.progress(report))
    const own = withToken(params, heard.token)
    this.#running.set(task, params.name)
    try {
      if (isStateless(params)) return await this.#callAnswering(own, task)
      return await (asTask && this.#runsTools() ? this.#callAsTask(own, task) : this.#ask(own, task.signal))
    } finally {
      heard.end()
      this.#running.delete(task)
    }
  }

  /**
   * Begins a call of which the server makes no task, and that asks nothing before it is answered. False where it may, or where the
   * server has to be waited for.
   */
  begin(params: JsonObject, asTask: boolean, quick: QuickCall): boolean {
    if (isStateless(params) ? this.mayHave : asTask && this.#runsTools()) return false
    const first = isStateless(params) && !isAskedFirst(params) ? withTasks(params) : params
    if (!quick.begin(token => withToken(first, token))) return false
    this.#running.set(quick, params.name)
    quick.onSettled = () => this.#running.delete(quick)
    return true
  }

  /** What becomes of a call that was begun, as `call` gives it. */
  async goOn(begun: QuickCall, params: JsonObject, task: TaskContext): Promise<RpcResponse> {
    if (!isStateless(params)) return begun.goOn(task)
    const heard = this.upstream.hear(report => task.progress(report), begun.id)
    try {
      return await this.#callAnswering(withToken(params, heard.token), task, begun.goOn(task))
    } finally {
      heard.end()
    }
  }

  /**
   * The task that a request of the server's belongs to. Without tasks of its own a server does not say that: then it is the newest
   * call that it runs.
   */
  askingTask(request: RpcRequest): Asker | undefined {
    const related = metaOf(request.params)[RELATED_TASK]
    if (isJsonObject(related)) return this.#followed.get(String(related.taskId))?.task
    return [...this.#running].filter(([, tool]) => this.upstream.mayAskFor(request, tool)).at(-1)?.[0]
  }

  /** A notification about a task that is followed here is for us alone: the client has never heard of that task. */
  hears({ method, params = {} }: RpcNotification): boolean {
    if (method !== 'notifications/tasks/status') return false
    const followed = this.#followed.get(String(params.taskId))
    followed?.wake()
    // It may come before the answer that says which task it is about, and after the end.
    return followed !== undefined || !this.shared
  }

  /** A message that belongs to a task which is followed here, as belonging to the reference in front of it. */
  related<Message extends RpcRequest | RpcNotification>(message: Message): Message {
    const meta = metaOf(message.params)
    const related = meta[RELATED_TASK]
    const followed = isJsonObject(related) ? this.#followed.get(String(related.taskId)) : undefined
    if (!followed) return message
    const _meta = { ...meta, [RELATED_TASK]: { taskId: followed.refId } }
    return { ...message, params: { ...message.params, _meta } }
  }

  #runsTools(): boolean {
    const requests = this.#declared?.core?.requests
    return isJsonObject(requests) && isJsonObject(requests.tools) && requests.tools.call !== undefined
  }

  /** 2025-11-25: the client says that it wants a task. */
  async #callAsTask(params: JsonObject, task: TaskContext): Promise<RpcResponse> {
    // Without the signal: what is cancelled is the task, and only its id tells which that is.
    const response = await this.#ask({ ...params, task: {} })
    const created = 'result' in response ? response.result.task : undefined
    if (!isTask(created)) return response
    const cancellable = this.#declared?.core?.cancel !== undefined
    return this.#follow(created, { task, meta: undefined, cancellable })
  }

  /**
   * 2026-07-28: the server may ask before it answers, and whoever called as a task can be asked any time.
   * @param begun the answer to the first request, where that is sent already
   */
  async #callAnswering(
    params: JsonObject,
    task: TaskContext,
    begun?: Promise<RpcResponse>,
  ): Promise<RpcResponse> {
    const capabilities = clientCapabilitiesOf(params)
    const interactive = declaresExtension(capabilities) && askableOf(capabilities) !== undefined
    let first = begun
    for (let next = params; ; first = undefined) {
      const response = await this.#callDeclaring(next, task, first)
      if ('error' in response || response.result.resultType !== 'input_required') return response
      if (!interactive) return response
      const answers = await this.#answers(response.result, task)
      if (!answers) return response
      const { requestState } = response.result
      next = { ...params, inputResponses: answers, ...(requestState === undefined ? {} : { requestState }) }
    }
  }

  async #answers(result: JsonObject, task: TaskContext): Promise<JsonObject | undefined> {
    const questions = Object.entries(questionsIn(result) ?? {})
    if (questions.length === 0) return undefined
    const answers = await Promise.all(
      questions.map(async ([key, question]) => [key, await ask(task, question)] as const),
    )
    return Object.fromEntries(answers)
  }

  /** 2026-07-28: the server makes a task of any call that declares that its client follows tasks; and so do we. */
  async #callDeclaring(
    params: JsonObject,
    task: TaskContext,
    begun: Promise<RpcResponse> | undefined,
  ): Promise<RpcResponse> {
    let own = withTasks(params)
    let sent = begun
    if (isAskedFirst(params)) {
      const response = await (sent ?? this.#ask(params, task.signal))
      if (!demandsTasks(response)) return response
      own = withTasks(withoutQuestions(params))
      sent = undefined
    }
    const response = await (sent ?? this.#askForTask(own, task.signal))
    if ('error' in response || response.result.resultType !== 'task' || !isTask(response.result))
      return response
    return this.#follow(response.result, { task, meta: protocolMeta(own), cancellable: true })
  }

  /** A task that the server makes while the call is cancelled can only be cancelled by its id: the answer may still bring it. */
  async #askForTask(params: JsonObject, signal: AbortSignal): Promise<RpcResponse> {
    signal.throwIfAborted()
    const giveUp = new AbortController()
    let timer: NodeJS.Timeout | undefined
    const ignore = onAbort(signal, () => {
      timer = setTimeout(() => giveUp.abort(signal.reason), this.mayHave ? ANSWER_AFTER_CANCEL_MS : 0)
    })
    try {
      return await this.#ask(params, giveUp.signal)
    } finally {
      ignore()
      clearTimeout(timer)
    }
  }

  #ask(params: JsonObject, signal?: AbortSignal): Promise<RpcResponse> {
    return this.upstream.request('tools/call', params, { signal })
  }

  async #follow(
    created: JsonObject,
    options: { task: TaskContext; meta: JsonObject | undefined; cancellable: boolean },
  ): Promise<RpcResponse> {
    const followed = new UpstreamTask(String(created.taskId), { upstream: this.upstream, ...options })
    this.#followed.set(followed.taskId, followed)
    try {
      return await followed.follow(created)
    } finally {
      this.#followed.delete(followed.taskId)
    }
  }
}

function withToken(params: JsonObject, progressToken: string): JsonObject {
  return { ...params, _meta: { ...metaOf(params), progressToken } }
}

function isTask(value: JsonValue | undefined): value is JsonObject {
  return isJsonObject(value) && typeof value.taskId === 'string'
}

/** A client that knows no tasks can be asked before it has its answer, but not by a task. */
function isAskedFirst(params: JsonObject): boolean {
  const capabilities = clientCapabilitiesOf(params)
  return !declaresExtension(capabilities) && askableOf(capabilities) !== undefined
}

function withTasks(params: JsonObject): JsonObject {
  const { extensions, ...capabilities } = clientCapabilitiesOf(params)
  const others = isJsonObject(extensions) ? extensions : {}
  return withClientCapabilities(params, { ...capabilities, extensions: { ...others, [TASKS_EXTENSION]: {} } })
}

function withoutQuestions(params: JsonObject): JsonObject {
  const { elicitation: _, sampling: __, ...silent } = clientCapabilitiesOf(params)
  return withClientCapabilities(params, silent)
}

/** Whether the server runs the tool only for clients that declare that they follow tasks. It has not begun then. */
function demandsTasks(response: RpcResponse): boolean {
  if (!('error' in response)) return false
  const { code, data } = response.error
  if (code !== RpcErrorCode.missingCapability || !isJsonObject(data)) return false
  return isJsonObject(data.requiredCapabilities) && declaresExtension(data.requiredCapabilities)
}
