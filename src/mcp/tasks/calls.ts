import type { Server, ServerContext } from '@modelcontextprotocol/server'
import type { Actor } from '../../access/actor.ts'
import { CLIENT_INFO_META, type ClientLimits } from '../../agent/limits.ts'
import type { EnvelopeOptions } from '../../agent/present.ts'
import { clientOf2025, clientOf2026, type TaskClient, wishOf } from '../../agent/tasks/client.ts'
import { methodNotFound, tasksNotDeclared } from '../../agent/tasks/errors.ts'
import type { Answered } from '../../agent/tasks/round-trip.ts'
import type { TaskCallOptions, TaskService } from '../../agent/tasks/service.ts'
import type { OwnTask } from '../../agent/tools/tool.ts'
import { ProtocolFailure } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { CallResponse } from '../../core/response.ts'
import { callerOf, type IdentityOptions } from '../identity.ts'
import type { CallInterceptor } from '../interpose.ts'
import { isInputRequired } from '../sdk-shapes.ts'
import { connectionOf } from './connection.ts'
import { answeringInProtocol, toProtocolError } from './errors.ts'

/** Whether calls of a tool may become tasks of MCP: never, where the client can follow them, or in no other way. */
export type TaskSupport = (typeof TASK_SUPPORT)[number]

export const TASK_SUPPORT = ['none', 'optional', 'required'] as const

/** How the calls of one tool go, and how they are answered. */
export interface TaskTool extends EnvelopeOptions {
  readonly support: TaskSupport
  /** @defaultValue as the answer of an author's tool */
  readonly present?: OwnTask['present']
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
export function taskClientOf(server: Server, context: ServerContext, limits: ClientLimits): TaskClient {
  const { envelope } = context.mcpReq
  const client =
    envelope === undefined ? clientOf2025(server.getClientCapabilities()) : clientOf2026(envelope)
  return { ...client, limits: limits.of(clientInfoOf(server, context)) }
}

/** What the client of a request calls itself. */
export function clientInfoOf(server: Server, { mcpReq: { envelope } }: ServerContext): unknown {
  return envelope === undefined
    ? server.getClientVersion()
    : (envelope as Readonly<Record<string, unknown>>)[CLIENT_INFO_META]
}

/** The answers of a client, which the SDK takes out of the parameters. It leaves out what is no answer, which is for us to say. */
export function responsesIn({ mcpReq }: ServerContext): JsonObject | undefined {
  const { inputResponses, droppedInputResponseKeys = [] } = mcpReq
  if (!inputResponses) return undefined
  return {
    ...(inputResponses as JsonObject),
    ...Object.fromEntries(droppedInputResponseKeys.map(key => [key, null])),
  }
}

/** Decides which calls of a server's tools may become tasks, and answers with the task where a call became one. */
export class TaskCalls implements CallInterceptor {
  /** @param tools those that were declared: calls of others never become tasks */
  constructor(
    private readonly server: Server,
    private readonly tasks: TaskService,
    private readonly tools: Map<string, TaskTool>,
    private readonly identity: IdentityOptions,
    private readonly limits: ClientLimits,
  ) {}

  declare(toolName: string, tool: TaskTool): void {
    this.tools.set(toolName, tool)
  }

  readonly intercept: CallInterceptor['intercept'] = async ({ params }, context, proceed) => {
    const client = taskClientOf(this.server, context, this.limits)
    const answered = this.tasks.answeredBy(responsesIn(context))
    if (answered) return this.#resume(answered, client, context)
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
    const connection = connectionOf(this.server, context)
    return (await this.tasks.asTask(response, { client, wish, actor, connection })) ?? answer
  }

  /** The call is made again with answers for the work that asked: that goes on, and nothing is called anew. */
  #resume(answered: Answered, client: TaskClient, context: ServerContext): Promise<JsonObject> {
    const connection = connectionOf(this.server, context)
    return answeringInProtocol(() => {
      const { actor } = callerOf(context, this.identity)
      return this.tasks.resume(answered, { client, actor, signal: context.mcpReq.signal, connection })
    })
  }
}

function refused(message: string) {
  return toProtocolError(methodNotFound(message))
}

function tasksRequired({ codec }: TaskClient, toolName: string) {
  if (codec.revision === '2026-07-28') return toProtocolError(tasksNotDeclared())
  return refused(`'${toolName}' has to be called as a task.`)
}
