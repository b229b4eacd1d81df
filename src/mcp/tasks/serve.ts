import type { McpServer, Server, ServerContext } from '@modelcontextprotocol/server'
import { CORE_TASKS, TASKS_EXTENSION } from '../../agent/tasks/capabilities.ts'
import { followTask } from '../../agent/tasks/follow.ts'
import { toCoreTask } from '../../agent/tasks/project.ts'
import type { SeenTask } from '../../agent/tasks/read.ts'
import { toMilliseconds } from '../../core/duration.ts'
import { InvalidArgument } from '../../core/errors.ts'
import type { RefCache } from '../../ref-cache.ts'
import type { AttachOptions } from '../config.ts'
import type { IdentityOptions } from '../identity.ts'
import { canInterpose, interpose } from '../interpose.ts'
import { TaskCalls } from './calls.ts'
import { serveTaskMethods } from './methods.ts'

const DEFAULT_GRACE = '500ms'

/**
 * Offers the cache's tasks as tasks of MCP, in both revisions that have them. Nothing where that is not wanted, or
 * where the server has its handler of `tools/call` already.
 */
export function serveTasks(
  { server }: McpServer,
  cache: RefCache,
  { tasks, taskGrace = DEFAULT_GRACE }: AttachOptions,
  identity: IdentityOptions,
): TaskCalls | undefined {
  const grace = toMilliseconds(taskGrace, 'taskGrace')
  if (tasks === false) return undefined
  if (!canInterpose(server)) {
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
  const calls = new TaskCalls(server, cache, {
    grace,
    onCoreTask: (task, context: ServerContext) => tellStatus(server, task, context),
  })
  interpose(server, calls)
  serveTaskMethods(server, cache, identity)
  return calls
}

/** Tells a client of 2025-11-25 of its task, where its connection lasts longer than the request. */
export function tellStatus(server: Server, task: SeenTask, { http, sessionId }: ServerContext): void {
  if (http !== undefined && sessionId === undefined) return
  // After the answer that says which task this is.
  setImmediate(() => {
    const following = followTask(task, async info => {
      if (server.transport === undefined) return following.end()
      await server.notification({ method: 'notifications/tasks/status', params: toCoreTask(info) })
    })
  })
}
