import { ProtocolError, RELATED_TASK_META_KEY, type ServerContext } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { Changes } from '../../agent/tasks/changes.ts'
import { inputRequestsOf, isSettled, rpcErrorOf } from '../../agent/tasks/project.ts'
import { infoOf, resultOf, type SeenTask } from '../../agent/tasks/read.ts'
import { ProtocolFailure } from '../../core/errors.ts'
import { onAbort } from '../../core/on-abort.ts'
import type { InputRequest } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import type { TaskInfo } from '../../flow/operate/task-info.ts'

/**
 * `tasks/result` of 2025-11-25: waits for the end of a task, and gives what the tool call would have. Meanwhile it is the
 * way on which the client hears what the task asks.
 */
export async function finalResult(
  task: SeenTask,
  context: ServerContext,
  waiting: Waiting,
): Promise<Record<string, unknown>> {
  const { signal } = context.mcpReq
  const changes = await Changes.of(task)
  const wake = () => changes.tell()
  const ignore = onAbort(signal, wake)
  const questions = new Questions(task, context, wake)
  const turn = waiting.enter(task.refId, questions)
  try {
    for (;;) {
      signal.throwIfAborted()
      const info = await infoOf(task)
      if (isSettled(info)) return { ...(await settledResult(task, info)), ...related(task) }
      questions.ask((turn.isOurs() && inputRequestsOf(info)) || {})
      await changes.next()
    }
  } finally {
    ignore()
    questions.ask({})
    turn.leave()
    changes.end()
  }
}

async function settledResult(task: SeenTask, info: TaskInfo) {
  const failure = rpcErrorOf(info)
  if (failure) throw new ProtocolFailure(failure.message, failure)
  return resultOf(task, info)
}

function related({ refId }: SeenTask) {
  return { _meta: { [RELATED_TASK_META_KEY]: { taskId: refId } } }
}

/** A user may think it over for long; the longest that a timer can wait. */
const ANSWER_TIMEOUT_MS = 2 ** 31 - 1

/**
 * The requests of one connection that wait for results, by task. The newest one of a task asks: an older one's stream
 * may have dropped, of which nobody hears.
 */
export class Waiting {
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
    private readonly task: SeenTask,
    private readonly context: ServerContext,
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
      void this.#answer(key, request, withdrawal.signal).then(this.wake)
    }
  }

  async #answer(key: string, request: InputRequest, withdrawn: AbortSignal): Promise<void> {
    const { cache, refId, actor } = this.task
    try {
      const answer = await this.#send(key, request, withdrawn).catch(error => refusal(request, error))
      await cache.answerTask(refId, { [key]: answer }, { actor })
    } catch {
      // The question stays open: for the next request for the result, or for another client.
    }
  }

  async #send(key: string, { method, params }: InputRequest, withdrawn: AbortSignal): Promise<object> {
    const { refId } = this.task
    // That revision wants an id of pages that users are sent to.
    const page = params.mode === 'url' ? { elicitationId: `${refId}/${key}` } : {}
    const _meta = { ...(params._meta as object | undefined), ...related(this.task)._meta }
    const request = { method, params: { ...page, ...params, _meta } }
    const { signal, send } = this.context.mcpReq
    return send(request, z.looseObject({}), {
      timeout: ANSWER_TIMEOUT_MS,
      signal: AbortSignal.any([signal, withdrawn]),
    })
  }
}

/** What the handler is told where the client would not ask. Throws what is not the client's own word. */
function refusal({ method }: InputRequest, error: unknown): object {
  if (!(error instanceof ProtocolError)) throw error
  // An answer of the model has no word for that; of a user it is as if the question had been turned away.
  if (method === 'elicitation/create') return { action: 'cancel' }
  return { error: { code: error.code, message: error.message } }
}
