import {
  type CallToolRequest,
  isInputRequiredResult,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server'
import type { Actor } from '../../access/actor.ts'
import { methodNotFound, tasksNotDeclared } from '../../agent/tasks/errors.ts'
import { type TaskStatus, toCoreTask, toExtensionTask } from '../../agent/tasks/project.ts'
import { infoOf, type SeenTask } from '../../agent/tasks/read.ts'
import { ProtocolFailure } from '../../core/errors.ts'
import type { CallResponse } from '../../core/response.ts'
import type { CallOptions } from '../../flow/call/options.ts'
import type { RefCache } from '../../ref-cache.ts'
import { clientOf, type TaskClient } from './client.ts'
import { toProtocolError } from './errors.ts'

/** Whether calls of a tool may become tasks of MCP: never, where the client can follow them, or in no other way. */
export type TaskSupport = (typeof TASK_SUPPORT)[number]

export const TASK_SUPPORT = ['none', 'optional', 'required'] as const

/** A call of a client that can follow tasks, while it is on its way through the tool. */
export interface TaskCall {
  /** How the call goes through the cache. */
  readonly options: Pick<CallOptions, 'asyncTimeout' | 'interactive'>
  /** What came of it in the cache, and for whom. */
  became(response: CallResponse, actor: Actor): void
  /** It failed, in the cache or before it came there. */
  failed(error: unknown): void
}

/** What came of a call. */
type Outcome = { readonly response: CallResponse; readonly actor: Actor } | { readonly error: unknown }

type Answer = Record<string, unknown>

interface TaskCallsOptions {
  readonly grace: number
  /** Hears of each task that a client of 2025-11-25 is given. */
  readonly onCoreTask: (task: SeenTask, context: ServerContext) => void
}

/**
 * Stands around the `tools/call` handler of one server: decides which calls may become tasks, and answers with a task
 * where a call became one.
 */
export class TaskCalls {
  readonly #support = new Map<string, TaskSupport>()
  readonly #calls = new WeakMap<ServerContext, TaskCall>()

  constructor(
    private readonly server: Server,
    private readonly cache: RefCache,
    private readonly options: TaskCallsOptions,
  ) {}

  /** Says how calls of the tool may go. What was not declared never becomes a task. */
  declare(toolName: string, support: TaskSupport): void {
    this.#support.set(toolName, support)
  }

  /** The call that a tool's callback runs for, if it may become a task. */
  of(context: ServerContext): TaskCall | undefined {
    return this.#calls.get(context)
  }

  /** Answers a `tools/call`; `proceed` is the server's own handler. */
  async answer(
    { params }: CallToolRequest,
    context: ServerContext,
    proceed: () => Promise<Answer>,
  ): Promise<Answer> {
    const client = clientOf(this.server, context)
    const support = this.#support.get(params.name) ?? 'none'
    const demanded = client.revision === '2025-11-25' && params.task !== undefined
    if (support === 'none') {
      if (demanded) throw toProtocolError(methodNotFound(`'${params.name}' cannot be called as a task.`))
      return proceed()
    }
    if (!demanded && !client.declaresTasks) {
      if (support === 'required') throw toProtocolError(tasksRequired(client, params.name))
      return proceed()
    }
    const { call, outcome } = this.#follow(client, demanded)
    this.#calls.set(context, call)
    const answer = await proceed()
    return this.#asTask(outcome(), { answer, demanded, context })
  }

  #follow(client: TaskClient, demanded: boolean) {
    let outcome: Outcome | undefined
    const call: TaskCall = {
      options: { asyncTimeout: demanded ? 0 : this.options.grace, interactive: client.canBeAsked },
      became(response, actor) {
        outcome = { response, actor }
      },
      failed(error) {
        outcome = { error }
      },
    }
    return { call, outcome: () => outcome }
  }

  async #asTask(
    outcome: Outcome | undefined,
    { answer, demanded, context }: { answer: Answer; demanded: boolean; context: ServerContext },
  ): Promise<Answer> {
    // It did not come to the cache: the client is asked for more first.
    if (!outcome && (!demanded || isInputRequiredResult(answer))) return answer
    if (!outcome) throw toProtocolError(new Error('A call as a task was answered without one.'))
    if ('error' in outcome) {
      if (demanded || outcome.error instanceof ProtocolFailure) throw toProtocolError(outcome.error)
      return answer
    }
    const { response, actor } = outcome
    const runs = response.status === 'pending' || response.status === 'processing'
    if (!demanded && !runs) return answer
    const task = { cache: this.cache, refId: response.refId, actor }
    const info = await infoOf(task)
    if (!demanded) return { resultType: 'task', ...begun(toExtensionTask(info)) }
    this.options.onCoreTask(task, context)
    return { task: begun(toCoreTask(info)), content: [] }
  }
}

/** A task begins as `working`, whatever became of it since: what it waits for or ended with is for `tasks/get`. */
function begun<Task extends { status: TaskStatus; statusMessage?: string }>(task: Task) {
  if (task.status === 'working') return task
  const { statusMessage: _, ...rest } = task
  return { ...rest, status: 'working' as const }
}

function tasksRequired({ revision }: TaskClient, toolName: string) {
  return revision === '2026-07-28'
    ? tasksNotDeclared()
    : methodNotFound(`'${toolName}' has to be called as a task.`)
}
