import type { Server, ServerContext } from '@modelcontextprotocol/server'
import type { Actor } from '../../access/actor.ts'
import type { EnvelopeOptions } from '../../agent/present.ts'
import { clientOf2025, clientOf2026, type TaskClient, wishOf } from '../../agent/tasks/client.ts'
import { methodNotFound, tasksNotDeclared } from '../../agent/tasks/errors.ts'
import type { Notify, TaskCallOptions, TaskService } from '../../agent/tasks/service.ts'
import { ProtocolFailure } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CallResponse } from '../../core/response.ts'
import type { CallInterceptor } from '../interpose.ts'
import { isInputRequired } from '../sdk-shapes.ts'
import { toProtocolError } from './errors.ts'

/** Whether calls of a tool may become tasks of MCP: never, where the client can follow them, or in no other way. */
export type TaskSupport = (typeof TASK_SUPPORT)[number]

export const TASK_SUPPORT = ['none', 'optional', 'required'] as const

/** How the calls of one tool go, and how they are answered. */
export interface TaskTool extends EnvelopeOptions {
  readonly support: TaskSupport
}

/** What came of a call in the cache, or before it came there. */
type Outcome = { readonly response: CallResponse; readonly actor: Actor } | { readonly error: unknown }

/** A call of which a task may become, on its way through the SDK to the callback of the tool. */
export class TaskCall {
  outcome: Outcome | undefined

  constructor(readonly options: TaskCallOptions) {}
}

const TASK_CALL = Symbol('the call as a task')

/** The SDK hands a callback the context that its request handler was given: so it carries the call. */
type CallContext = ServerContext & { readonly [TASK_CALL]?: TaskCall }

/** The call that a callback runs for, if it may become a task. */
export function taskCallIn(context: ServerContext): TaskCall | undefined {
  return (context as CallContext)[TASK_CALL]
}

/** The client of a request of the SDK. */
export function taskClientOf(server: Server, { mcpReq: { envelope } }: ServerContext): TaskClient {
  return envelope === undefined ? clientOf2025(server.getClientCapabilities()) : clientOf2026(envelope)
}

/** Decides which calls of a server's tools may become tasks, and answers with the task where a call became one. */
export class TaskCalls implements CallInterceptor {
  /** @param tools those that were declared: calls of others never become tasks */
  constructor(
    private readonly server: Server,
    private readonly tasks: TaskService,
    private readonly tools: Map<string, TaskTool>,
  ) {}

  declare(toolName: string, tool: TaskTool): void {
    this.tools.set(toolName, tool)
  }

  readonly intercept: CallInterceptor['intercept'] = async ({ params }, context, proceed) => {
    const client = taskClientOf(this.server, context)
    const wish = wishOf(client, params as JsonObject)
    const support = this.tools.get(params.name)?.support ?? 'none'
    if (support === 'none') {
      if (wish === 'task') throw refused(`'${params.name}' cannot be called as a task.`)
      return proceed(context)
    }
    if (wish === 'answer') {
      if (support === 'required') throw tasksRequired(client, params.name)
      return proceed(context)
    }
    const call = new TaskCall(this.tasks.callOptions(client, wish))
    const carrying: CallContext = { ...context, [TASK_CALL]: call }
    const answer = await proceed(carrying)
    const { outcome } = call
    // It did not come to the cache: the client is asked for more first.
    if (!outcome && (wish === 'any' || isInputRequired(answer))) return answer
    if (!outcome) throw toProtocolError(new Error('A call as a task was answered without one.'))
    if ('error' in outcome) {
      if (wish === 'task' || outcome.error instanceof ProtocolFailure) throw toProtocolError(outcome.error)
      return answer
    }
    const { response, actor } = outcome
    const notify = this.#notify(context)
    return (await this.tasks.asTask(response, { client, wish, actor, notify })) ?? answer
  }

  /** Where a connection lasts longer than the request, its client is told how its task stands. */
  #notify({ http, sessionId }: ServerContext): Notify | undefined {
    if (http !== undefined && sessionId === undefined) return undefined
    return async (method, params) => {
      if (this.server.transport === undefined) throw new Error('The client is gone.')
      await this.server.notification({ method, params })
    }
  }
}

function refused(message: string) {
  return toProtocolError(methodNotFound(message))
}

function tasksRequired({ codec }: TaskClient, toolName: string) {
  if (codec.revision === '2026-07-28') return toProtocolError(tasksNotDeclared())
  return refused(`'${toolName}' has to be called as a task.`)
}
