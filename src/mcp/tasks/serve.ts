import type { McpServer, Server } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { isOneClient } from '../../agent/identity.ts'
import type { ClientLimits } from '../../agent/limits.ts'
import { presentCall } from '../../agent/present.ts'
import { CORE_TASKS, TASKS_EXTENSION } from '../../agent/tasks/capabilities.ts'
import { TASK_METHODS, TaskService } from '../../agent/tasks/service.ts'
import { InvalidArgument } from '../../core/errors.ts'
import type { JsonObject } from '../../core/json.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { AttachOptions } from '../config.ts'
import { callerOf, type IdentityOptions } from '../identity.ts'
import { canInterpose, interpose } from '../interpose.ts'
import { responsesIn, TaskCalls, type TaskTool, taskClientOf } from './calls.ts'
import { connectionOf, senderOf } from './connection.ts'
import { declareListByCaller } from './declared-list.ts'
import { answeringInProtocol } from './errors.ts'
import { grantInquiry } from './inquiry.ts'

/**
 * Offers the cache's tasks as tasks of MCP, in both revisions that have them. Nothing where that is not wanted, or
 * where the server has its handler of `tools/call` already.
 */
export function serveTasks(
  { server }: McpServer,
  cache: RefCache,
  { tasks, taskGrace, envelope }: AttachOptions,
  identity: IdentityOptions,
  limits: ClientLimits,
): TaskCalls | undefined {
  const tools = new Map<string, TaskTool>()
  const service = new TaskService(cache, {
    grace: taskGrace,
    present: (answer, { toolName = '', hasOutputSchema }, limits) => {
      const tool = tools.get(toolName)
      if (tool?.present) return tool.present(answer, limits)
      return presentCall(answer, { envelope: tool?.envelope ?? envelope, hasOutputSchema, limits })
    },
  })
  if (tasks === false) return undefined
  if (!canInterpose(server, 'tools/call')) {
    if (tasks === undefined) return undefined
    throw new InvalidArgument(
      'Native tasks need attachRefCache before the first tool is registered, and a McpServer without `capabilities.tools` in its options (registerTool adds them).',
    )
  }
  server.registerCapabilities({
    extensions: { [TASKS_EXTENSION]: {} },
    // The SDK shows each of the two to the clients of its revision alone.
    tasks: CORE_TASKS,
  })
  const calls = new TaskCalls(server, service, tools, identity, limits)
  interpose(server, 'tools/call', calls.intercept)
  serveTaskMethods(server, service, identity, limits)
  declareListByCaller(server, context => isOneClient(callerOf(context, identity)))
  return calls
}

const taskParams = z.looseObject({
  taskId: z.string(),
})
const listParams = z.looseObject({ cursor: z.string().optional() })

/** The requests through which clients follow tasks, of both revisions on one server. */
function serveTaskMethods(
  server: Server,
  tasks: TaskService,
  identity: IdentityOptions,
  limits: ClientLimits,
): void {
  for (const method of TASK_METHODS) {
    const schema = method === 'tasks/list' ? listParams : taskParams
    server.setRequestHandler(method, { params: schema as typeof listParams }, (params, context) =>
      answeringInProtocol(async () => {
        const caller = callerOf(context, identity)
        // Where several people look like this one caller, nobody is shown what another one started.
        if (method === 'tasks/list' && !isOneClient(caller)) return { tasks: [] }
        const { actor } = caller
        const { signal } = context.mcpReq
        const client = taskClientOf(server, context, limits)
        const inputResponses = responsesIn(context)
        const given = { ...params, ...(inputResponses ? { inputResponses } : {}) } as JsonObject
        const [send, connection] = [senderOf(context), connectionOf(server, context)]
        const answer = await tasks.answer(method, given, { client, actor, signal, send, connection })
        if (method === 'tasks/get')
          grantInquiry(context, tasks.view(given.taskId as string, actor, client.limits))
        return answer
      }),
    )
  }
}
