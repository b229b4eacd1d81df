import type { Actor } from '../../access/actor.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { TaskInfo, TaskInfoOptions } from '../../flow/operate/task-info.ts'
import type { RefCache } from '../../ref-cache.ts'
import { ADAPTERS } from '../../ref-cache-adapters.ts'
import { limitsOf } from '../limits.ts'
import { checkForms } from './answers.ts'
import { type Present, type Task, type TaskWithResult, toTask, toTaskWithResult } from './task.ts'

/** A task as one actor sees it. Each reading is authorized as a poll of that actor, and reads the entry once. */
export class TaskView {
  constructor(
    private readonly cache: RefCache,
    readonly refId: RefId,
    private readonly actor: Actor,
    private readonly present?: Present,
    private readonly limits: AnswerLimits = limitsOf(),
  ) {}

  async read(): Promise<Task> {
    return toTask(await this.#info({ native: true }))
  }

  /** The same for us alone: the client is not given it as a task. */
  async peek(): Promise<Task> {
    return toTask(await this.#info({}))
  }

  async readWithResult(): Promise<TaskWithResult> {
    const { limits, present } = this
    return toTaskWithResult(await this.#info({ withAnswer: true, native: true, limits }), limits, present)
  }

  cancel(): Promise<CallResponse> {
    return this.cache.cancelTask(this.refId, { actor: this.actor })
  }

  /** Answers questions of the task, by key. @throws InvalidArgument for an answer that does not match its question */
  async respond(answers: Readonly<Record<string, unknown>>): Promise<void> {
    checkForms((await this.peek()).inputRequests ?? {}, answers)
    await this.cache.answerTask(this.refId, answers, { actor: this.actor })
  }

  /** Gives the end of the watch. */
  watch(onChange: () => void): Promise<() => void> {
    return this.cache.watch(this.refId, { actor: this.actor }, onChange)
  }

  #info(options: Omit<TaskInfoOptions, 'actor'>): Promise<TaskInfo> {
    return this.cache[ADAPTERS].taskInfo(this.refId, { ...options, actor: this.actor })
  }
}
