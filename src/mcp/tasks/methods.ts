import type { Server, ServerContext } from '@modelcontextprotocol/server'
import * as z from 'zod'
import { isOneClient } from '../../agent/identity.ts'
import { methodNotFound, tasksNotDeclared } from '../../agent/tasks/errors.ts'
import { answerInquiry } from '../../agent/tasks/inquiry.ts'
import { isSettled, toCoreTask } from '../../agent/tasks/project.ts'
import { detailedTask, infoOf, type SeenTask } from '../../agent/tasks/read.ts'
import { InvalidArgument } from '../../core/errors.ts'
import type { RefId } from '../../core/ref.ts'
import type { RefCache } from '../../ref-cache.ts'
import { callerOf, type IdentityOptions } from '../identity.ts'
import { clientOf } from './client.ts'
import { answeringInProtocol } from './errors.ts'
import { finalResult, Waiting } from './result.ts'

/** The methods through which clients follow tasks, of both revisions on one server. */

const taskParams = z.looseObject({ taskId: z.string() })
const updateParams = taskParams.extend({ inputResponses: z.record(z.string(), z.unknown()).optional() })
const listParams = z.looseObject({ cursor: z.string().optional() })

export function serveTaskMethods(server: Server, cache: RefCache, identity: IdentityOptions): void {
  const seen = (refId: RefId, context: ServerContext): SeenTask => ({
    cache,
    refId,
    actor: callerOf(context, identity).actor,
  })
  /** Which revision asks; a client of the extension has to have declared it. */
  const revisionOf = (context: ServerContext) => {
    const client = clientOf(server, context)
    if (client.revision === '2026-07-28' && !client.declaresTasks) throw tasksNotDeclared()
    return client.revision
  }

  server.setRequestHandler('tasks/get', { params: taskParams }, ({ taskId }, context) =>
    answeringInProtocol(async () => {
      const revision = revisionOf(context)
      const task = seen(taskId, context)
      const info = await infoOf(task)
      answerInquiry(context.mcpReq.id, task)
      if (revision === '2025-11-25') return toCoreTask(info)
      return { resultType: 'complete', ...(await detailedTask(task, info)) }
    }),
  )

  server.setRequestHandler('tasks/cancel', { params: taskParams }, ({ taskId }, context) =>
    answeringInProtocol(async () => {
      const revision = revisionOf(context)
      const task = seen(taskId, context)
      if (revision === '2026-07-28') {
        await cache.cancelTask(taskId, task)
        return { resultType: 'complete' }
      }
      if (isSettled(await infoOf(task))) throw alreadySettled()
      const { status } = await cache.cancelTask(taskId, task)
      if (status !== 'cancelled') throw alreadySettled()
      return toCoreTask(await infoOf(task))
    }),
  )

  server.setRequestHandler('tasks/update', { params: updateParams }, ({ taskId }, context) =>
    answeringInProtocol(async () => {
      if (revisionOf(context) === '2025-11-25') throw methodNotFound('Method not found')
      // The SDK takes the answers out of the parameters.
      await cache.answerTask(taskId, context.mcpReq.inputResponses ?? {}, seen(taskId, context))
      return { resultType: 'complete' }
    }),
  )

  const waiting = new Waiting()
  // The SDK knows that these two are not of 2026-07-28.
  server.setRequestHandler('tasks/result', { params: taskParams }, ({ taskId }, context) =>
    answeringInProtocol(() => finalResult(seen(taskId, context), context, waiting)),
  )

  server.setRequestHandler('tasks/list', { params: listParams }, ({ cursor }, context) =>
    answeringInProtocol(async () => {
      const caller = callerOf(context, identity)
      // Where several people look like this one caller, nobody is shown what another one started.
      if (!isOneClient(caller)) return { tasks: [] }
      const { tasks, nextCursor } = await cache.listTasks({ actor: caller.actor, cursor })
      return { tasks: tasks.map(toCoreTask), ...(nextCursor === undefined ? {} : { nextCursor }) }
    }),
  )
}

function alreadySettled(): InvalidArgument {
  return new InvalidArgument('The task has ended already: there is nothing to cancel.')
}
