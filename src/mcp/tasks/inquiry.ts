import { randomUUID } from 'node:crypto'
import type { ServerContext } from '@modelcontextprotocol/server'
import type { ListenRequest, WireMessage } from '../../agent/tasks/subscriptions.ts'
import type { TaskView } from '../../agent/tasks/view.ts'

/**
 * How a wrapper around a server comes to follow a task: it asks the server for the task, as the client would. Whatever
 * authenticates, checks and authorizes requests there has its say; then `attachRefCache` grants the view of the task
 * that this client has. The inquiry travels with its request: an object, which no client can send.
 */
class Inquiry {
  granted: TaskView | undefined
}

const INQUIRY = 'mcp-refcache/inquiry'

/**
 * Those of the tasks that a client listens to which it may follow.
 * @param ask sends a `tasks/get` as it is, in this process, and resolves when it has been answered
 */
export async function inquire(
  { params }: ListenRequest,
  taskIds: readonly string[],
  ask: (request: WireMessage & { readonly id: string }, taskId: string) => Promise<unknown>,
): Promise<TaskView[]> {
  const views = await Promise.all(
    taskIds.map(async taskId => {
      const inquiry = new Inquiry()
      const _meta = { ...params._meta, [INQUIRY]: inquiry }
      const id = `listen-${randomUUID()}`
      await ask({ jsonrpc: '2.0', id, method: 'tasks/get', params: { _meta, taskId } }, taskId)
      return inquiry.granted
    }),
  )
  return views.filter(view => view !== undefined)
}

/** Called for a task that the client of this request may follow. */
export function grantInquiry({ mcpReq: { _meta } }: ServerContext, view: TaskView): void {
  const inquiry = (_meta as Readonly<Record<string, unknown>> | undefined)?.[INQUIRY]
  if (inquiry instanceof Inquiry) inquiry.granted = view
}
