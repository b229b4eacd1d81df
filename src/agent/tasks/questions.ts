import { onAbort } from '../../core/abort.ts'
import { ProtocolFailure } from '../../core/errors.ts'
import type { InputRequest } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import { Signal } from '../../core/signal.ts'
import { isSettled, type TaskWithResult } from './task.ts'
import type { TaskView } from './view.ts'

/** Where a message of 2025-11-25 says which task it belongs to. */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task'

/** A request that may wait for the end of a task. */
export interface ResultRequest {
  /** Aborts when the client no longer waits for the answer. */
  readonly signal: AbortSignal
  /**
   * Sends a request to the client while this one waits. Absent: the client cannot be asked on this way.
   * @throws ProtocolFailure where the client refuses
   */
  readonly send?: ((request: InputRequest, signal: AbortSignal) => Promise<object>) | undefined
  readonly waits: ResultWaits
}

/** Waits for the end of a task. Meanwhile this request is the way on which the client hears what the task asks. */
export async function waitForEnd(view: TaskView, request: ResultRequest): Promise<TaskWithResult> {
  const { signal, waits } = request
  const task = await view.readWithResult()
  if (isSettled(task)) return task
  const changes = new Signal()
  const wake = () => changes.notify()
  const endWatch = await view.watch(wake)
  const ignore = onAbort(signal, wake)
  const questions = new Questions(view, request, wake)
  const turn = waits.enter(view.refId, questions)
  try {
    for (;;) {
      signal.throwIfAborted()
      const latest = await view.readWithResult()
      if (isSettled(latest)) return latest
      questions.ask((turn.isOurs() && latest.inputRequests) || {})
      await changes.next()
    }
  } finally {
    ignore()
    questions.ask({})
    turn.leave()
    endWatch()
  }
}

/**
 * The requests of one connection that wait for results, by task. The newest one of a task asks: an older one's stream
 * may have dropped, of which nobody hears.
 */
export class ResultWaits {
  readonly #byTask = new Map<RefId, Questions[]>()

  /** From now on `questions` are those that are asked, until others come or these leave. */
  enter(refId: RefId, questions: Questions) {
    const all = this.#byTask.get(refId) ?? []
    this.#byTask.set(refId, all)
    all.at(-1)?.ask({})
    all.push(questions)
    return {
      isOurs: () => all.at(-1) === questions,
      leave: () => {
        all.splice(all.indexOf(questions), 1)
        if (all.length === 0) this.#byTask.delete(refId)
        all.at(-1)?.wake()
      },
    }
  }
}

/** What a task asks, put to the client of one request. */
class Questions {
  /** What was put, and the end of that. What the client leaves open is not put again. */
  readonly #put = new Map<string, AbortController>()

  constructor(
    private readonly view: TaskView,
    private readonly request: Pick<ResultRequest, 'send' | 'signal'>,
    readonly wake: () => void,
  ) {}

  /** Puts these questions, once each, and withdraws all others. */
  ask(requests: Readonly<Record<string, InputRequest>>): void {
    for (const [key, withdrawal] of this.#put) {
      if (Object.hasOwn(requests, key)) continue
      this.#put.delete(key)
      withdrawal.abort()
    }
    for (const [key, request] of Object.entries(requests)) {
      if (this.#put.has(key)) continue
      const withdrawal = new AbortController()
      this.#put.set(key, withdrawal)
      void this.#putOne(key, request, withdrawal.signal).then(this.wake)
    }
  }

  async #putOne(key: string, question: InputRequest, withdrawn: AbortSignal): Promise<void> {
    const { send, signal } = this.request
    if (!send) return
    try {
      const request = relatedRequest(this.view.refId, key, question)
      const ended = AbortSignal.any([signal, withdrawn])
      const answer = await send(request, ended).catch(error => refusalOf(question, error))
      await this.view.respond({ [key]: answer })
    } catch {
      // The question stays open: for the next request for the result, or for another client.
    }
  }
}

function relatedRequest(taskId: RefId, key: string, { method, params }: InputRequest): InputRequest {
  // That revision wants an id of pages that users are sent to.
  const page = params.mode === 'url' ? { elicitationId: `${taskId}/${key}` } : {}
  const _meta = { ...(params._meta as object | undefined), [RELATED_TASK]: { taskId } }
  return { method, params: { ...page, ...params, _meta } }
}

/** What the handler is told where the client would not ask. Throws what is not the client's own word. */
function refusalOf({ method }: InputRequest, error: unknown): object {
  if (!(error instanceof ProtocolFailure)) throw error
  // An answer of the model has no word for that; of a user it is as if the question had been turned away.
  if (method === 'elicitation/create') return { action: 'cancel' }
  return { error: { code: error.rpc.code, message: error.message } }
}
