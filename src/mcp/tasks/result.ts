import { RELATED_TASK_META_KEY, type ServerContext } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { NotFound, ProtocolFailure } from '../../core/errors.ts'
import type { InputRequest } from '../../core/question.ts'
import type { TaskInfo } from '../../flow/task-info.ts'
import { Changes } from './changes.ts'
import { inputRequestsOf, isSettled, rpcErrorOf } from './project.ts'
import { infoOf, resultOf, type SeenTask } from './read.ts'

/**
 * `tasks/result` of 2025-11-25: waits for the end of a task, and gives what the tool call would have. Meanwhile it is the
 * way on which the client hears what the task asks.
 */
export async function finalResult(task: SeenTask, context: ServerContext): Promise<Record<string, unknown>> {
  const { signal } = context.mcpReq
  const changes = await Changes.of(task)
  const wake = () => changes.tell()
  signal.addEventListener('abort', wake)
  const questions = new Questions(task, context, wake)
  try {
    for (;;) {
      signal.throwIfAborted()
      const info = await infoOf(task)
      if (isSettled(info)) return { ...(await settledResult(task, info)), ...related(task) }
      questions.ask(inputRequestsOf(info) ?? {})
      await changes.next()
    }
  } finally {
    signal.removeEventListener('abort', wake)
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

/** Questions that some request of this process is asking now. A client that waits twice is asked once. */
const asking = new Map<string, Promise<void>>()

/** What a task asks, put to the client of one request. */
class Questions {
  readonly #asked = new Set<string>()

  constructor(
    private readonly task: SeenTask,
    private readonly context: ServerContext,
    private readonly onEnd: () => void,
  ) {}

  ask(requests: Readonly<Record<string, InputRequest>>): void {
    for (const [key, request] of Object.entries(requests)) {
      const place = `${this.task.refId} ${key}`
      if (this.#asked.has(key) || asking.has(place)) {
        void asking.get(place)?.then(this.onEnd)
        continue
      }
      this.#asked.add(key)
      const asked = this.#put(key, request).finally(() => asking.delete(place))
      asking.set(place, asked)
      void asked.then(this.onEnd)
    }
  }

  async #put(key: string, request: InputRequest): Promise<void> {
    const { cache, refId, actor } = this.task
    const { signal } = this.context.mcpReq
    try {
      const answer = await this.#send(key, request).catch(error => {
        if (signal.aborted || request.method !== 'elicitation/create') throw error
        // The client would not ask: for the handler that is as if the user had turned away.
        return { action: 'cancel' }
      })
      await cache.answerTask(refId, { [key]: answer }, { actor })
    } catch (error) {
      // The question stays open: for the next request for the result, or for another client.
      if (error instanceof NotFound) return
    }
  }

  async #send(key: string, { method, params }: InputRequest): Promise<object> {
    const { refId } = this.task
    // That revision wants an id of pages that users are sent to.
    const page = params.mode === 'url' ? { elicitationId: `${refId}/${key}` } : {}
    const _meta = { ...(params._meta as object | undefined), ...related(this.task)._meta }
    const request = { method, params: { ...page, ...params, _meta } }
    return this.context.mcpReq.send(request, z.looseObject({}), {
      timeout: ANSWER_TIMEOUT_MS,
      signal: this.context.mcpReq.signal,
    })
  }
}
